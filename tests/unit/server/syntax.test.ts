import { describe, expect, it } from 'vitest';
import { type ArgumentDoc, argumentCounts, parseSyntax } from '../../../src/server/syntax.js';

/** The parts of a doc that are not at their default. */
function brief(doc: ArgumentDoc): Record<string, unknown> {
  const shown: Record<string, unknown> = { name: doc.name, type: doc.type };
  if (doc.displayText !== undefined && doc.displayText !== doc.name) shown.displayText = doc.displayText;
  for (const part of ['keySpecIndex', 'token', 'since', 'deprecatedSince'] as const) {
    if (doc[part] !== undefined) shown[part] = doc[part];
  }
  for (const flag of ['optional', 'multiple', 'multipleToken'] as const) if (doc[flag]) shown[flag] = true;
  if (doc.arguments.length > 0) shown.arguments = doc.arguments.map(brief);
  return shown;
}

function parsed(text: string): unknown {
  return parseSyntax(text).map(brief);
}

describe('parseSyntax', () => {
  it('takes types from well-known names, from the notation, or string', () => {
    expect(parsed('key count member increment:double')).toEqual([
      { name: 'key', type: 'key', keySpecIndex: 0 },
      { name: 'count', type: 'integer' },
      { name: 'member', type: 'string' },
      { name: 'increment', type: 'double' },
    ]);
  });

  it('reads words, alternatives and what may be left out', () => {
    expect(parsed('[condition:(NX | XX)@2.6.12] [GET@6.2.0] [change:CH]')).toEqual([
      {
        name: 'condition',
        type: 'oneof',
        since: '2.6.12',
        optional: true,
        arguments: [
          { name: 'nx', type: 'pure-token', token: 'NX' },
          { name: 'xx', type: 'pure-token', token: 'XX' },
        ],
      },
      { name: 'get', type: 'pure-token', token: 'GET', since: '6.2.0', optional: true },
      { name: 'change', type: 'pure-token', token: 'CH', optional: true },
    ]);
  });

  it('gives a word to the argument behind it, unless that is optional or the word has a name', () => {
    expect(parsed('EX seconds FULL [count] entries:ENTRIES id')).toEqual([
      { name: 'seconds', type: 'integer', token: 'EX' },
      { name: 'full', type: 'pure-token', token: 'FULL' },
      { name: 'count', type: 'integer', optional: true },
      { name: 'entries', type: 'pure-token', token: 'ENTRIES' },
      { name: 'id', type: 'string' },
    ]);
  });

  it('reads groups, named themselves or after the word before them', () => {
    expect(parsed('data:{score member}... [LIMIT {offset count}]')).toEqual([
      {
        name: 'data',
        type: 'block',
        multiple: true,
        arguments: [
          { name: 'score', type: 'double' },
          { name: 'member', type: 'string' },
        ],
      },
      {
        name: 'limit',
        type: 'block',
        token: 'LIMIT',
        optional: true,
        arguments: [
          { name: 'offset', type: 'integer' },
          { name: 'count', type: 'integer' },
        ],
      },
    ]);
  });

  it('reads repetitions of an argument, with its word or without', () => {
    expect(parsed('[WEIGHTS weight:integer...] [GET... get-pattern/pattern:pattern#1]')).toEqual([
      { name: 'weight', type: 'integer', token: 'WEIGHTS', optional: true, multiple: true },
      {
        name: 'get-pattern',
        type: 'pattern',
        displayText: 'pattern',
        keySpecIndex: 1,
        token: 'GET',
        optional: true,
        multiple: true,
        multipleToken: true,
      },
    ]);
  });

  it('counts keys up, through groups too, unless a key says which spec finds it', () => {
    const [first, group, last] = parseSyntax('source data:{key destination}... other:key#7');
    expect(first.keySpecIndex).toBe(0);
    expect(group.arguments.map((doc) => doc.keySpecIndex)).toEqual([1, 2]);
    expect(last.keySpecIndex).toBe(7);
  });

  it('reads quoted words, quoted display texts and deprecations', () => {
    expect(parsed('id-selector:(auto-id:"*" | empty:"") [old-format/"ip:port"!2.8.12]')).toEqual([
      {
        name: 'id-selector',
        type: 'oneof',
        arguments: [
          { name: 'auto-id', type: 'pure-token', token: '*' },
          { name: 'empty', type: 'pure-token', token: '' },
        ],
      },
      {
        name: 'old-format',
        type: 'string',
        displayText: 'ip:port',
        deprecatedSince: '2.8.12',
        optional: true,
      },
    ]);
  });

  it.each([
    ['', 'no argument at column 1'],
    ['key [count', "expected ']'"],
    ['[key count]', 'several arguments in brackets'],
    ['(NX | XX)', 'a group needs a name'],
    ['mode:(NX | a b)', "expected '|' or ')'"],
    ['data:{key', 'expected an argument'],
    ['data:{}', 'no argument'],
    ['count:number', "unknown type 'number'"],
    ['GET...', 'a word alone is not repeated'],
    ['name:GET...', 'a word alone is not repeated'],
    ['EX at:NX', 'two words for one argument'],
    ['key key', 'two arguments of the same name'],
    ['key % count', 'unreadable at column 4'],
    ['key@6.2', 'unreadable at column 4'],
    ['key ]', 'expected an argument'],
  ])('refuses %j', (text, problem) => {
    expect(() => parseSyntax(text)).toThrow(problem);
    expect(() => parseSyntax(text)).toThrow(`syntax '${text}'`);
  });
});

describe('argumentCounts', () => {
  it.each([
    ['key value', 2, 2],
    ['key [EX seconds]', 1, 3],
    ['key...', 1, Number.POSITIVE_INFINITY],
    ['data:{key value}...', 2, Number.POSITIVE_INFINITY],
    ['key [LIMIT {offset count}] [WITHSCORES]', 1, 5],
    ['from:(FROMMEMBER member | FROMLONLAT {longitude latitude})', 2, 3],
    ['filter:([ID client-id] | id)...', 1, Number.POSITIVE_INFINITY],
    ['AGGREGATE (SUM | MIN)', 2, 2],
    ['x:(ids:{id...} | NONE)', 1, Number.POSITIVE_INFINITY],
  ])('of %j are %d to %d', (text, least, most) => {
    expect(argumentCounts(parseSyntax(text))).toEqual({ least, most });
  });
});
