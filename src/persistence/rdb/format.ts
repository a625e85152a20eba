/**
 * The numbers of the RDB format (rdb.h of Redis), which never change once a file has them.
 *
 *     file:  "REDIS" version (4 digits) │ AUX… │ SELECTDB n │ RESIZEDB keys expires │ key… │ … │ EOF │ CRC-64
 *     key:   [EXPIRETIME_MS int64] [IDLE length | FREQ byte] type │ key string │ value
 *
 *     length:  00|6 bits      01|14 bits, big endian      0x80 uint32 BE      0x81 uint64 BE
 *     string:  length bytes │ 0xC0 int8 │ 0xC1 int16 LE │ 0xC2 int32 LE │ 0xC3 LZF: compressed length, length, bytes
 */

/** The version of files and payloads that Redis 8.0 writes. */
export const RDB_VERSION = 12;
/** The version that holds everything but hashes whose fields expire: Redis 7.2 reads it. */
export const RDB_VERSION_WITHOUT_FIELD_EXPIRY = 11;
/** The version without sets in listpacks as well: Redis 7.0 reads it. */
export const RDB_VERSION_WITHOUT_SET_LISTPACKS = 10;

/** What comes in a file: a value's type, or one of the opcodes. */
export type RdbType = number;

/** The types of values. */
export const RDB_STRING: RdbType = 0;
export const RDB_LIST: RdbType = 1;
export const RDB_SET: RdbType = 2;
export const RDB_ZSET: RdbType = 3;
export const RDB_HASH: RdbType = 4;
export const RDB_ZSET_2: RdbType = 5;
export const RDB_MODULE: RdbType = 6;
export const RDB_MODULE_2: RdbType = 7;
export const RDB_HASH_ZIPMAP: RdbType = 9;
export const RDB_LIST_ZIPLIST: RdbType = 10;
export const RDB_SET_INTSET: RdbType = 11;
export const RDB_ZSET_ZIPLIST: RdbType = 12;
export const RDB_HASH_ZIPLIST: RdbType = 13;
export const RDB_LIST_QUICKLIST: RdbType = 14;
export const RDB_STREAM_LISTPACKS: RdbType = 15;
export const RDB_HASH_LISTPACK: RdbType = 16;
export const RDB_ZSET_LISTPACK: RdbType = 17;
export const RDB_LIST_QUICKLIST_2: RdbType = 18;
export const RDB_STREAM_LISTPACKS_2: RdbType = 19;
export const RDB_SET_LISTPACK: RdbType = 20;
export const RDB_STREAM_LISTPACKS_3: RdbType = 21;
export const RDB_HASH_METADATA_OF_7_4_RC: RdbType = 22;
export const RDB_HASH_LISTPACK_EX_OF_7_4_RC: RdbType = 23;
export const RDB_HASH_METADATA: RdbType = 24;
export const RDB_HASH_LISTPACK_EX: RdbType = 25;

/** The opcodes. */
export const OPCODE_SLOT_INFO = 244;
export const OPCODE_FUNCTION2 = 245;
export const OPCODE_FUNCTION_OF_7_0_RC = 246;
export const OPCODE_MODULE_AUX = 247;
export const OPCODE_IDLE = 248;
export const OPCODE_FREQ = 249;
export const OPCODE_AUX = 250;
export const OPCODE_RESIZEDB = 251;
export const OPCODE_EXPIRETIME_MS = 252;
export const OPCODE_EXPIRETIME = 253;
export const OPCODE_SELECTDB = 254;
export const OPCODE_EOF = 255;

/** The top two bits of a length's first byte. */
export const LENGTH_6_BITS = 0;
export const LENGTH_14_BITS = 1;
export const LENGTH_LARGE = 2;
export const LENGTH_ENCODED = 3;

/** The whole first byte of large lengths. */
export const LENGTH_32_BITS = 0x80;
export const LENGTH_64_BITS = 0x81;

/** The low six bits of an encoded string's first byte. */
export const STRING_INT8 = 0;
export const STRING_INT16 = 1;
export const STRING_INT32 = 2;
export const STRING_LZF = 3;

/** Two markers of plain nodes in LIST_QUICKLIST_2. */
export const QUICKLIST_PLAIN = 1;
export const QUICKLIST_PACKED = 2;
