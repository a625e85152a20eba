import {
  type RecordReference,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STRING,
  type ValueType,
} from '../../../keyspace/record.js';
import type { Server } from '../../../server/server.js';
import type { Types } from '../../../types/types.js';
import { type KeySample, sampleKeys } from './key-sample.js';
import type { InfoField, InfoSection } from './section.js';

/** Keys that one INFO measures, of all databases together: about a millisecond's worth. */
const SAMPLED_KEYS_MAX = 16384;

/** What the sizes of a type are called, and how a value is measured. */
interface SizedType {
  readonly type: ValueType;
  readonly title: string;
  readonly sizeOf: (types: Types, record: RecordReference) => number;
}

/** The types in the order in which they are shown. */
const SIZED_TYPES: readonly SizedType[] = [
  { type: TYPE_STRING, title: 'strings_sizes', sizeOf: ({ strings }, record) => strings.byteLength(record) },
  { type: TYPE_LIST, title: 'lists_items', sizeOf: ({ lists }, record) => lists.length(record) },
  { type: TYPE_SET, title: 'sets_items', sizeOf: ({ sets }, record) => sets.count(record) },
  {
    type: TYPE_SORTED_SET,
    title: 'zsets_items',
    sizeOf: ({ sortedSets }, record) => sortedSets.count(record),
  },
  { type: TYPE_HASH, title: 'hashes_items', sizeOf: ({ hashes }, record) => hashes.count(record) },
];

/**
 * How many keys have values of which size, by powers of two: bytes of strings, elements of other types. Redis keeps
 * these counts with every change; here they are counted when asked for, which costs commands nothing.
 */
export const keySizesSection: InfoSection = {
  name: 'keysizes',
  title: 'Keysizes',
  shownBy: 'default',
  *fields(server) {
    for (const sample of sampleKeys(server, SAMPLED_KEYS_MAX)) yield* distributions(server, sample);
  },
};

function* distributions(
  server: Server,
  { database, keysPerRecord, records }: KeySample,
): Generator<InfoField> {
  const { types, keyspace } = server;
  for (const { type, title, sizeOf } of SIZED_TYPES) {
    const counts: number[] = [];
    for (const record of records) {
      if (keyspace.records.type(record) !== type) continue;
      const size = sizeOf(types, record);
      const step = size === 0 ? 0 : Math.floor(Math.log2(size)) + 1;
      counts[step] = (counts[step] ?? 0) + 1;
    }
    // Steps without keys are holes in the array, which flatMap leaves out.
    const shown = counts.flatMap((count, step) => `${stepName(step)}=${Math.round(count * keysPerRecord)}`);
    if (shown.length > 0) yield [`db${database.index}_distrib_${title}`, shown.join(',')];
  }
}

/** The least size of a step: `0`, `1`, `2`, …, `512`, `1K`, … */
function stepName(step: number): string {
  if (step === 0) return '0';
  const power = step - 1;
  return `${2 ** (power % 10)}${['', 'K', 'M', 'G', 'T', 'P', 'E'][Math.floor(power / 10)]}`;
}
