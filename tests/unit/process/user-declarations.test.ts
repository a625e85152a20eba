import { expect, test } from 'vitest';
import { Configuration } from '../../../src/config/configuration.js';
import { UserDeclarations } from '../../../src/process/user-declarations.js';

test('what the default user is anyway is taken', () => {
  const users = new UserDeclarations();
  expect(users.declare(['user', 'default', 'on', 'nopass', '~*', '&*', '+@all'])).toBeUndefined();
});

test('a password of the default user becomes requirepass', () => {
  const users = new UserDeclarations();
  expect(users.declare(['user', 'default', 'on', '>secret', 'allkeys', 'allcommands'])).toBeUndefined();
  const configuration = new Configuration();
  users.apply(configuration);
  expect(configuration.get('requirepass')).toBe('secret');
});

test('another user, or a rule that limits, is refused', () => {
  const users = new UserDeclarations();
  expect(users.declare(['user', 'bob', 'on'])).toMatchObject({ argument: 'bob' });
  expect(users.declare(['user', 'default', 'on', '-@dangerous'])).toMatchObject({ argument: '-@dangerous' });
});
