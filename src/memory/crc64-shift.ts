/** Redis's polynomial (Jones), bits reversed, as the checksum is computed. */
const POLYNOMIAL = 0x95ac9329ac4bc9b5n;
/** The polynomials 1 and x^8, bits reversed. */
const ONE = 1n << 63n;
const X_TO_8 = 1n << 55n;

/**
 * What a CRC-64 becomes when so many zero bytes follow, in about a millisecond however many they are. As the checksum is
 * linear, this tells how it changes when earlier bytes do: by that of the difference, followed by zeros.
 *
 * Appending a byte multiplies the checksum by x^8 modulo the polynomial (the way of zlib's crc32_combine).
 */
export function shiftedCrc64(checksum: bigint, zeroBytes: number): bigint {
  let result = checksum;
  let power = X_TO_8;
  for (let left = zeroBytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiplied(power, result);
    power = multiplied(power, power);
  }
  return result;
}

function multiplied(a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 0n ? shifted >> 1n : (shifted >> 1n) ^ POLYNOMIAL;
  }
  return product;
}
