/** What the tests of listpacks and lists share: elements that lie on the borders of encodings, and a plain encoder. */
import fc from 'fast-check';

/** Lengths of strings on both sides of where an encoding or the length of a backlen changes. */
export const BORDER_LENGTHS = [
  0, 1, 2, 19, 20, 21, 62, 63, 64, 65, 125, 126, 127, 128, 4094, 4095, 4096, 4097, 16377, 16378, 16379,
];

/** Integers on both sides of where an encoding changes, as text. */
export const BORDER_INTEGERS: readonly string[] = [
  ...[0n, 127n, 128n, 4095n, 4096n, 2n ** 15n, 2n ** 23n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n].flatMap(
    (border) => [-2n, -1n, 0n, 1n, 2n].flatMap((near) => [border + near, near - border]),
  ),
]
  .filter((value) => value >= -(2n ** 63n) && value < 2n ** 63n)
  .map(String);

/** Text that looks like an integer and is none. */
export const ALMOST_INTEGERS = [
  '-',
  '+1',
  '-0',
  '007',
  ' 1',
  '1 ',
  '1.0',
  '1e5',
  '9223372036854775808',
  '-9223372036854775809',
  '99999999999999999999',
];

/** Elements: mostly short strings and integers, and everything on a border. */
export function elements(borderLengthMax = 20000): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 3, arbitrary: fc.integer().map((value) => Buffer.from(String(value))) },
    { weight: 2, arbitrary: fc.constantFrom(...BORDER_INTEGERS, ...ALMOST_INTEGERS).map(Buffer.from) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...BORDER_LENGTHS.filter((length) => length <= borderLengthMax)), fc.nat(255))
        .map(([length, byte]) => Buffer.alloc(length, byte)),
    },
    {
      weight: 1,
      arbitrary: fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((value) => Buffer.from(String(value))),
    },
  );
}

/** The listpack of some elements, made in the plainest way. */
export function modelListpack(list: readonly Uint8Array[]): Buffer {
  const entries = Buffer.concat(list.map(modelEntry));
  const header = Buffer.alloc(6);
  header.writeUInt32LE(6 + entries.length + 1);
  header.writeUInt16LE(Math.min(list.length, 65535), 4);
  return Buffer.concat([header, entries, Buffer.of(0xff)]);
}

function modelEntry(element: Uint8Array): Buffer {
  const encoded = modelEncoding(Buffer.from(element));
  return Buffer.concat([encoded, modelBacklen(encoded.length)]);
}

function modelEncoding(element: Buffer): Buffer {
  const text = element.toString('latin1');
  if (/^(0|-?[1-9][0-9]{0,18})$/.test(text)) {
    const value = BigInt(text);
    if (BigInt.asIntN(64, value) === value) return modelInteger(value);
  }
  const { length } = element;
  if (length < 64) return Buffer.concat([Buffer.of(0x80 | length), element]);
  if (length < 4096) return Buffer.concat([Buffer.of(0xe0 | (length >> 8), length & 0xff), element]);
  const prefix = Buffer.of(0xf0, 0, 0, 0, 0);
  prefix.writeUInt32LE(length, 1);
  return Buffer.concat([prefix, element]);
}

function modelInteger(value: bigint): Buffer {
  if (value >= 0n && value < 128n) return Buffer.of(Number(value));
  if (value >= -4096n && value < 4096n) {
    const bits = Number(BigInt.asUintN(13, value));
    return Buffer.of(0xc0 | (bits >> 8), bits & 0xff);
  }
  const bytes = Buffer.alloc(9);
  bytes.writeBigInt64LE(value, 1);
  const width = [2, 3, 4].find((size) => BigInt.asIntN(size * 8, value) === value) ?? 8;
  bytes[0] = 0xf1 + [2, 3, 4, 8].indexOf(width);
  return bytes.subarray(0, 1 + width);
}

function modelBacklen(length: number): Buffer {
  const size = [127, 16382, 2097150, 268435454].filter((most) => length > most).length + 1;
  return Buffer.from(
    Array.from({ length: size }, (_, index) => {
      const group = Math.floor(length / 128 ** (size - 1 - index)) % 128;
      return index === 0 ? group : group | 0x80;
    }),
  );
}
