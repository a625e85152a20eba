import { quoteArgument } from '../protocol/inline.js';
import { type ByteString, beforeNul, bytesOf, decodeByteString, encodeByteString } from './byte-string.js';
import type { Codec, Codecs, Rejection, Setting } from './codec.js';
import type {
  Bound,
  EnumDirective,
  EnumSetDirective,
  NumberDirective,
  StringDirective,
} from './directive.js';
import { formatMemory, parseInteger, parseLenientInteger, parseMemory } from './numbers.js';

/** How directives without a syntax of their own are read, shown and written: yes or no, numbers, words, texts. */

type PlainKind = 'boolean' | NumberDirective['kind'] | 'enum' | 'enum-set' | StringDirective['kind'];

function yesOrNo(value: boolean): Setting<boolean> {
  return { value, text: value ? 'yes' : 'no' };
}

const booleanCodec: Codecs<'boolean'>['boolean'] = {
  initial: (directive) => yesOrNo(directive.default),
  parse([argument]) {
    const word = beforeNul(argument).toLowerCase();
    if (word !== 'yes' && word !== 'no') return { rejection: "argument must be 'yes' or 'no'" };
    return yesOrNo(word === 'yes');
  },
  rewrite: (name, { value, text }, directive) => [
    { line: `${name} ${text}`, isDefault: value === directive.default },
  ],
};

/** Prints a number as CONFIG GET does; `memory` is unsigned even where its type is not. */
function formatNumber(value: Bound, kind: NumberDirective['kind']): ByteString {
  if (kind === 'octal') return value.toString(8);
  if (kind === 'memory-or-percent' && value < 0) return `${-value}%`;
  return String(value);
}

function parseNumber(argument: ByteString, kind: NumberDirective['kind']): bigint | Rejection {
  switch (kind) {
    case 'integer':
      return parseInteger(argument) ?? { rejection: "argument couldn't be parsed into an integer" };
    case 'octal': {
      const number = parseLenientInteger(argument, 8);
      return number === undefined || number.isOutOfRange
        ? { rejection: "argument couldn't be parsed as an octal number" }
        : number.value;
    }
    case 'memory':
      return parseMemory(argument) ?? { rejection: 'argument must be a memory value' };
    case 'memory-or-percent': {
      const percent = argument.endsWith('%') ? parseInteger(argument.slice(0, -1)) : undefined;
      if (percent !== undefined && percent >= 0) return -percent;
      return parseMemory(argument) ?? { rejection: 'argument must be a memory or percent value' };
    }
  }
}

function checkRange(value: bigint, { kind, range: [min, max] }: NumberDirective): Rejection | undefined {
  if (value >= min && value <= max) return undefined;
  if (kind === 'memory-or-percent' && value < 0) {
    return { rejection: `percentage argument must be less or equal to ${-min}` };
  }
  const base = kind === 'octal' ? 8 : 10;
  return { rejection: `argument must be between ${min.toString(base)} and ${max.toString(base)} inclusive` };
}

const numberCodec: Codec<NumberDirective, number> = {
  initial: (directive) => ({
    value: directive.default,
    text: formatNumber(directive.default, directive.kind),
  }),
  parse([argument], directive, { isCommand }) {
    const parsed = parseNumber(argument, directive.kind);
    if (typeof parsed !== 'bigint') return parsed;
    const isUnsigned = BigInt(directive.range[1]) >= 2n ** 63n;
    const value = isUnsigned ? BigInt.asUintN(64, parsed) : BigInt.asIntN(64, parsed);
    const rejection = checkRange(value, directive);
    if (rejection !== undefined) return rejection;
    const [min, max] = directive.clamp ??
      (isCommand ? directive.clampOnSet : undefined) ?? [-Infinity, Infinity];
    const clamped = value < min ? min : value > max ? max : value;
    return { value: Number(clamped), text: formatNumber(clamped, directive.kind) };
  },
  rewrite(name, { value, text }, directive) {
    const isMemory = directive.kind === 'memory' || (directive.kind === 'memory-or-percent' && value >= 0);
    // Redis writes an amount beyond 2^63 - 1 as a negative number, which it then refuses to read; this one is readable.
    const written = isMemory ? formatMemory(BigInt(text)) : text;
    return [{ line: `${name} ${written}`, isDefault: value === directive.default }];
  },
};

/** The word of a list that an argument is, in the list's spelling. */
function findWord(argument: ByteString, words: readonly string[]): string | undefined {
  const wanted = beforeNul(argument).toLowerCase();
  return words.find((word) => word === wanted);
}

function rejectWords(words: readonly string[]): Rejection {
  return { rejection: `argument(s) must be one of the following: ${words.join(', ')}` };
}

const enumCodec: Codec<EnumDirective, string> = {
  initial: (directive) => ({ value: directive.default, text: directive.default }),
  parse([argument], directive) {
    const word = findWord(argument, directive.values);
    if (word === undefined) return rejectWords(directive.values);
    const value = directive.synonyms?.[word] ?? word;
    return { value, text: value };
  },
  rewrite: (name, { value, text }, directive) => [
    { line: `${name} ${text}`, isDefault: value === directive.default },
  ],
};

function wordSet(value: readonly string[], directive: EnumSetDirective): Setting<readonly string[]> {
  return { value, text: value.length === 0 ? directive.none : value.join(' ') };
}

const enumSetCodec: Codec<EnumSetDirective, readonly string[]> = {
  initial: (directive) => wordSet(directive.default, directive),
  parse(args, directive) {
    const words = [directive.none, ...directive.values];
    const given = args.map((argument) => findWord(argument, words));
    if (given.length === 0 || given.includes(undefined)) return rejectWords(words);
    const { exclusive } = directive;
    if (exclusive?.values.every((word) => given.includes(word))) return { rejection: exclusive.rejection };
    return wordSet(
      directive.values.filter((word) => given.includes(word)),
      directive,
    );
  },
  rewrite: (name, setting, directive) => [
    {
      line: `${name} ${setting.text}`,
      isDefault: setting.text === wordSet(directive.default, directive).text,
    },
  ],
};

/** The lines for a text; shared with the directives that are a text with a meaning. */
export function rewriteString(
  name: ByteString,
  text: ByteString,
  defaultText: ByteString,
  emptyIsUnset: boolean,
): { line: ByteString; isDefault: boolean }[] {
  if (emptyIsUnset && text === '') return [];
  return [
    { line: `${name} ${quoteArgument(bytesOf(text))}`, isDefault: !emptyIsUnset && text === defaultText },
  ];
}

const stringCodec: Codec<StringDirective, string> = {
  initial: (directive) => ({ value: directive.default, text: encodeByteString(directive.default) }),
  parse([argument], directive) {
    const rejection = directive.check?.(argument);
    if (rejection !== undefined) return { rejection };
    const text = directive.kind === 'bytes' ? argument : beforeNul(argument);
    return { value: directive.kind === 'bytes' ? text : decodeByteString(text), text };
  },
  rewrite: (name, { text }, directive) =>
    rewriteString(name, text, encodeByteString(directive.default), directive.emptyIsUnset ?? false),
};

/** The codec of each kind without a syntax of its own. */
export const plainCodecs: Codecs<PlainKind> = {
  boolean: booleanCodec,
  integer: numberCodec,
  memory: numberCodec,
  'memory-or-percent': numberCodec,
  octal: numberCodec,
  enum: enumCodec,
  'enum-set': enumSetCodec,
  string: stringCodec,
  bytes: stringCodec,
};
