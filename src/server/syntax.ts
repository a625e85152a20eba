/**
 * The notation in which a command's entry states its arguments, and its parser. It reads as the command is typed:
 *
 *     key value [condition:(NX | XX)@2.6.12] [GET@6.2.0] [expiration:(EX seconds | PX milliseconds | KEEPTTL)]
 *
 *     member              an argument; a string, or what its name stands for (see `TYPE_BY_NAME`)
 *     increment:double    an argument of this type
 *     keys/key            an argument shown to people under another name; `name/"ip:port"` when that is no plain word
 *     NX                  a word typed as it stands, named `nx`
 *     change:CH           the same, named `change`; `equal:"="` when it is not made of capital letters
 *     EX seconds          an argument behind a word that introduces it
 *     order:(ASC | DESC)  one of these
 *     data:{score member} these together
 *     LIMIT {offset count}  behind a word, an unnamed group is named after the word: `limit`
 *     [x]                 may be left out
 *     x...                may be repeated; in `GET... pattern` the word is repeated too
 *     x@6.2.0             since this version;  `x!2.8.12`: deprecated since this version
 *     x#1                 is found by the second key spec; keys without this count up from 0
 */

/** The types that COMMAND DOCS knows. */
export type ArgumentType =
  | 'string'
  | 'integer'
  | 'double'
  | 'key'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block';

/** One argument as COMMAND DOCS shows it. What an argument does not have is undefined, false or empty. */
export interface ArgumentDoc {
  readonly name: string;
  readonly type: ArgumentType;
  /** The name shown to people. Undefined for `oneof` and `block`. */
  readonly displayText: string | undefined;
  /** Which of the command's key specs finds this argument. */
  readonly keySpecIndex: number | undefined;
  /** The word typed before the argument, or for a `pure-token` as the argument. */
  readonly token: string | undefined;
  readonly since: string | undefined;
  readonly deprecatedSince: string | undefined;
  readonly optional: boolean;
  readonly multiple: boolean;
  /** The token is repeated with every repetition. */
  readonly multipleToken: boolean;
  /** The alternatives of a `oneof`, the members of a `block`. */
  readonly arguments: readonly ArgumentDoc[];
}

/** The types of arguments that do not say theirs; all other names stand for strings. */
const TYPE_BY_NAME: ReadonlyMap<string, ArgumentType> = new Map([
  ['key', 'key'],
  ['source', 'key'],
  ['destination', 'key'],
  ['destkey', 'key'],
  ['newkey', 'key'],
  ['pattern', 'pattern'],
  ['cursor', 'integer'],
  ['count', 'integer'],
  ['numkeys', 'integer'],
  ['numfields', 'integer'],
  ['offset', 'integer'],
  ['index', 'integer'],
  ['seconds', 'integer'],
  ['milliseconds', 'integer'],
  ['port', 'integer'],
  ['slot', 'integer'],
  ['unix-time-seconds', 'unix-time'],
  ['unix-time-milliseconds', 'unix-time'],
  ['longitude', 'double'],
  ['latitude', 'double'],
  ['radius', 'double'],
  ['width', 'double'],
  ['height', 'double'],
  ['score', 'double'],
]);

const WRITABLE_TYPES: ReadonlySet<string> = new Set([
  'string',
  'integer',
  'double',
  'key',
  'pattern',
  'unix-time',
]);

/**
 * The arguments that `text` describes. Throws an Error that quotes the text and the place of the mistake when it is
 * not in the notation.
 */
export function parseSyntax(text: string): readonly ArgumentDoc[] {
  return new SyntaxParser(text).parse();
}

/** How many arguments a call has that follows `docs`, the command's own name not counted. `most` may be Infinity. */
export function argumentCounts(docs: readonly ArgumentDoc[]): { least: number; most: number } {
  let least = 0;
  let most = 0;
  for (const doc of docs) {
    const own = ownCounts(doc);
    if (!doc.optional) least += own.least;
    most += doc.multiple ? Number.POSITIVE_INFINITY : own.most;
  }
  return { least, most };
}

/** The counts of `doc` given once, its token with it. Of alternatives one is given, even when they are optional. */
function ownCounts(doc: ArgumentDoc): { least: number; most: number } {
  if (doc.type === 'pure-token') return { least: 1, most: 1 };
  const token = doc.token === undefined ? 0 : 1;
  if (doc.type === 'block') {
    const members = argumentCounts(doc.arguments);
    return { least: token + members.least, most: token + members.most };
  }
  if (doc.type !== 'oneof') return { least: token + 1, most: token + 1 };
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const alternative of doc.arguments) {
    const own = ownCounts(alternative);
    least = Math.min(least, own.least);
    most = alternative.multiple ? Number.POSITIVE_INFINITY : Math.max(most, own.most);
  }
  return { least: token + least, most: token + most };
}

/** The kinds of symbols, in the order of the groups of `SYMBOL`. */
const SYMBOL_KINDS = ['sign', 'quoted', 'since', 'deprecated', 'keySpec', 'word', 'token', 'end'] as const;

type SymbolKind = (typeof SYMBOL_KINDS)[number];

const SYMBOL =
  /\s*(?:(\.\.\.|[[\](){}|:/])|"([^"]*)"|@(\d+\.\d+\.\d+)|!(\d+\.\d+\.\d+)|#(\d+)|([a-z][a-z0-9_-]*)|([A-Z][A-Z0-9_-]*)|($))/y;

interface NotationSymbol {
  readonly kind: SymbolKind;
  readonly text: string;
  /** Where it starts in the notation, in characters. */
  readonly position: number;
}

/** An argument while its parts are being read. */
type Draft = { -readonly [Key in keyof ArgumentDoc]: ArgumentDoc[Key] };

/** A recursive-descent parser; each method reads one rule of the notation and stops behind it. */
class SyntaxParser {
  readonly #text: string;
  readonly #symbols: readonly NotationSymbol[];
  #next = 0;
  #keyCount = 0;

  constructor(text: string) {
    this.#text = text;
    this.#symbols = this.#scan();
  }

  parse(): readonly ArgumentDoc[] {
    return this.#sequence('');
  }

  #scan(): readonly NotationSymbol[] {
    const symbols: NotationSymbol[] = [];
    SYMBOL.lastIndex = 0;
    for (;;) {
      const position = SYMBOL.lastIndex;
      const groups = SYMBOL.exec(this.#text);
      if (groups === null) {
        throw new Error(`syntax '${this.#text}': unreadable at column ${position + 1}`);
      }
      const group = groups.findIndex((text, index) => index > 0 && text !== undefined);
      const kind = SYMBOL_KINDS[group - 1];
      symbols.push({ kind, text: groups[group], position });
      if (kind === 'end') return symbols;
    }
  }

  /** Arguments up to the sign `closing`, which is read too; up to the end when that is empty. */
  #sequence(closing: string): readonly ArgumentDoc[] {
    const docs: ArgumentDoc[] = [];
    while (!this.#isAtEndOf(closing)) docs.push(this.#argument());
    if (docs.length === 0) this.#fail('no argument');
    const names = new Set(docs.map((doc) => doc.name));
    if (names.size < docs.length) this.#fail('two arguments of the same name');
    return docs;
  }

  #isAtEndOf(closing: string): boolean {
    if (closing !== '') return this.#takeSign(closing);
    return this.#symbol().kind === 'end';
  }

  #argument(): ArgumentDoc {
    if (!this.#takeSign('[')) return this.#required();
    const doc = { ...this.#required(), optional: true };
    if (!this.#takeSign(']'))
      this.#fail("expected ']' (several arguments in brackets are a group: name:{…})");
    return doc;
  }

  #required(): ArgumentDoc {
    const draft = this.#value();
    if (draft.type === 'key') draft.keySpecIndex = this.#keyCount++;
    if (this.#takeSign('...')) {
      if (draft.type === 'pure-token') this.#fail('a word alone is not repeated');
      draft.multiple = true;
    }
    for (;;) {
      const symbol = this.#symbol();
      if (symbol.kind === 'since') draft.since = symbol.text;
      else if (symbol.kind === 'deprecated') draft.deprecatedSince = symbol.text;
      else if (symbol.kind === 'keySpec') draft.keySpecIndex = Number(symbol.text);
      else return draft;
      this.#next++;
    }
  }

  /** An argument without the marks that may follow it. */
  #value(): Draft {
    const symbol = this.#symbol();
    if (symbol.kind !== 'token' && symbol.kind !== 'quoted') return this.#tokenless('');
    this.#next++;
    const repeatsToken = this.#isSign('...') && this.#takeSign('...');
    if (!this.#startsValue()) {
      if (repeatsToken) this.#fail('a word alone is not repeated');
      return pureToken(symbol.text.toLowerCase(), symbol.text);
    }
    const draft = this.#tokenless(symbol.text.toLowerCase());
    if (draft.token !== undefined) this.#fail('two words for one argument');
    draft.token = symbol.text;
    draft.multiple = repeatsToken;
    draft.multipleToken = repeatsToken;
    return draft;
  }

  #startsValue(): boolean {
    return this.#symbol().kind === 'word' || this.#isSign('(') || this.#isSign('{');
  }

  /** An argument from its name on. A group may do without one when there is a `defaultName`. */
  #tokenless(defaultName: string): Draft {
    if (this.#isSign('(') || this.#isSign('{')) {
      if (defaultName === '') this.#fail('a group needs a name');
      return this.#group(defaultName);
    }
    const name = this.#take('word', 'an argument');
    const displayText = this.#takeSign('/') ? this.#displayText() : name;
    if (!this.#takeSign(':')) return draftOf(name, TYPE_BY_NAME.get(name) ?? 'string', displayText);
    if (this.#isSign('(') || this.#isSign('{')) return this.#group(name);
    const symbol = this.#symbol();
    this.#next++;
    if (symbol.kind === 'token' || symbol.kind === 'quoted') return pureToken(name, symbol.text);
    if (!WRITABLE_TYPES.has(symbol.text)) this.#fail(`unknown type '${symbol.text}'`);
    return draftOf(name, symbol.text as ArgumentType, displayText);
  }

  #displayText(): string {
    return this.#symbol().kind === 'quoted' ? this.#take('quoted', '') : this.#take('word', 'a name to show');
  }

  #group(name: string): Draft {
    if (this.#takeSign('{')) {
      const block = draftOf(name, 'block', undefined);
      block.arguments = this.#sequence('}');
      return block;
    }
    this.#takeSign('(');
    const alternatives: ArgumentDoc[] = [];
    do alternatives.push(this.#argument());
    while (this.#takeSign('|'));
    if (!this.#takeSign(')'))
      this.#fail("expected '|' or ')' (several arguments together are a group: name:{…})");
    const oneOf = draftOf(name, 'oneof', undefined);
    oneOf.arguments = alternatives;
    return oneOf;
  }

  #symbol(): NotationSymbol {
    return this.#symbols[this.#next];
  }

  #isSign(text: string): boolean {
    const symbol = this.#symbol();
    return symbol.kind === 'sign' && symbol.text === text;
  }

  #takeSign(text: string): boolean {
    const isNext = this.#isSign(text);
    if (isNext) this.#next++;
    return isNext;
  }

  #take(kind: SymbolKind, expected: string): string {
    const symbol = this.#symbol();
    if (symbol.kind !== kind) this.#fail(`expected ${expected}`);
    this.#next++;
    return symbol.text;
  }

  #fail(problem: string): never {
    throw new Error(`syntax '${this.#text}': ${problem} at column ${this.#symbol().position + 1}`);
  }
}

function draftOf(name: string, type: ArgumentType, displayText: string | undefined): Draft {
  return {
    name,
    type,
    displayText,
    keySpecIndex: undefined,
    token: undefined,
    since: undefined,
    deprecatedSince: undefined,
    optional: false,
    multiple: false,
    multipleToken: false,
    arguments: [],
  };
}

function pureToken(name: string, token: string): Draft {
  const draft = draftOf(name, 'pure-token', name);
  draft.token = token;
  return draft;
}
