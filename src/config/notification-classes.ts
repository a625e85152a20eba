/**
 * Classes of keyspace events, one bit each (the bits of Redis's NOTIFY_* constants), and the letters that stand for
 * them in `notify-keyspace-events`.
 */
export const NotificationClass = {
  keyspace: 1 << 0,
  keyevent: 1 << 1,
  generic: 1 << 2,
  string: 1 << 3,
  list: 1 << 4,
  set: 1 << 5,
  hash: 1 << 6,
  sortedSet: 1 << 7,
  expired: 1 << 8,
  evicted: 1 << 9,
  stream: 1 << 10,
  keyMiss: 1 << 11,
  module: 1 << 13,
  newKey: 1 << 14,
} as const;

/** The letters that `A` stands for, in the order in which CONFIG GET prints them. */
const LETTERS_OF_ALL: readonly (readonly [string, number])[] = [
  ['g', NotificationClass.generic],
  ['$', NotificationClass.string],
  ['l', NotificationClass.list],
  ['s', NotificationClass.set],
  ['h', NotificationClass.hash],
  ['z', NotificationClass.sortedSet],
  ['x', NotificationClass.expired],
  ['e', NotificationClass.evicted],
  ['t', NotificationClass.stream],
  ['d', NotificationClass.module],
];

/** `A` is printed for these bits; Redis then leaves out `n`, though it stays set. */
const ALL = LETTERS_OF_ALL.reduce((bits, [, bit]) => bits | bit, 0);

const NEW_KEY_LETTER: readonly [string, number] = ['n', NotificationClass.newKey];

const OTHER_LETTERS: readonly (readonly [string, number])[] = [
  ['K', NotificationClass.keyspace],
  ['E', NotificationClass.keyevent],
  ['m', NotificationClass.keyMiss],
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
