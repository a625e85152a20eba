import { describe, expect, expectTypeOf, test } from 'vitest';
import { Configuration, findDirective } from '../../../src/config/configuration.js';
import type { SavePoint } from '../../../src/config/directive.js';
import { directives, directiveThemes } from '../../../src/config/directives.js';

describe('the table of directives', () => {
  test('holds every directive of Redis 8.0.6 once', () => {
    // 203 names are shown by CONFIG GET *, 28 of them aliases; 9 directives are hidden.
    const inThemes = Object.values(directiveThemes).flatMap((theme) => Object.keys(theme));
    expect(new Set(inThemes).size).toBe(inThemes.length);
    expect(directives.size).toBe(inThemes.length);
    expect(new Configuration().getMatching(['*'])).toHaveLength(203);
    const hidden = [...directives.values()].filter(({ flags }) => flags?.includes('hidden'));
    expect(hidden).toHaveLength(9);
  });

  test('has names and aliases in lower case, none of them twice', () => {
    const names = [...directives].flatMap(([name, { alias }]) =>
      alias === undefined ? [name] : [name, alias],
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_-]*$/);
  });

  test('has defaults that could be set', () => {
    const configuration = new Configuration();
    for (const [name, { flags }] of directives) {
      if (name === 'replicaof') continue;
      const text = configuration.text(name);
      const value = configuration.values[name];
      const args = flags?.includes('multiple-arguments') && text !== '' ? text.split(' ') : [text];
      expect([name, configuration.override(name, args)]).toEqual([name, undefined]);
      expect([name, configuration.text(name), configuration.values[name]]).toEqual([name, text, value]);
    }
  });

  test('gives values their exact types', () => {
    const configuration = new Configuration();
    expectTypeOf(configuration.get('maxclients')).toEqualTypeOf<number>();
    expectTypeOf(configuration.values.maxmemory).toEqualTypeOf<number>();
    expectTypeOf(configuration.get('appendfsync')).toEqualTypeOf<'everysec' | 'always' | 'no'>();
    expectTypeOf(configuration.get('oom-score-adj')).toEqualTypeOf<'no' | 'yes' | 'absolute'>();
    expectTypeOf(configuration.get('appendonly')).toEqualTypeOf<boolean>();
    expectTypeOf(configuration.get('requirepass')).toEqualTypeOf<string>();
    expectTypeOf(configuration.get('save')).toEqualTypeOf<readonly SavePoint[]>();
    expectTypeOf(configuration.get('shutdown-on-sigint')).toEqualTypeOf<
      readonly ('save' | 'nosave' | 'now' | 'force')[]
    >();
    // @ts-expect-error there is no such directive
    expect(configuration.get('no-such-directive')).toBeUndefined();
  });

  test('is found by name and alias, in any case', () => {
    expect(findDirective('MaxMemory')).toBe('maxmemory');
    expect(findDirective('SLAVEOF')).toBe('replicaof');
    expect(findDirective('lua-time-limit')).toBe('busy-reply-threshold');
    expect(findDirective('include')).toBeUndefined();
  });
});
