import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRC64_BYTES, Crc64 } from '../../../src/memory/crc64.js';
import { RealRedis } from '../../support/real-redis.js';

/** The definition, a bit at a time: the model of the fast one. */
function crc64Model(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x95ac9329ac4bc9b5n : 0n);
  }
  return crc;
}

function crc64(bytes: Uint8Array): Crc64 {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  return crc;
}

function checksumOf(crc: Crc64): bigint {
  const bytes = Buffer.alloc(CRC64_BYTES);
  crc.write(bytes, 0);
  return bytes.readBigUInt64LE();
}

describe('CRC-64', () => {
  it('gives the check value of the polynomial', () => {
    expect(checksumOf(crc64(Buffer.from('123456789')))).toBe(0xe9c6d914c4b8d9can);
    expect(checksumOf(crc64(Buffer.alloc(0)))).toBe(0n);
  });

  it('agrees with its definition at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (bytes, before) => {
        const around = new Uint8Array(before + bytes.length + 9).fill(0x5a);
        around.set(bytes, before);
        const crc = new Crc64();
        crc.update(around, before, bytes.length);
        expect(checksumOf(crc)).toBe(crc64Model(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes a string in parts', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 10 }), (parts) => {
        const crc = new Crc64();
        for (const part of parts) crc.update(part, 0, part.length);
        expect(checksumOf(crc)).toBe(checksumOf(crc64(Buffer.concat(parts))));
      }),
    );
  });

  it('starts again', () => {
    const crc = crc64(Buffer.from('before'));
    crc.reset();
    crc.update(Buffer.from('123456789'), 0, 9);
    expect(checksumOf(crc)).toBe(0xe9c6d914c4b8d9can);
  });

  it('recognizes itself and nothing else', () => {
    const bytes = Buffer.alloc(CRC64_BYTES + 2);
    const crc = crc64(Buffer.from('some bytes'));
    crc.write(bytes, 1);
    expect(crc.matches(bytes, 1)).toBe(true);
    for (let bit = 0; bit < CRC64_BYTES * 8; bit++) {
      bytes[1 + (bit >> 3)] ^= 1 << (bit & 7);
      expect(crc.matches(bytes, 1)).toBe(false);
      bytes[1 + (bit >> 3)] ^= 1 << (bit & 7);
    }
    expect([bytes[0], bytes[CRC64_BYTES + 1]]).toEqual([0, 0]);
  });

  it('refuses bytes that are not there', () => {
    const crc = new Crc64();
    for (const [offset, length] of [
      [-1, 4],
      [5, 4],
      [0, 9],
      [4, -1],
    ]) {
      expect(() => crc.update(new Uint8Array(8), offset, length)).toThrow(RangeError);
    }
  });
});

describe('against redis-server', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterAll(() => redis?.stop());

  it('is what DUMP ends in', async () => {
    for (const value of ['', 'a', 'some longer text', 'x'.repeat(1000)]) {
      await redis.client.set('key', value);
      const payload = await redis.client.dumpBuffer('key');
      const checked = payload.length - CRC64_BYTES;
      expect(crc64(payload.subarray(0, checked)).matches(payload, checked)).toBe(true);
    }
  });
});
