/** Reads the structures out of what DUMP of a real redis-server returns (rdb.c), as far as these tests need it. */

/** A string of a payload, decompressed by whoever asks. */
export interface DumpedString {
  /** The length that it says to have when it is compressed, otherwise undefined. */
  readonly uncompressedLength: number | undefined;
  readonly bytes: Buffer;
}

/** A node of a dumped list. */
export interface DumpedNode extends DumpedString {
  readonly isPlain: boolean;
}

const TYPE_LIST_QUICKLIST_2 = 18;
const CONTAINER_PLAIN = 1;
/** Strings that are integers of 8, 16 and 32 bits; a plain node may be one. */
const INT8_STRING = 0xc0;
const INT32_STRING = 0xc2;
const LZF_STRING = 0xc3;

/** The nodes of a list. */
export function dumpedNodes(payload: Buffer): DumpedNode[] {
  if (payload[0] !== TYPE_LIST_QUICKLIST_2) throw new Error(`type ${payload[0]} is no list`);
  const reader = new PayloadReader(payload);
  return Array.from({ length: reader.length() }, () => {
    const isPlain = reader.length() === CONTAINER_PLAIN;
    return { isPlain, ...reader.string() };
  });
}

/** The one string that the payload of a type consists of: a string, an intset, the listpack of a small value. */
export function dumpedString(payload: Buffer): DumpedString {
  return new PayloadReader(payload).string();
}

class PayloadReader {
  private at = 1;

  constructor(private readonly payload: Buffer) {}

  /** A length of 6, 14, 32 or 64 bits. */
  length(): number {
    const { payload } = this;
    const first = payload[this.at];
    if (first < 0x40) return this.take(1).readUInt8();
    if (first < 0x80) return this.take(2).readUInt16BE() & 0x3fff;
    if (first === 0x80) return this.take(5).readUInt32BE(1);
    throw new Error(`unexpected length ${first}`);
  }

  string(): DumpedString {
    const encoding = this.payload[this.at];
    if (encoding >= INT8_STRING && encoding <= INT32_STRING) {
      const width = 1 << (encoding - INT8_STRING);
      const value = this.take(1 + width).readIntLE(1, width);
      return { uncompressedLength: undefined, bytes: Buffer.from(String(value)) };
    }
    if (encoding !== LZF_STRING) {
      return { uncompressedLength: undefined, bytes: this.take(this.length()) };
    }
    this.at++;
    const compressedLength = this.length();
    const uncompressedLength = this.length();
    return { uncompressedLength, bytes: this.take(compressedLength) };
  }

  private take(length: number): Buffer {
    const taken = this.payload.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }
}
