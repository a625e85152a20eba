import { type RecordReference, TYPE_STRING, type ValueType } from '../../../keyspace/record.js';
import type { Server } from '../../../server/server.js';
import type { Types } from '../../../types/types.js';
import { type KeySample, sampleKeys } from './key-sample.js';
import type { InfoField, InfoSection } from './section.js';

/** Keys that one INFO measures, of all databases together: about a millisecond's worth. */
const SAMPLED_KEYS_MAX = 16384;

/** What the sizes of a type are called in `keysizes`, and how a value is measured. */
interface SizedType {
  readonly title: string;
  readonly sizeOf: (types: Types, record: RecordReference) => number;
}

/** The types in the order in which they are shown. */
const SIZED_TYPES: ReadonlyMap<ValueType, SizedType> = new Map([
  [
    TYPE_STRING,
    { title: 'distrib_strings_sizes', sizeOf: ({ strings }, record) => strings.byteLength(record) },
  ],
]);

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
  const counts = new Map<ValueType, number[]>();
  for (const record of records) {
    const type = keyspace.records.type(record);
    const size = SIZED_TYPES.get(type)?.sizeOf(types, record);
    if (size === undefined) continue;
    const ofType = counts.get(type) ?? [];
    const step = size === 0 ? 0 : Math.floor(Math.log2(size)) + 1;
    ofType[step] = (ofType[step] ?? 0) + 1;
    counts.set(type, ofType);
  }
  for (const [type, { title }] of SIZED_TYPES) {
    const shown = (counts.get(type) ?? []).flatMap((count, step) =>
      count === undefined ? [] : [`${stepName(step)}=${Math.round(count * keysPerRecord)}`],
    );
    if (shown.length > 0) yield [`db${database.index}_${title}`, shown.join(',')];
  }
}

/** The least size of a step: `0`, `1`, `2`, …, `512`, `1K`, … */
function stepName(step: number): string {
  if (step === 0) return '0';
  const power = step - 1;
  return `${2 ** (power % 10)}${['', 'K', 'M', 'G', 'T', 'P', 'E'][Math.floor(power / 10)]}`;
}
