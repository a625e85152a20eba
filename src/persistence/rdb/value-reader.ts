import type { Database } from '../../keyspace/database.js';
import type { Drafts } from '../../keyspace/drafts.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_LISTPACK_EX,
  ENCODING_QUICKLIST,
  ENCODING_RAW,
  type Encoding,
  type RecordReference,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STRING,
  type ValueType,
} from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { copyBytes } from '../../memory/bytes.js';
import {
  type ByteLength,
  type ByteOffset,
  byteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
} from '../../memory/reference.js';
import { parseDouble } from '../../protocol/doubles.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import { isValidIntset } from '../../structures/intset.js';
import { isValidListpack } from '../../structures/listpack-validation.js';
import { NO_FIELD } from '../../types/hash.js';
import type { Types } from '../../types/types.js';
import {
  QUICKLIST_PACKED,
  QUICKLIST_PLAIN,
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_LISTPACK_EX_OF_7_4_RC,
  RDB_HASH_METADATA,
  RDB_HASH_METADATA_OF_7_4_RC,
  RDB_HASH_ZIPLIST,
  RDB_HASH_ZIPMAP,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
  RDB_SET,
  RDB_SET_INTSET,
  RDB_SET_LISTPACK,
  RDB_STRING,
  RDB_ZSET,
  RDB_ZSET_2,
  RDB_ZSET_LISTPACK,
  RDB_ZSET_ZIPLIST,
  type RdbType,
} from './format.js';
import { RdbError, type RdbInput } from './input.js';
import { readZiplist, readZipmap } from './legacy-blobs.js';
import { FIELD_DEADLINE_MS_MAX, hasDuplicates, hasValidDeadlines } from './tuples.js';

/** Thrown when a value has no elements: a key with it is left out, as Redis never keeps one. */
export class EmptyValueError extends Error {
  override name = 'EmptyValueError';
}

/** A deadline of a field that was read, to be set once the hash has its key. */
interface FieldDeadline {
  readonly field: Uint8Array;
  readonly deadlineMs: TimestampMs;
}

/**
 * How many elements, and bytes of them or of a string, are read at a time: some hundredths of a millisecond's work. An
 * element is read as a whole, however long it is, and so is a compressed string.
 */
const ELEMENTS_PER_SLICE = 64;
const BYTES_PER_SLICE = 64 * 1024;

/** Strings up to this length are kept in a buffer that is there, for longer ones there is one each. */
const SHORT_BYTES_MAX = 1024;

/** The length byte of a score in the oldest format of sorted sets, and what three of its values mean. */
const OLD_SCORE_NAN = 253;
const OLD_SCORE_INFINITY = 254;
const OLD_SCORE_MINUS_INFINITY = 255;

/**
 * Reads values in the RDB format, of all encodings that Redis ever wrote for strings, lists, sets, hashes and sorted
 * sets, and puts them under keys.
 *
 * Nothing is taken on trust: listpacks and intsets are checked through and through before they are kept as they are.
 * A value that is read, or in part, belongs to the reader until `place` or `discard`.
 *
 *     begin ──▶ the value is read ──────────────────────────────▶ place or discard
 *       └─────▶ there is more to it ──▶ continue, again and again ──┘
 */
export class ValueReader {
  /** `sanitize-dump-payload`: whether to look for duplicates too, which are harmless to the server. */
  checksDuplicates = false;

  private readonly types: Types;
  private readonly drafts: Drafts;
  /** What was read last: a string, or a draft of another value or a long string. */
  private string: Uint8Array = new Uint8Array(0);
  private stringLength: ByteLength = 0;
  private draft: RecordReference = NULL_REFERENCE;
  /** The type of the value, and how many of its elements have not been read; of a long string, how many bytes. */
  private type: RdbType = RDB_STRING;
  private elementsLeft = 0;
  /** Whether fields expire, and which of them do not know that yet. */
  private hasDeadlines = false;
  private fieldDeadlines: FieldDeadline[] = [];
  /** What the deadlines of fields are relative to; −1 when they are absolute. */
  private firstDeadlineMs: TimestampMs = 0;
  /** What `keep` copies short strings to. */
  private readonly short = new Uint8Array(SHORT_BYTES_MAX);

  constructor(types: Types) {
    this.types = types;
    this.drafts = types.hashes.keyspace.drafts;
  }

  /** Reads a value. @throws RdbError, EmptyValueError, OutOfMemoryError, with nothing left over */
  read(input: RdbInput, type: RdbType): void {
    let isWhole = this.begin(input, type);
    while (!isWhole) isWhole = this.continue(input);
  }

  /**
   * Begins to read a value. Returns whether that is all of it; of a large one there is more, for `continue`.
   * @throws RdbError, EmptyValueError, OutOfMemoryError, with nothing left over
   */
  begin(input: RdbInput, type: RdbType): boolean {
    this.draft = NULL_REFERENCE;
    this.type = type;
    this.elementsLeft = 0;
    this.hasDeadlines = false;
    if (this.fieldDeadlines.length > 0) this.fieldDeadlines = [];
    try {
      this.readHead(input, type);
    } catch (error) {
      this.discard();
      throw error;
    }
    return this.elementsLeft === 0 || this.continue(input);
  }

  /** Reads the next elements of a large value. Returns and throws as `begin`. */
  continue(input: RdbInput): boolean {
    try {
      this.readElements(input);
      if (this.elementsLeft > 0) return false;
      this.endElements();
    } catch (error) {
      this.discard();
      throw error;
    }
    return true;
  }

  /**
   * Puts the value under a key. `replaced` is the record that has the key, or NULL_REFERENCE. Returns the record.
   * @param deadlineMs when the key expires, or NO_DEADLINE
   * @throws OutOfMemoryError, and the value still belongs to the reader
   */
  place(
    database: Database,
    hash: number,
    key: Uint8Array,
    keyOffset: ByteOffset,
    keyLength: ByteLength,
    replaced: RecordReference,
    deadlineMs: TimestampMs,
  ): RecordReference {
    const { types, draft } = this;
    if (draft === NULL_REFERENCE) {
      const { string, stringLength: length } = this;
      return replaced === NULL_REFERENCE
        ? types.strings.add(database, hash, key, keyOffset, keyLength, string, 0, length, deadlineMs)
        : types.strings.replace(database, replaced, string, 0, length, deadlineMs);
    }
    let record = this.drafts.store(draft, database, hash, key, keyOffset, keyLength, replaced);
    this.draft = NULL_REFERENCE;
    if (deadlineMs !== NO_DEADLINE) record = types.hashes.keyspace.setDeadline(database, record, deadlineMs);
    if (types.hashes.records.encoding(record) === ENCODING_LISTPACK_EX) {
      record = types.hashes.makeExpirable(database, record);
      types.hashes.expect(record, types.hashes.count(record), 0, 0);
      types.hashes.updateFieldDeadline(database, record);
    } else if (this.hasDeadlines) {
      record = this.setFieldDeadlines(database, record);
    }
    return record;
  }

  /** Whether what was read is a hash with fields that expire. */
  get hasFieldDeadlines(): boolean {
    if (this.hasDeadlines) return true;
    const { records } = this.types.hashes;
    return this.draft !== NULL_REFERENCE && records.encoding(this.draft) === ENCODING_LISTPACK_EX;
  }

  /** Frees a value that was not placed. */
  discard(): void {
    if (this.draft !== NULL_REFERENCE) this.drafts.discard(this.draft);
    this.draft = NULL_REFERENCE;
  }

  /** Reads what is no element, or all of a value that is in one piece. */
  private readHead(input: RdbInput, type: RdbType): void {
    switch (type) {
      case RDB_STRING:
        if (input.stringUnless(BYTES_PER_SLICE)) {
          this.string = this.keep(input);
          this.stringLength = input.length;
        } else {
          this.beginLongString(input.length);
        }
        return;
      case RDB_LIST:
      case RDB_LIST_QUICKLIST:
      case RDB_LIST_QUICKLIST_2:
        this.readCount(input);
        this.beginDraft(TYPE_LIST, ENCODING_QUICKLIST);
        return;
      case RDB_LIST_ZIPLIST:
        this.beginDraft(TYPE_LIST, ENCODING_QUICKLIST);
        this.readOldNode(input, 'List ziplist');
        this.endList();
        return;
      case RDB_SET:
        // Its encoding depends on the first member.
        this.readCount(input);
        return;
      case RDB_SET_INTSET:
        this.readIntset(input);
        return;
      case RDB_SET_LISTPACK:
        this.readListpack(input, TYPE_SET, 1);
        return;
      case RDB_ZSET:
      case RDB_ZSET_2:
        this.readCount(input);
        this.beginSortedSet();
        return;
      case RDB_ZSET_LISTPACK:
        this.readListpack(input, TYPE_SORTED_SET, 2);
        return;
      case RDB_HASH_LISTPACK:
        this.readListpack(input, TYPE_HASH, 2);
        return;
      case RDB_HASH_LISTPACK_EX:
        input.milliseconds(); // the first deadline: the listpack has it as well
        this.readListpack(input, TYPE_HASH, 3);
        return;
      case RDB_HASH_LISTPACK_EX_OF_7_4_RC:
        this.readListpack(input, TYPE_HASH, 3);
        return;
      case RDB_HASH:
        this.beginHash(input, 0);
        return;
      case RDB_HASH_METADATA:
        this.beginHash(input, input.milliseconds());
        return;
      case RDB_HASH_METADATA_OF_7_4_RC:
        this.beginHash(input, -1);
        return;
      case RDB_ZSET_ZIPLIST:
      case RDB_HASH_ZIPLIST:
      case RDB_HASH_ZIPMAP:
        this.readOldPairs(input, type);
        return;
      default:
        throw input.error(`Unknown RDB type ${type}`);
    }
  }

  /** Reads up to a slice of the elements that are left. */
  private readElements(input: RdbInput): void {
    const { type } = this;
    if (type === RDB_STRING) {
      this.readBytes(input);
      return;
    }
    const enough = input.position + BYTES_PER_SLICE;
    const most = Math.min(this.elementsLeft, ELEMENTS_PER_SLICE);
    for (let i = 0; i < most && input.position < enough; i++) {
      switch (type) {
        case RDB_LIST:
          input.string();
          this.types.lists.push(this.draft, 'last', input.bytes, input.offset, input.length);
          break;
        case RDB_LIST_QUICKLIST:
        case RDB_LIST_QUICKLIST_2:
          this.readNode(input, type === RDB_LIST_QUICKLIST_2);
          break;
        case RDB_SET:
          this.readMember(input);
          break;
        case RDB_ZSET:
        case RDB_ZSET_2:
          this.readScoredMember(input, type === RDB_ZSET_2);
          break;
        default:
          this.readField(input, type !== RDB_HASH);
      }
      this.elementsLeft--;
    }
  }

  private endElements(): void {
    const { lists } = this.types;
    if (this.type === RDB_LIST) lists.compact(this.draft, false);
    else if (this.type === RDB_LIST_QUICKLIST || this.type === RDB_LIST_QUICKLIST_2) this.endList();
  }

  private beginDraft(type: ValueType, encoding: Encoding): void {
    const { lists, sets, sortedSets, hashes } = this.types;
    let value: Reference;
    if (type === TYPE_LIST) value = lists.create(encoding);
    else if (type === TYPE_SET) value = sets.create(encoding);
    else if (type === TYPE_SORTED_SET) value = sortedSets.create(encoding);
    else value = hashes.create(encoding);
    this.draft = this.drafts.create(type, encoding, value);
  }

  /**
   * A copy of the string that was read last, which outlives what is read next. One that is short is valid until the next
   * copy, and something else may be behind it.
   */
  private keep({ bytes, offset, length }: RdbInput): Uint8Array {
    if (length > SHORT_BYTES_MAX) return bytes.slice(offset, offset + length);
    copyBytes(bytes, offset, this.short, 0, length);
    return this.short;
  }

  private beginLongString(length: ByteLength): void {
    const { records } = this.types.hashes;
    this.draft = this.drafts.create(TYPE_STRING, ENCODING_RAW, records.memory.allocate(length));
    records.setSlotExtra(this.draft, length);
    this.elementsLeft = length;
  }

  private readBytes(input: RdbInput): void {
    const { records } = this.types.hashes;
    const block = records.slot(this.draft);
    const target = records.memory.bytes[block >>> SEGMENT_SHIFT];
    const at = byteOffset(block) + records.slotExtra(this.draft) - this.elementsLeft;
    input.raw(Math.min(this.elementsLeft, BYTES_PER_SLICE));
    copyBytes(input.bytes, input.offset, target, at, input.length);
    this.elementsLeft -= input.length;
  }

  private readCount(input: RdbInput): void {
    this.elementsLeft = input.count();
    if (this.elementsLeft === 0) throw new EmptyValueError('a value without elements');
  }

  private readNode(input: RdbInput, hasContainers: boolean): void {
    const { lists, listpacks } = this.types;
    const { quicklists } = lists;
    const list = lists.records.slot(this.draft);
    const container = hasContainers ? input.count() : 0;
    if (container === QUICKLIST_PLAIN) {
      input.string();
      if (input.length === 0) throw new RdbError('A node of a list is empty', input.position, true);
      const element = quicklists.nodes.copyOf(input.bytes, input.offset, input.length);
      quicklists.appendPlain(list, element, input.length);
    } else if (container === QUICKLIST_PACKED) {
      input.string();
      if (!isValidListpack(input.bytes, input.offset, input.length, true)) {
        throw input.error('Quicklist listpack integrity check failed.');
      }
      const listpack = listpacks.createFrom(input.bytes, input.offset, input.length);
      if (listpacks.length(listpack) === 0) listpacks.free(listpack);
      else quicklists.appendListpack(list, listpack);
    } else if (hasContainers) {
      throw input.error('Quicklist integrity check failed.');
    } else {
      this.readOldNode(input, 'Ziplist');
    }
  }

  private endList(): void {
    const { lists } = this.types;
    if (lists.length(this.draft) === 0) throw new EmptyValueError('a list without elements');
    lists.compact(this.draft, false);
  }

  /** A node of the time when they were ziplists: its elements are added one by one. */
  private readOldNode(input: RdbInput, name: string): void {
    input.string();
    const elements = readZiplist(input.bytes, input.offset, input.length);
    if (elements === undefined) throw input.error(`${name} integrity check failed.`);
    for (const element of elements) this.types.lists.push(this.draft, 'last', element, 0, element.length);
  }

  private readMember(input: RdbInput): void {
    const { sets } = this.types;
    input.string();
    const { bytes, offset, length } = input;
    if (this.draft === NULL_REFERENCE) {
      this.beginDraft(TYPE_SET, sets.encodingFor(bytes, offset, length, this.elementsLeft));
    }
    if (!sets.add(this.draft, bytes, offset, length)) throw input.error('Duplicate set members detected');
  }

  private readIntset(input: RdbInput): void {
    const { sets } = this.types;
    input.string();
    if (!isValidIntset(input.bytes, input.offset, input.length, true)) {
      throw input.error('Intset integrity check failed.');
    }
    const intset = sets.intsets.createFrom(input.bytes, input.offset, input.length);
    this.draft = this.drafts.create(TYPE_SET, ENCODING_INTSET, intset);
    sets.expect(this.draft, 0);
  }

  /** A listpack of tuples of one, two or three elements, kept as it is, or converted if the limits say so. */
  private readListpack(input: RdbInput, type: ValueType, tuple: 1 | 2 | 3): void {
    const { listpacks } = this.types;
    input.string();
    const { bytes, offset, length } = input;
    if (!isValidListpack(bytes, offset, length, true)) throw input.error('Listpack integrity check failed.');
    const listpack = listpacks.createFrom(bytes, offset, length);
    const elements = listpacks.length(listpack);
    if (elements === 0) {
      listpacks.free(listpack);
      throw new EmptyValueError('a value without elements');
    }
    const encoding = tuple === 3 ? ENCODING_LISTPACK_EX : ENCODING_LISTPACK;
    this.draft = this.drafts.create(type, encoding, listpack);
    const isOdd = elements % tuple !== 0 || (tuple === 3 && !hasValidDeadlines(listpacks, listpack));
    if (isOdd || (this.checksDuplicates && hasDuplicates(listpacks, listpack, tuple))) {
      throw input.error('Listpack integrity check failed.');
    }
    const isConverted =
      tuple === 2 && type === TYPE_HASH && elements / 2 > this.types.hashes.listpackEntriesMax;
    if (isConverted && hasDuplicates(listpacks, listpack, tuple)) {
      throw input.error('Hash listpack with dup elements');
    }
    if (type === TYPE_SET) this.types.sets.expect(this.draft, 0);
    else if (type === TYPE_SORTED_SET) this.types.sortedSets.expect(this.draft, elements / 2);
    else if (tuple === 2) this.types.hashes.expect(this.draft, elements / 2, 0, 0);
  }

  private beginSortedSet(): void {
    const { sortedSets } = this.types;
    const count = this.elementsLeft;
    this.beginDraft(
      TYPE_SORTED_SET,
      count <= sortedSets.listpackEntriesMax ? ENCODING_LISTPACK : sortedSets.encodingFor(count, 0),
    );
  }

  private readScoredMember(input: RdbInput, isBinary: boolean): void {
    const { sortedSets } = this.types;
    input.string();
    const member = this.keep(input);
    const { length } = input;
    const score = isBinary ? input.double() : readOldScore(input);
    if (Number.isNaN(score)) throw input.error('Zset with NAN score detected');
    if (sortedSets.find(this.draft, member, 0, length) !== 0) {
      throw input.error('Duplicate zset fields detected');
    }
    sortedSets.add(this.draft, score, member, 0, length);
  }

  /** @param firstMs the earliest deadline, which the others are relative to; −1 when they are absolute */
  private beginHash(input: RdbInput, firstMs: TimestampMs): void {
    this.readCount(input);
    const isTable = this.elementsLeft > this.types.hashes.listpackEntriesMax;
    this.beginDraft(TYPE_HASH, isTable ? ENCODING_HASHTABLE : ENCODING_LISTPACK);
    if (firstMs > FIELD_DEADLINE_MS_MAX) throw input.error('Hash field deadline is too large');
    this.firstDeadlineMs = firstMs;
  }

  private readField(input: RdbInput, hasDeadlines: boolean): void {
    const relativeMs = hasDeadlines ? input.count() : 0;
    if (relativeMs > FIELD_DEADLINE_MS_MAX) throw input.error('Hash field deadline is too large');
    input.string();
    const field = this.keep(input);
    const fieldLength = input.length;
    input.string();
    const { bytes, offset, length } = input;
    this.addField(input, field, fieldLength, bytes, offset, length, 'Duplicate hash fields detected');
    if (relativeMs === 0) return;
    const firstMs = this.firstDeadlineMs;
    this.letExpire(field, fieldLength, firstMs < 0 ? relativeMs : firstMs + relativeMs - 1);
  }

  /** Notes the deadline of a field: in a table at once, as they may be many; in a listpack, it waits for all fields. */
  private letExpire(field: Uint8Array, length: ByteLength, deadlineMs: TimestampMs): void {
    const { hashes } = this.types;
    this.hasDeadlines = true;
    if (!hashes.isTable(this.draft)) {
      this.fieldDeadlines.push({ field: field.slice(0, length), deadlineMs });
      return;
    }
    const [anyDatabase] = hashes.keyspace.databases; // a draft is in none
    hashes.setDeadline(anyDatabase, this.draft, hashes.find(this.draft, field, 0, length), deadlineMs);
  }

  private addField(
    input: RdbInput,
    field: Uint8Array,
    fieldLength: ByteLength,
    value: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    complaint: string,
  ): void {
    const { hashes } = this.types;
    if (hashes.find(this.draft, field, 0, fieldLength) !== NO_FIELD) throw input.error(complaint);
    const [anyDatabase] = hashes.keyspace.databases; // a draft without deadlines touches none
    hashes.set(anyDatabase, this.draft, NO_FIELD, field, 0, fieldLength, value, offset, length, false);
  }

  /** Hashes and sorted sets in ziplists, and hashes in zipmaps. */
  private readOldPairs(input: RdbInput, type: RdbType): void {
    input.string();
    const isZipmap = type === RDB_HASH_ZIPMAP;
    const elements = (isZipmap ? readZipmap : readZiplist)(input.bytes, input.offset, input.length);
    const name = isZipmap ? 'Zipmap' : type === RDB_ZSET_ZIPLIST ? 'Zset ziplist' : 'Hash ziplist';
    if (elements === undefined || elements.length % 2 !== 0 || (isZipmap && elements.length === 0)) {
      throw input.error(`${name} integrity check failed.`);
    }
    if (elements.length === 0) throw new EmptyValueError('a value without elements');
    this.beginDraft(type === RDB_ZSET_ZIPLIST ? TYPE_SORTED_SET : TYPE_HASH, ENCODING_LISTPACK);
    for (let i = 0; i < elements.length; i += 2) {
      if (type === RDB_ZSET_ZIPLIST) this.addScored(input, elements[i], elements[i + 1]);
      else this.addOldField(input, elements[i], elements[i + 1], `${name} integrity check failed.`);
    }
  }

  private addOldField(input: RdbInput, field: Uint8Array, value: Uint8Array, complaint: string): void {
    this.addField(input, field, field.length, value, 0, value.length, complaint);
  }

  private addScored(input: RdbInput, member: Uint8Array, text: Uint8Array): void {
    const { sortedSets } = this.types;
    const score = parseDouble(text, 0, text.length);
    if (score === undefined || sortedSets.find(this.draft, member, 0, member.length) !== 0) {
      throw input.error('Zset ziplist integrity check failed.');
    }
    sortedSets.add(this.draft, score, member, 0, member.length);
  }

  private setFieldDeadlines(database: Database, record: RecordReference): RecordReference {
    const { hashes } = this.types;
    const roomy = hashes.makeExpirable(database, record);
    for (const { field, deadlineMs } of this.fieldDeadlines) {
      const handle = hashes.find(roomy, field, 0, field.length);
      if (handle !== NO_FIELD && deadlineMs !== NO_DEADLINE)
        hashes.setDeadline(database, roomy, handle, deadlineMs);
    }
    hashes.updateFieldDeadline(database, roomy);
    return roomy;
  }
}

/** A score as Redis before 4.0 wrote it: its length in a byte, and its digits; or one of three special lengths. @throws RdbError */
function readOldScore(input: RdbInput): number {
  const length = input.byte();
  if (length === OLD_SCORE_NAN) return Number.NaN;
  if (length === OLD_SCORE_INFINITY) return Number.POSITIVE_INFINITY;
  if (length === OLD_SCORE_MINUS_INFINITY) return Number.NEGATIVE_INFINITY;
  input.raw(length);
  const score = parseDouble(input.bytes, input.offset, input.length);
  // To Redis, it is as if the data had ended.
  if (score === undefined) throw new RdbError('A score is expected', input.position, true);
  return score;
}
