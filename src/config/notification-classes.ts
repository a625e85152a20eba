import {
  NOTIFY_EVICTED,
  NOTIFY_EXPIRED,
  NOTIFY_GENERIC,
  NOTIFY_HASH,
  NOTIFY_KEY_MISS,
  NOTIFY_KEYEVENT,
  NOTIFY_KEYSPACE,
  NOTIFY_LIST,
  NOTIFY_MODULE,
  NOTIFY_NEW,
  NOTIFY_SET,
  NOTIFY_SORTED_SET,
  NOTIFY_STREAM,
  NOTIFY_STRING,
} from '../keyspace/events.js';

/** The letters that `A` stands for, in the order in which CONFIG GET prints them. */
const LETTERS_OF_ALL: readonly (readonly [string, number])[] = [
  ['g', NOTIFY_GENERIC],
  ['$', NOTIFY_STRING],
  ['l', NOTIFY_LIST],
  ['s', NOTIFY_SET],
  ['h', NOTIFY_HASH],
  ['z', NOTIFY_SORTED_SET],
  ['x', NOTIFY_EXPIRED],
  ['e', NOTIFY_EVICTED],
  ['t', NOTIFY_STREAM],
  ['d', NOTIFY_MODULE],
];

/** `A` is printed for these bits; Redis then leaves out `n`, though it stays set. */
const ALL = LETTERS_OF_ALL.reduce((bits, [, bit]) => bits | bit, 0);

const NEW_KEY_LETTER: readonly [string, number] = ['n', NOTIFY_NEW];

const OTHER_LETTERS: readonly (readonly [string, number])[] = [
  ['K', NOTIFY_KEYSPACE],
  ['E', NOTIFY_KEYEVENT],
  ['m', NOTIFY_KEY_MISS],
];

const BITS_OF_LETTER: ReadonlyMap<string, number> = new Map([
  ['A', ALL],
  ...LETTERS_OF_ALL,
  NEW_KEY_LETTER,
  ...OTHER_LETTERS,
]);

/** The bits that some letters stand for; undefined when one of them stands for nothing. */
export function parseNotificationClasses(letters: string): number | undefined {
  let bits = 0;
  for (const letter of letters) {
    const bit = BITS_OF_LETTER.get(letter);
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}

/** The letters for some bits, as CONFIG GET prints them. */
export function formatNotificationClasses(bits: number): string {
  const first: typeof OTHER_LETTERS =
    (bits & ALL) === ALL ? [['A', ALL]] : [...LETTERS_OF_ALL, NEW_KEY_LETTER];
  return [...first, ...OTHER_LETTERS]
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([letter]) => letter)
    .join('');
}
