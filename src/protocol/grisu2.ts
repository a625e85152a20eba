/**
 * The decimal digits of a double, as Redis finds them: Grisu2.
 *
 * Redis prints doubles with fpconv, an implementation of Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers
 * Quickly and Accurately with Integers", 2010). Its digits always read back as the same double, but about one double in
 * a thousand gets a digit more than it needs, where JavaScript's own `String(value)` is always shortest. Clients see the
 * difference, so this is the same algorithm with the same rounding at each step.
 *
 * The idea: take the double and the two points half way to its neighbours, multiply all three by a power of ten chosen
 * so that the products' integer parts fit 32 bits, and write digits of the upper one until what is left is no more than
 * the distance from the lower to the upper. The arithmetic is on unsigned 64-bit integers without BigInt: pairs of
 * unsigned 32-bit words.
 *
 *     | high: 32 bits              | low: 32 bits |          a bound or the value, after the multiplication
 *     | integer | fractionHighBits | 32 bits      |          fractionHighBits: 0 to 28
 */

/** The most digits that a double gets. */
export const DOUBLE_DIGITS_MAX = 17;

const ZERO = 0x30;

const TWO_TO_32 = 4294967296;

/** Exponent of the last bit of a subnormal double's significand, and the bias of the exponent field relative to it. */
const SUBNORMAL_EXPONENT = -1074;
const EXPONENT_BIAS = 1075;
/** The significand's implicit leading bit, in its high word. */
const HIDDEN_BIT_HIGH = 0x100000;

/** Powers of ten are kept from 10^-348 to 10^340 in steps of 10^8. */
const POWER_MIN = -348;
const POWER_STEP = 8;
const POWER_COUNT = 87;

/** The table is made with this many bits behind the point: more than 64 more than the smallest power needs. */
const POWER_FRACTION_BITS = 1300;

/** The product's binary exponent must lie between these for its integer part to fit 32 bits and its fraction 60. */
const PRODUCT_EXPONENT_MIN = -60;
const PRODUCT_EXPONENT_MAX = -32;

const LOG10_OF_2 = 0.30102999566398114;

/** 64-bit significands (leading bit set, rounded to nearest) and binary exponents of the powers above. */
const powerHighs = new Uint32Array(POWER_COUNT);
const powerLows = new Uint32Array(POWER_COUNT);
const powerExponents = new Int16Array(POWER_COUNT);

for (let index = 0; index < POWER_COUNT; index++) {
  const power = POWER_MIN + index * POWER_STEP;
  const one = 1n << BigInt(POWER_FRACTION_BITS);
  const scaled = power < 0 ? one / 10n ** BigInt(-power) : one * 10n ** BigInt(power);
  const droppedBits = scaled.toString(2).length - 64;
  const significand = (scaled + (1n << BigInt(droppedBits - 1))) >> BigInt(droppedBits);
  powerHighs[index] = Number(significand >> 32n);
  powerLows[index] = Number(significand & 0xffffffffn);
  powerExponents[index] = droppedBits - POWER_FRACTION_BITS;
}

/** Which element of a pair of words is which. */
const HIGH = 0;
const LOW = 1;

/** The most digits that the integer part of a product has. */
const INTEGER_DIGITS_MAX = 10;

const POWERS_OF_TEN = Uint32Array.from({ length: INTEGER_DIGITS_MAX }, (_, exponent) => 10 ** exponent);

const doubleBits = new DataView(new ArrayBuffer(8));

/** The decimal digits and exponent of one double at a time; an instance is reused so that nothing is allocated. */
export class Grisu2 {
  /** ASCII digits, the first one not "0"; `digitCount` of them are valid. */
  readonly digits = new Uint8Array(DOUBLE_DIGITS_MAX + 1);
  digitCount = 0;
  /** The double is (almost exactly) the integer that the digits spell, times ten to this power. */
  exponent = 0;

  // Pairs of words. V8 would allocate a number for each word kept in a field or passed along.
  readonly #value = new Uint32Array(2);
  readonly #upper = new Uint32Array(2);
  readonly #lower = new Uint32Array(2);
  /** From the lower to the upper bound, and from the value to the upper bound, in the unit of the last digit's rest. */
  readonly #width = new Uint32Array(2);
  readonly #distance = new Uint32Array(2);
  /** The integer part modulo 10^index. */
  readonly #remainders = new Uint32Array(INTEGER_DIGITS_MAX);

  /** Finds the digits of a positive, finite double. */
  find(value: number): void {
    const exponent = this.#setBounds(value);
    const power = powerIndexFor(exponent);
    multiplyByPower(this.#value, power);
    multiplyByPower(this.#upper, power);
    multiplyByPower(this.#lower, power);
    // Each product may be off by one: narrowed by one at either end, the interval lies inside the true one.
    subtract(this.#upper, 0, 1);
    add(this.#lower, 0, 1);
    this.exponent = -(POWER_MIN + power * POWER_STEP);
    this.#generate(-(exponent + powerExponents[power] + 64) - 32);
  }

  /**
   * Sets the value and the points half way to its neighbours, shifted so that the leading bit is bit 63, and returns
   * the binary exponent of bit 0.
   */
  #setBounds(value: number): number {
    doubleBits.setFloat64(0, value);
    const bitsHigh = doubleBits.getUint32(0);
    const bitsLow = doubleBits.getUint32(4);
    const exponentField = bitsHigh >>> 20;
    const isSubnormal = exponentField === 0;
    const significandHigh = (bitsHigh & 0xfffff) | (isSubnormal ? 0 : HIDDEN_BIT_HIGH);

    const shift = significandHigh === 0 ? 32 + Math.clz32(bitsLow) : Math.clz32(significandHigh);
    let high = 0;
    let low = 0;
    if (shift >= 32) {
      high = bitsLow << (shift - 32);
    } else {
      high = (significandHigh << shift) | (bitsLow >>> (32 - shift));
      low = bitsLow << shift;
    }
    this.#value[HIGH] = this.#upper[HIGH] = this.#lower[HIGH] = high;
    this.#value[LOW] = this.#upper[LOW] = this.#lower[LOW] = low;

    // Bit `shift` is the last one of the significand, so half the distance to the next double is the bit below it.
    // The double below a power of two is only half as far away as the one above.
    const isPowerOfTwo = !isSubnormal && significandHigh === HIDDEN_BIT_HIGH && bitsLow === 0;
    const upperBit = shift - 1;
    const lowerBit = isPowerOfTwo ? shift - 2 : shift - 1;
    add(this.#upper, upperBit >= 32 ? 1 << (upperBit - 32) : 0, upperBit >= 32 ? 0 : 1 << upperBit);
    subtract(this.#lower, lowerBit >= 32 ? 1 << (lowerBit - 32) : 0, lowerBit >= 32 ? 0 : 1 << lowerBit);
    return (isSubnormal ? SUBNORMAL_EXPONENT : exponentField - EXPONENT_BIAS) - shift;
  }

  /** Writes the digits of the upper bound until the rest is at most the width of the interval, and rounds the last. */
  #generate(fractionHighBits: number): void {
    const upperHigh = this.#upper[HIGH];
    const upperLow = this.#upper[LOW];
    setDifference(this.#width, this.#upper, this.#lower);
    setDifference(this.#distance, this.#upper, this.#value);
    const widthHigh = this.#width[HIGH];
    const widthLow = this.#width[LOW];

    const fractionMask = (1 << fractionHighBits) - 1;
    const fractionHigh = upperHigh & fractionMask;
    const integerDigits = this.#writeInteger(upperHigh >>> fractionHighBits);
    for (let place = integerDigits - 1; place >= 0; place--) {
      const restHigh = ((this.#remainders[place] << fractionHighBits) | fractionHigh) >>> 0;
      if (restHigh < widthHigh || (restHigh === widthHigh && upperLow <= widthLow)) {
        this.digitCount = integerDigits - place;
        this.exponent += place;
        this.#roundLastDigit(restHigh, upperLow, POWERS_OF_TEN[place] * (fractionMask + 1));
        return;
      }
    }
    this.#writeFraction(integerDigits, fractionHigh, upperLow, fractionHighBits);
  }

  /** Writes all digits of the integer part and returns their number. */
  #writeInteger(integer: number): number {
    let count = 0;
    while (count < INTEGER_DIGITS_MAX && integer >= POWERS_OF_TEN[count]) count++;
    let rest = integer;
    let remainder = 0;
    for (let place = 0; place < count; place++) {
      this.#remainders[place] = remainder;
      const quotient = (rest / 10) >>> 0;
      const digit = (rest - quotient * 10) | 0;
      this.digits[count - 1 - place] = ZERO + digit;
      remainder += digit * POWERS_OF_TEN[place];
      rest = quotient;
    }
    return count;
  }

  /** Writes digits of the fraction behind those of the integer part until the rest is below the width. */
  #writeFraction(integerDigits: number, high: number, low: number, fractionHighBits: number): void {
    const fractionMask = (1 << fractionHighBits) - 1;
    const width = this.#width;
    const distance = this.#distance;
    let count = integerDigits;
    let place = 0;
    let restHigh = high | 0;
    let restLow = low | 0;
    // The width and the distance grow tenfold with every digit, as the rest does. None outgrows 64 bits, because the
    // rest, which has at most 60, was still above the width.
    let widthHigh = width[HIGH] | 0;
    let widthLow = width[LOW] | 0;
    let distanceHigh = distance[HIGH] | 0;
    let distanceLow = distance[LOW] | 0;
    do {
      restHigh = (Math.imul(restHigh, 10) + carryOfTimesTen(restLow)) | 0;
      restLow = Math.imul(restLow, 10);
      widthHigh = (Math.imul(widthHigh, 10) + carryOfTimesTen(widthLow)) | 0;
      widthLow = Math.imul(widthLow, 10);
      distanceHigh = (Math.imul(distanceHigh, 10) + carryOfTimesTen(distanceLow)) | 0;
      distanceLow = Math.imul(distanceLow, 10);
      const digit = restHigh >>> fractionHighBits;
      if (digit !== 0 || count !== 0) this.digits[count++] = ZERO + digit;
      restHigh &= fractionMask;
      place--;
    } while (
      !(restHigh < widthHigh >>> 0 || (restHigh === widthHigh >>> 0 && restLow >>> 0 < widthLow >>> 0))
    );
    width[HIGH] = widthHigh;
    width[LOW] = widthLow;
    distance[HIGH] = distanceHigh;
    distance[LOW] = distanceLow;
    this.digitCount = count;
    this.exponent += place;
    this.#roundLastDigit(restHigh, restLow >>> 0, fractionMask + 1);
  }

  /**
   * Counts the last digit down while that brings the number closer to the value. The number is `restHigh` and `restLow`
   * below the upper bound; one of its last digit is `unitHigh` in the high word.
   *
   * Differences of 64-bit integers are compared with zero, and the sign of `high * 2^32 + low` is exact even where the
   * sum is rounded.
   */
  #roundLastDigit(restHigh: number, restLow: number, unitHigh: number): void {
    let distanceHigh = this.#distance[HIGH] - restHigh;
    const distanceLow = this.#distance[LOW] - restLow;
    let widthHigh = this.#width[HIGH] - restHigh;
    const widthLow = this.#width[LOW] - restLow;
    while (
      distanceHigh * TWO_TO_32 + distanceLow > 0 &&
      (widthHigh - unitHigh) * TWO_TO_32 + widthLow >= 0 &&
      ((distanceHigh - unitHigh) * TWO_TO_32 + distanceLow > 0 ||
        (2 * distanceHigh - unitHigh) * TWO_TO_32 + 2 * distanceLow > 0)
    ) {
      this.digits[this.digitCount - 1]--;
      distanceHigh -= unitHigh;
      widthHigh -= unitHigh;
    }
  }
}

/** Adds a 64-bit integer to a pair of words, modulo 2^64. */
function add(words: Uint32Array, high: number, low: number): void {
  const sum = (words[LOW] + low) >>> 0;
  words[HIGH] += high + (sum < low >>> 0 ? 1 : 0);
  words[LOW] = sum;
}

/** Subtracts a 64-bit integer from a pair of words, modulo 2^64. */
function subtract(words: Uint32Array, high: number, low: number): void {
  const borrow = words[LOW] < low >>> 0 ? 1 : 0;
  words[HIGH] -= high + borrow;
  words[LOW] -= low;
}

/** Sets `target` to a minus b, which is not larger. */
function setDifference(target: Uint32Array, a: Uint32Array, b: Uint32Array): void {
  target[HIGH] = a[HIGH] - b[HIGH] - (a[LOW] < b[LOW] ? 1 : 0);
  target[LOW] = a[LOW] - b[LOW];
}

/** What multiplying a low word by ten carries into the high word: 0 to 9. */
function carryOfTimesTen(low: number): number {
  const timesEight = (low << 3) >>> 0;
  const timesTen = (timesEight + (low << 1)) >>> 0;
  return (low >>> 29) + (low >>> 31) + (timesTen < timesEight ? 1 : 0);
}

/** Replaces a 64-bit integer by the upper half of its product with a power's significand, rounded to nearest. */
function multiplyByPower(words: Uint32Array, power: number): void {
  const aHigh = words[HIGH];
  const aLow = words[LOW];
  const bHigh = powerHighs[power];
  const bLow = powerLows[power];
  const middle =
    (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bHigh) >>> 0) + upperProduct(aLow, bLow) + 0x80000000;
  const low =
    (Math.imul(aHigh, bHigh) >>> 0) +
    upperProduct(aHigh, bLow) +
    upperProduct(aLow, bHigh) +
    Math.floor(middle / TWO_TO_32);
  const carry = Math.floor(low / TWO_TO_32);
  words[HIGH] = upperProduct(aHigh, bHigh) + carry;
  words[LOW] = low - carry * TWO_TO_32;
}

/** The upper 32 bits of the product of two unsigned 32-bit integers. */
function upperProduct(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const rest = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (rest >>> 16);
}

/** The index of the power of ten whose product with a significand of this exponent fits, the one that fpconv takes. */
function powerIndexFor(exponent: number): number {
  const approximation = Math.trunc(-(exponent + POWER_COUNT) * LOG10_OF_2);
  let index = Math.trunc((approximation - POWER_MIN) / POWER_STEP);
  for (;;) {
    const productExponent = exponent + powerExponents[index] + 64;
    if (productExponent < PRODUCT_EXPONENT_MIN) index++;
    else if (productExponent > PRODUCT_EXPONENT_MAX) index--;
    else return index;
  }
}
