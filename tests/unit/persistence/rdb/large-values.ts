import {
  OPCODE_EOF,
  QUICKLIST_PACKED,
  QUICKLIST_PLAIN,
  RDB_HASH,
  RDB_HASH_METADATA,
  RDB_HASH_METADATA_OF_7_4_RC,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_SET,
  RDB_ZSET,
  RDB_ZSET_2,
  type RdbType,
} from '../../../../src/persistence/rdb/format.js';
import { RdbOutput } from '../../../../src/persistence/rdb/output.js';

/** RDB files with a value of many elements, in all encodings that have an element, or a node, after the other. */

/** When the first field expires in hashes with deadlines. */
export const FIRST_DEADLINE_MS = 4_000_000_000_000;

/** Element `i` of each value, and the member, field or value that it is. */
export function elementText(i: number): string {
  return `element ${i}`;
}

/** An encoding, and how elements are written in it. */
export interface LargeEncoding {
  readonly name: string;
  readonly type: RdbType;
  /** What comes before the number of elements. */
  readonly begin?: (output: RdbOutput) => void;
  readonly element: (output: RdbOutput, i: number) => void;
}

export const LARGE_ENCODINGS: readonly LargeEncoding[] = [
  { name: 'list', type: RDB_LIST, element: (output, i) => output.text(elementText(i)) },
  {
    name: 'quicklist of ziplists',
    type: RDB_LIST_QUICKLIST,
    element: (output, i) => writeBytes(output, ziplistOf(elementText(i))),
  },
  {
    name: 'quicklist of listpacks and plain nodes',
    type: RDB_LIST_QUICKLIST_2,
    element: (output, i) => {
      output.length(i % 2 === 0 ? QUICKLIST_PACKED : QUICKLIST_PLAIN);
      if (i % 2 === 0) writeBytes(output, listpackOf(elementText(i)));
      else output.text(elementText(i));
    },
  },
  { name: 'set', type: RDB_SET, element: (output, i) => output.text(elementText(i)) },
  {
    name: 'old sorted set',
    type: RDB_ZSET,
    element: (output, i) => {
      output.text(elementText(i));
      const score = Buffer.from(String(i));
      output.byte(score.length);
      output.raw(score, 0, score.length);
    },
  },
  {
    name: 'sorted set',
    type: RDB_ZSET_2,
    element: (output, i) => {
      output.text(elementText(i));
      output.double(i);
    },
  },
  { name: 'hash', type: RDB_HASH, element: writeField },
  {
    name: 'hash with deadlines',
    type: RDB_HASH_METADATA,
    begin: (output) => output.milliseconds(FIRST_DEADLINE_MS),
    element: (output, i) => {
      output.length(i % 3 === 0 ? 0 : i + 1);
      writeField(output, i);
    },
  },
  {
    name: 'hash with absolute deadlines',
    type: RDB_HASH_METADATA_OF_7_4_RC,
    element: (output, i) => {
      output.length(i % 3 === 0 ? 0 : FIRST_DEADLINE_MS + i);
      writeField(output, i);
    },
  },
];

/** A file without a checksum, with what `write` writes. */
export function fileOf(write: (output: RdbOutput) => void): Uint8Array {
  const chunks: Uint8Array[] = [];
  const output = new RdbOutput(
    (bytes, length) => chunks.push(new Uint8Array(bytes.subarray(0, length))),
    false,
  );
  output.compresses = false;
  const magic = Buffer.from('REDIS0012');
  output.raw(magic, 0, magic.length);
  write(output);
  output.byte(OPCODE_EOF);
  output.raw(Buffer.alloc(8), 0, 8);
  output.flush();
  return Buffer.concat(chunks);
}

/** Writes a key with a value of so many elements. */
export function writeLarge(output: RdbOutput, encoding: LargeEncoding, count: number): void {
  output.byte(encoding.type);
  output.text(encoding.name);
  encoding.begin?.(output);
  output.length(count);
  for (let i = 0; i < count; i++) encoding.element(output, i);
}

function writeField(output: RdbOutput, i: number): void {
  output.text(elementText(i));
  output.text(`value ${i}`);
}

function writeBytes(output: RdbOutput, bytes: Uint8Array): void {
  output.string(bytes, 0, bytes.length);
}

/** A listpack of one short string: total bytes, count, the entry with its length before and behind, the end. */
function listpackOf(text: string): Uint8Array {
  const bytes = Buffer.alloc(9 + text.length, text);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(1, 4);
  bytes[6] = 0x80 | text.length;
  bytes.write(text, 7, 'latin1');
  bytes[7 + text.length] = 1 + text.length;
  bytes[8 + text.length] = 0xff;
  return bytes;
}

/** A ziplist of one short string: total bytes, where the last entry is, count, the entry behind two lengths, the end. */
function ziplistOf(text: string): Uint8Array {
  const bytes = Buffer.alloc(13 + text.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(10, 4);
  bytes.writeUInt16LE(1, 8);
  bytes[11] = text.length;
  bytes.write(text, 12, 'latin1');
  bytes[12 + text.length] = 0xff;
  return bytes;
}
