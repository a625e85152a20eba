import type { RdbType } from './format.js';

/** The names of the types of values, by number, that redis-check-rdb shows; 8 never was one. */
export const RDB_TYPE_NAMES: readonly string[] = [
  'string',
  'list-linked',
  'set-hashtable',
  'zset-v1',
  'hash-hashtable',
  'zset-v2',
  'module-pre-release',
  'module-value',
  '',
  'hash-zipmap',
  'list-ziplist',
  'set-intset',
  'zset-ziplist',
  'hash-ziplist',
  'quicklist',
  'stream',
  'hash-listpack',
  'zset-listpack',
  'quicklist-v2',
  'stream-v2',
  'set-listpack',
  'stream-v3',
  'hash-hashtable-md-pre-release',
  'hash-listpack-md-pre-release',
  'hash-hashtable-md',
  'hash-listpack-md',
];

/** Whether there is a value behind a number in a file, rather than an opcode or nothing known. */
export function isValueType(type: RdbType): boolean {
  return type < RDB_TYPE_NAMES.length && RDB_TYPE_NAMES[type] !== '';
}
