/**
 * Elements made for a register and a value of a HyperLogLog: MurmurHash64A of 8 bytes can be computed backwards. Written
 * with BigInt, from the definition, apart from the one in src.
 */

const MASK = 2n ** 64n - 1n;
const MULTIPLIER = 0xc6a4a7935bd1e995n;
const SEED = 0xadc83b19n;
const REGISTER_NUMBER_BITS = 14n;

/** The number that undoes a multiplication by MULTIPLIER. */
const INVERSE = inverseOf(MULTIPLIER);

function inverseOf(odd: bigint): bigint {
  let inverse = odd;
  for (let bits = 3; bits < 64; bits *= 2) inverse = (inverse * (2n - odd * inverse)) & MASK;
  return inverse & MASK;
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) & MASK;
}

/** Its own inverse, as twice 47 is more than 64. */
function mixed(value: bigint): bigint {
  return value ^ (value >> 47n);
}

/** MurmurHash64A, by the book. */
export function murmurHash64A(bytes: Uint8Array, seed: bigint = SEED): bigint {
  const buffer = Buffer.from(bytes);
  let hash = seed ^ times(BigInt(buffer.length), MULTIPLIER);
  const blocksEnd = buffer.length - (buffer.length % 8);
  for (let position = 0; position < blocksEnd; position += 8) {
    const word = times(mixed(times(buffer.readBigUInt64LE(position), MULTIPLIER)), MULTIPLIER);
    hash = times(hash ^ word, MULTIPLIER);
  }
  if (blocksEnd < buffer.length) {
    const rest = Buffer.alloc(8);
    buffer.copy(rest, 0, blocksEnd);
    hash = times(hash ^ rest.readBigUInt64LE(), MULTIPLIER);
  }
  return mixed(times(mixed(hash), MULTIPLIER));
}

/** The register of an element, and the value that it raises that to, by the book. */
export function registerOf(element: Uint8Array): [register: number, value: number] {
  const hash = murmurHash64A(element);
  let pattern = (hash >> REGISTER_NUMBER_BITS) | (1n << (64n - REGISTER_NUMBER_BITS));
  let value = 1;
  for (; (pattern & 1n) === 0n; pattern >>= 1n) value++;
  return [Number(hash & (2n ** REGISTER_NUMBER_BITS - 1n)), value];
}

/** An element of 8 bytes that raises a register (0 to 16383) to a value (1 to 51). */
export function elementFor(register: number, value: number): Buffer {
  const pattern = value > 50 ? 0n : 1n << BigInt(value - 1);
  const hash = BigInt(register) | (pattern << REGISTER_NUMBER_BITS);
  const end = mixed(times(mixed(hash), INVERSE));
  const word = times(end, INVERSE) ^ (SEED ^ times(8n, MULTIPLIER));
  const element = Buffer.alloc(8);
  element.writeBigUInt64LE(times(mixed(times(word, INVERSE)), INVERSE));
  return element;
}
