import { TYPE_HASH, TYPE_STRING } from '../../keyspace/record.js';
import { copyBytes } from '../../memory/bytes.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { NO_FIELD } from '../../types/hash.js';
import { removeExpired } from '../hashes/fields.js';

const HASH_SIGN = 0x23;
const ASTERISK = 0x2a;
const DASH = 0x2d;
const GREATER_THAN = 0x3e;

/**
 * A pattern of SORT's BY and GET, from which an element makes the name of a key, and perhaps of a field:
 *
 *     weight_*            the string under the key `weight_<element>`
 *     user:*:data->age    the field `age` of the hash under `user:<element>:data`
 *     #                   the element itself
 *     constant            nothing
 *
 * As Redis, which takes the pattern for a C string here and there, this looks for the asterisk, and behind it for the
 * arrow, before the first NUL byte.
 */
export class SortPattern {
  /** What `find` found. */
  bytes: Uint8Array;
  offset: ByteOffset = 0;
  length: ByteLength = 0;

  /** Whether there is an asterisk to put the element in the place of. */
  readonly hasAsterisk: boolean;

  private readonly pattern: Uint8Array;
  private readonly isElement: boolean;
  private readonly prefixLength: ByteLength;
  private readonly suffixOffset: ByteOffset;
  private readonly suffixLength: ByteLength;
  private readonly fieldOffset: ByteOffset;
  private readonly fieldLength: ByteLength;
  /** The name of the key for an element. */
  private key = new Uint8Array(64);

  /** @param pattern must not change while the pattern is used */
  constructor(pattern: Uint8Array) {
    const nul = pattern.indexOf(0);
    const textEnd = nul < 0 ? pattern.length : nul;
    const asterisk = pattern.subarray(0, textEnd).indexOf(ASTERISK);
    const arrow = asterisk < 0 ? -1 : arrowFrom(pattern, asterisk + 1, textEnd);
    this.bytes = pattern;
    this.pattern = pattern;
    this.isElement = textEnd === 1 && pattern[0] === HASH_SIGN;
    this.hasAsterisk = asterisk >= 0;
    this.prefixLength = asterisk;
    this.suffixOffset = asterisk + 1;
    this.suffixLength = (arrow < 0 ? pattern.length : arrow) - asterisk - 1;
    this.fieldOffset = arrow + 2;
    this.fieldLength = arrow < 0 ? 0 : pattern.length - arrow - 2;
  }

  /** Finds what the pattern names for an element; false when there is no such string or field. */
  find(context: CommandContext, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    if (this.isElement) {
      this.point(bytes, offset, length);
      return true;
    }
    if (!this.hasAsterisk) return false;
    const keyLength = this.makeKey(bytes, offset, length);
    const { keyspace, database, types } = context;
    const { key } = this;
    const record = keyspace.lookupRead(database, keyspace.hash(key, 0, keyLength), key, 0, keyLength);
    if (record === NULL_REFERENCE) return false;
    const type = keyspace.records.type(record);
    if (this.fieldLength === 0) {
      if (type !== TYPE_STRING) return false;
      const { strings } = types;
      strings.read(record);
      this.point(strings.bytes, strings.offset, strings.length);
      return true;
    }
    if (type !== TYPE_HASH) return false;
    const { hashes } = types;
    const field = hashes.find(record, this.pattern, this.fieldOffset, this.fieldLength);
    if (field === NO_FIELD) return false;
    if (hashes.isExpired(record, field)) {
      if (removeExpired(context, record, field)) hashes.tellExpired(database, record);
      return false;
    }
    hashes.read(record, field);
    this.point(hashes.bytes, hashes.offset, hashes.length);
    return true;
  }

  private point(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
  }

  /** Puts the name of the key for an element into `key`, and returns its length. */
  private makeKey(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): ByteLength {
    const { pattern, prefixLength, suffixLength } = this;
    const keyLength = prefixLength + length + suffixLength;
    if (this.key.length < keyLength) this.key = new Uint8Array(keyLength * 2);
    copyBytes(pattern, 0, this.key, 0, prefixLength);
    copyBytes(bytes, offset, this.key, prefixLength, length);
    copyBytes(pattern, this.suffixOffset, this.key, prefixLength + length, suffixLength);
    return keyLength;
  }
}

/** Where `->` is, from `start` on and with something behind it, before `end`; -1 when it is not. */
function arrowFrom(pattern: Uint8Array, start: number, end: number): number {
  for (let at = start; at + 1 < end; at++) {
    if (pattern[at] === DASH && pattern[at + 1] === GREATER_THAN) return at + 2 < end ? at : -1;
  }
  return -1;
}
