import type { Keyspace } from '../keyspace/keyspace.js';
import { Listpacks } from '../structures/listpack.js';
import { Hashes } from './hash.js';
import { HashCursor } from './hash-cursor.js';
import { HyperLogLogs } from './hyperloglog.js';
import { Lists } from './list.js';
import { ListCursor } from './list-cursor.js';
import { Sets } from './set.js';
import { SetCursor } from './set-cursor.js';
import { SortedSets } from './sorted-set.js';
import { SortedSetCursor } from './sorted-set-cursor.js';
import { Strings } from './string.js';

/** Up to which size values keep their compact encodings: the values of the directives of these names. */
export interface EncodingLimits {
  readonly 'hash-max-listpack-entries': number;
  readonly 'hash-max-listpack-value': number;
  readonly 'hll-sparse-max-bytes': number;
  readonly 'list-compress-depth': number;
  readonly 'list-max-listpack-size': number;
  readonly 'set-max-intset-entries': number;
  readonly 'set-max-listpack-entries': number;
  readonly 'set-max-listpack-value': number;
  readonly 'zset-max-listpack-entries': number;
  readonly 'zset-max-listpack-value': number;
}

/** The directives that `Types.limitEncodings` wants to hear of. */
export const ENCODING_LIMITS = [
  'hash-max-listpack-entries',
  'hash-max-listpack-value',
  'hll-sparse-max-bytes',
  'list-compress-depth',
  'list-max-listpack-size',
  'set-max-intset-entries',
  'set-max-listpack-entries',
  'set-max-listpack-value',
  'zset-max-listpack-entries',
  'zset-max-listpack-value',
] as const satisfies readonly (keyof EncodingLimits)[];

/** The value types of one keyspace: what command handlers work with. */
export class Types {
  /** Shared by the types that keep small values in listpacks. */
  readonly listpacks: Listpacks;
  readonly hashes: Hashes;
  /** For the commands that walk a hash, one at a time. */
  readonly hashCursor: HashCursor;
  readonly lists: Lists;
  /** For the commands that walk a list, one at a time. */
  readonly listCursor: ListCursor;
  readonly sets: Sets;
  /** For the commands that walk a set, one at a time. */
  readonly setCursor: SetCursor;
  readonly sortedSets: SortedSets;
  /** For the commands that walk a sorted set, one at a time. */
  readonly sortedSetCursor: SortedSetCursor;
  readonly strings: Strings;
  /** The strings that are HyperLogLogs. */
  readonly hyperLogLogs: HyperLogLogs;

  constructor(keyspace: Keyspace) {
    this.listpacks = new Listpacks(keyspace.memory);
    this.hashes = new Hashes(keyspace, this.listpacks);
    this.hashCursor = new HashCursor(this.hashes);
    this.lists = new Lists(keyspace, this.listpacks);
    this.listCursor = new ListCursor(this.lists);
    this.sets = new Sets(keyspace, this.listpacks);
    this.setCursor = new SetCursor(this.sets);
    this.sortedSets = new SortedSets(keyspace, this.listpacks, randomSeed());
    this.sortedSetCursor = new SortedSetCursor(this.sortedSets, this.listpacks);
    this.strings = new Strings(keyspace);
    this.hyperLogLogs = new HyperLogLogs(keyspace.records, this.strings);
  }

  /** Sets the limits that values are held to when they change next. */
  limitEncodings(limits: EncodingLimits): void {
    this.hashes.listpackEntriesMax = limits['hash-max-listpack-entries'];
    this.hashes.listpackValueMax = limits['hash-max-listpack-value'];
    this.hyperLogLogs.sparseBytesMax = limits['hll-sparse-max-bytes'];
    this.lists.compressDepth = limits['list-compress-depth'];
    this.lists.fill = limits['list-max-listpack-size'];
    this.sets.intsetEntriesMax = limits['set-max-intset-entries'];
    this.sets.listpackEntriesMax = limits['set-max-listpack-entries'];
    this.sets.listpackValueMax = limits['set-max-listpack-value'];
    this.sortedSets.listpackEntriesMax = limits['zset-max-listpack-entries'];
    this.sortedSets.listpackValueMax = limits['zset-max-listpack-value'];
  }
}

function randomSeed(): number {
  return globalThis.crypto.getRandomValues(new Int32Array(1))[0];
}
