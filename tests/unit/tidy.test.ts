import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The house rules of the repository that a machine can check. */

const ROOT = resolve(import.meta.dirname, '../..');

/** The rooms of src/, lowest first. A file imports from its own room and from those below it, types included. */
const LAYERS = [
  'memory',
  'network',
  'protocol',
  'structures',
  'keyspace',
  'types',
  'config',
  'security',
  'observability',
  'persistence',
  'server',
  'commands',
  'process',
];

const FILE_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 90;

const BANNED_IN_NAMES = /(^|[-/])(utils?|helpers?|managers?|misc|stuff)([-./]|$)/;

/** What must not be in src, with the reason that a failure prints. */
const BANNED_IN_SOURCES: readonly (readonly [RegExp, string])[] = [
  [/console\.(log|error|warn)\(/, 'the server logs through its log'],
];

/** What must not be in the code, with the reason that a failure prints. */
const BANNED_IN_CODE: readonly (readonly [RegExp, string])[] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'an unfinished thought belongs in an issue'],
  [/:\s*any\s*([;,)=\]>|]|$)|<any>|\bas any\b/, 'any switches the type checker off'],
  [/@ts-(ignore|nocheck)|@ts-expect-error(?! \w)/, 'the type checker is not to be silenced'],
  [/biome-ignore(?!.*: )/, 'an exception from the linter needs its reason'],
  [/\.(skip|only)\(/, 'a skipped test is no test'],
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function filesUnder(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && statSync(join(ROOT, path)).isFile())
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, lines: text.split('\n') };
    });
}

const sources = filesUnder('src');
const tests = filesUnder('tests');

/** The files that a file imports, or starts as a thread, relative to the repository. */
function importsOf(file: SourceFile): string[] {
  const specifiers = [...file.text.matchAll(/(?:from\s+|import\s+|new URL\()'(\.[^']+\.js)'/g)].map(
    (match) => match[1],
  );
  return specifiers.map((specifier) =>
    relative(ROOT, resolve(ROOT, dirname(file.path), specifier)).replace(/\.js$/, '.ts'),
  );
}

function layerOf(path: string): number {
  const [, folder, ...rest] = path.split('/');
  if (rest.length === 0) return LAYERS.length; // index.ts and main.ts see everything
  return LAYERS.indexOf(folder);
}

describe('house rules', () => {
  test('every room of src is one that the architecture knows', () => {
    const unknown = sources.filter((file) => layerOf(file.path) === -1).map((file) => file.path);
    expect(unknown).toEqual([]);
  });

  test('nothing imports upwards', () => {
    const upwards = sources.flatMap((file) =>
      importsOf(file)
        .filter((target) => layerOf(target) > layerOf(file.path))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  test(`no file has more than ${FILE_LINES_MAX} lines`, () => {
    const long = [...sources, ...tests]
      .filter((file) => file.lines.length > FILE_LINES_MAX + 1)
      .map((file) => `${file.path}: ${file.lines.length} lines`);
    expect(long).toEqual([]);
  });

  test(`no function has more than ${FUNCTION_LINES_MAX} lines`, () => {
    expect(sources.flatMap(longFunctions)).toEqual([]);
  });

  test('file names are of the field, in kebab case', () => {
    const bad = [...sources, ...tests]
      .map((file) => file.path)
      .filter((path) => BANNED_IN_NAMES.test(path) || !/^[a-z0-9./-]+$/.test(path));
    expect(bad).toEqual([]);
  });

  test('nothing banned is in the code', () => {
    const found = [...sources, ...tests]
      .filter((file) => !file.path.endsWith('tidy.test.ts'))
      .flatMap((file) =>
        file.lines.flatMap((line, index) =>
          bannedIn(file)
            .filter(([pattern]) => pattern.test(line))
            .map(([, reason]) => `${file.path}:${index + 1}: ${reason}: ${line.trim()}`),
        ),
      );
    expect(found).toEqual([]);
  });

  test('every export says what it is', () => {
    const bare = sources.flatMap((file) =>
      file.lines.flatMap((line, index) =>
        /^export (abstract )?(function|class|interface|type|const) /.test(line) && !isDocumented(file, index)
          ? [`${file.path}:${index + 1}: ${line.trim()}`]
          : [],
      ),
    );
    expect(bare).toEqual([]);
  });

  test('no file is dead', () => {
    const used = new Set([...sources, ...tests].flatMap(importsOf));
    const entryPoints = ['src/index.ts', 'src/main.ts', 'src/check-aof.ts', 'src/check-rdb.ts'];
    const dead = sources
      .map((file) => file.path)
      .filter((path) => !used.has(path) && !entryPoints.includes(path));
    expect(dead).toEqual([]);
  });
});

function bannedIn(file: SourceFile): readonly (readonly [RegExp, string])[] {
  return file.path.startsWith('src') ? [...BANNED_IN_CODE, ...BANNED_IN_SOURCES] : BANNED_IN_CODE;
}

/** Whether a doc comment, or the trailing comment of a constant in a documented run, precedes a line. */
function isDocumented(file: SourceFile, index: number): boolean {
  const line = file.lines[index];
  const before = file.lines[index - 1] ?? '';
  if (before.trim().endsWith('*/') || / \/\/ /.test(line)) return true;
  // Constants of one family follow each other under one comment; an event's name is what there is to say of it.
  if (/^export const [A-Z_0-9]+\b/.test(line) && /^(export )?const [A-Z_0-9]+\b/.test(before)) return true;
  if (/^export const EVENT_\w+ = keyEvent\(/.test(line)) return true;
  // Entries and handlers are described by the command table, its summaries included.
  return /^export (const \w+([cC]ommands|Subcommands)\b|function \w+\(.*: CommandContext\))/.test(line);
}

/** The functions and methods of a file that are too long. Formatting tells where they begin and end. */
function longFunctions(file: SourceFile): string[] {
  const found: string[] = [];
  file.lines.forEach((line, index) => {
    const start =
      /^( {0,2})(?:export )?(?:static |private |async |override |get |set )*(?:function )?\w+[<(].*\{$/.exec(
        line,
      );
    if (start === null || /^\s*(if|for|while|switch|return|do)\b/.test(line)) return;
    const end = file.lines.findIndex((other, at) => at > index && other === `${start[1]}}`);
    if (end - index > FUNCTION_LINES_MAX) found.push(`${file.path}:${index + 1}: ${end - index} lines`);
  });
  return found;
}
