import type { RecordReference } from '../keyspace/record.js';
import { CRC64_BYTES, Crc64 } from '../memory/crc64.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Types } from '../types/types.js';
import { RDB_VERSION } from './rdb/format.js';
import { RdbInput } from './rdb/input.js';
import { RdbOutput } from './rdb/output.js';
import { ValueReader } from './rdb/value-reader.js';
import { ValueWriter } from './rdb/value-writer.js';

/** Bytes behind the value: the version and the checksum. */
const FOOTER_BYTES = 2 + CRC64_BYTES;

/**
 * What DUMP replies and RESTORE takes:
 *
 *     ┌──────┬─────────────────────┬────────────────────┬───────────────────────────┐
 *     │ type │ value as in RDB     │ u16 RDB version LE │ CRC-64 of all before it   │
 *     └──────┴─────────────────────┴────────────────────┴───────────────────────────┘
 */
export class DumpPayloads {
  /** `rdbcompression`: whether long strings are tried with LZF. */
  compresses = true;
  readonly reader: ValueReader;
  private readonly writer: ValueWriter;

  constructor(types: Types) {
    this.writer = new ValueWriter(types);
    this.reader = new ValueReader(types);
  }

  /** The payload of a record's value. */
  create(record: RecordReference): Uint8Array {
    const chunks: Uint8Array[] = [];
    // Not `slice`, which of a Buffer is no copy.
    const output = new RdbOutput(
      (bytes, length) => chunks.push(new Uint8Array(bytes.subarray(0, length))),
      false,
    );
    output.compresses = this.compresses;
    output.byte(this.writer.rdbType(record));
    this.writer.write(record, output);
    output.byte(RDB_VERSION & 255);
    output.byte(RDB_VERSION >> 8);
    output.flush();
    const checksum = new Crc64();
    for (const chunk of chunks) checksum.update(chunk, 0, chunk.length);
    const footer = new Uint8Array(CRC64_BYTES);
    checksum.write(footer, 0);
    return Buffer.concat([...chunks, footer]);
  }

  /** The bytes that a record's value takes in a dump, without its type: `serializedlength` of DEBUG OBJECT. */
  valueLength(record: RecordReference): ByteLength {
    let total = 0;
    const output = new RdbOutput((_, length) => {
      total += length;
    }, false);
    output.compresses = this.compresses;
    this.writer.write(record, output);
    output.flush();
    return total;
  }

  /**
   * Whether a payload's version can be read and its checksum is right. A checksum of zeros stands for none.
   * @param skipsChecksum whether a wrong one is taken as well
   */
  isIntact(bytes: Uint8Array, offset: ByteOffset, length: ByteLength, skipsChecksum: boolean): boolean {
    if (length < FOOTER_BYTES) return false;
    const footer = offset + length - FOOTER_BYTES;
    if ((bytes[footer] | (bytes[footer + 1] << 8)) > RDB_VERSION) return false;
    const stored = footer + 2;
    if (skipsChecksum || bytes.subarray(stored, stored + CRC64_BYTES).every((byte) => byte === 0))
      return true;
    const checksum = new Crc64();
    checksum.update(bytes, offset, length - CRC64_BYTES);
    return checksum.matches(bytes, stored);
  }

  /** Reads the value of an intact payload into `reader`. @throws RdbError, EmptyValueError, OutOfMemoryError */
  read(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const input = RdbInput.over(bytes, offset, length - FOOTER_BYTES);
    this.reader.read(input, input.byte());
    if (!input.isAtEnd) {
      this.reader.discard();
      throw input.error('Bytes are left over');
    }
  }
}
