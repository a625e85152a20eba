/**
 * Geohashes: a place on the earth as one integer, so that places which are near each other mostly have near numbers.
 *
 * The two coordinates, each as a fraction of its range in a number of bits (26, when a place is kept), are interleaved
 * (a Z-order curve, G. M. Morton, 1966): longitude in the odd bits, latitude in the even ones.
 *
 *     bit      51  50  49  48  47  46   …    5   4   3   2   1   0
 *            ┌───┬───┬───┬───┬───┬───┬─────┬───┬───┬───┬───┬───┬───┐
 *            │x25│y25│x24│y24│x23│y23│  …  │ x2│ y2│ x1│ y1│ x0│ y0│       x: longitude, y: latitude
 *            └───┴───┴───┴───┴───┴───┴─────┴───┴───┴───┴───┴───┴───┘
 *
 * The first 2n bits name a cell, one of the 2^n columns by 2^n rows that the map is divided into; all places in it have
 * these bits in common, so they are a range of geohashes:
 *
 *     n = 1    ┌────┬────┐ lat +85.05      n = 2    ┌────┬────┬────┬────┐
 *              │ 01 │ 11 │                          │0101│0111│1101│1111│
 *              ├────┼────┤ 0                        ├────┼────┼────┼────┤
 *              │ 00 │ 10 │                          │0100│0110│1100│1110│
 *              └────┴────┘ lat −85.05               ├────┼────┼────┼────┤ …
 *          lon −180   0  +180
 *
 * The ranges are those of the Mercator maps (EPSG:900913), and everything that is computed is what geohash.c of Redis
 * 8.0 computes, operation for operation: the scores of sorted sets and the printed coordinates follow from it.
 *
 * The upper ends of the ranges belong to a column and row behind the last one, so that a geohash may have 54 bits. Bits
 * are kept in two words: JavaScript's bit operations have 32.
 */
import { highWord, type Int32Word, lowWord } from '../protocol/integers.js';

/** A place as the score of a sorted set: the interleaved coordinates of 26 bits each. */
export type Geohash = number;

/** Degrees east. */
export type Longitude = number;

/** Degrees north. */
export type Latitude = number;

/** The coordinates that can be kept go up to these, both ways. */
export const LONGITUDE_MAX: Longitude = 180;
export const LATITUDE_MAX: Latitude = 85.05112878;

/** The bits of each coordinate of a place. */
export const GEOHASH_STEPS = 26;

const LONGITUDE_RANGE = LONGITUDE_MAX * 2;
const LATITUDE_RANGE = LATITUDE_MAX * 2;

const STEPS_SCALE = 2 ** GEOHASH_STEPS;
const TWO_TO_32 = 2 ** 32;
const TWO_TO_63 = 2 ** 63;

/** The digits of a geohash as text: those and the letters but a, i, l and o. */
const TEXT_DIGITS = Buffer.from('0123456789bcdefghjkmnpqrstuvwxyz', 'latin1');
/** Bits of each such digit. */
const TEXT_DIGIT_BITS = 5;
/** Where text is used, latitudes reach the poles. */
const TEXT_LATITUDE_MAX = 90;

/** The length of a geohash as text. */
export const GEOHASH_TEXT_LENGTH = 11;

/** Two integers of up to 32 bits with their bits interleaved: 64 bits in two words. Reused. */
export class InterleavedBits {
  low: Int32Word = 0;
  high: Int32Word = 0;

  /** Makes the bits of `even` the even ones, bit 0 among them, and those of `odd` the others. */
  interleave(even: number, odd: number): void {
    this.low = spread(even & 0xffff) | (spread(odd & 0xffff) << 1);
    this.high = spread(even >>> 16) | (spread(odd >>> 16) << 1);
  }

  /** Makes these the bits of a score, whatever it is, as C makes a double a uint64_t on x86-64. */
  assignScore(score: number): void {
    const whole = Math.trunc(score);
    if (whole >= -TWO_TO_63 && whole < TWO_TO_63 * 2) {
      this.low = lowWord(whole);
      this.high = highWord(whole);
    } else {
      this.low = 0;
      this.high = whole < 0 ? 1 << 31 : 0;
    }
  }

  /** The integer whose bits are the even ones. */
  get even(): number {
    return (gather(this.low) | (gather(this.high) << 16)) >>> 0;
  }

  /** The integer whose bits are the odd ones. */
  get odd(): number {
    return (gather(this.low >>> 1) | (gather(this.high >>> 1) << 16)) >>> 0;
  }

  /** The 64 bits and `added`, 0 or 1, as a number; beyond 2^53 the double that is nearest. */
  plus(added: number): number {
    return (this.high >>> 0) * TWO_TO_32 + ((this.low >>> 0) + added);
  }
}

/** A place. Reused. */
export class Place {
  longitude: Longitude = 0;
  latitude: Latitude = 0;

  /** Whether the place is one that can be kept: not too near a pole. */
  get isValid(): boolean {
    const { longitude, latitude } = this;
    return Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX;
  }

  /** Puts the bits of the place, which is valid, into `bits`. */
  encode(bits: InterleavedBits): void {
    bits.interleave(rowOf(this.latitude, STEPS_SCALE), columnOf(this.longitude, STEPS_SCALE));
  }

  /** Makes this the middle of the cell that a geohash names. Any score names one. */
  decode(geohash: Geohash): void {
    bitsRead.assignScore(geohash);
    const column = bitsRead.odd;
    const row = bitsRead.even;
    // Of scores that are no geohashes, all 32 bits of a coordinate may be set.
    const east = longitudeAt((column + 1) >>> 0, STEPS_SCALE);
    const north = latitudeAt((row + 1) >>> 0, STEPS_SCALE);
    const longitude = (longitudeAt(column, STEPS_SCALE) + east) / 2;
    const latitude = (latitudeAt(row, STEPS_SCALE) + north) / 2;
    this.longitude = Math.min(Math.max(longitude, -LONGITUDE_MAX), LONGITUDE_MAX);
    this.latitude = Math.min(Math.max(latitude, -LATITUDE_MAX), LATITUDE_MAX);
  }
}

const bitsRead = new InterleavedBits();
const bitsOfCell = new InterleavedBits();

/** A cell of the map: what the first 2 × `step` bits of a geohash name. Reused. */
export class GeohashCell {
  /** Bits of each coordinate, 1 to 26; 0 when this is no cell. */
  step = 0;
  /** From 0, at −180 degrees, to below 2^step; 2^step for +180 degrees itself. */
  column = 0;
  /** The same from south to north. */
  row = 0;

  /** Makes this the cell of a place, which is valid. */
  assign(longitude: Longitude, latitude: Latitude, step: number): void {
    this.step = step;
    this.column = columnOf(longitude, 2 ** step);
    this.row = rowOf(latitude, 2 ** step);
  }

  /** Makes this the cell next to another, or itself; behind the last column, and row, is the first. */
  assignNeighbour({ step, column, row }: GeohashCell, east: number, north: number): void {
    this.step = step;
    this.column = moved(column, east, step);
    this.row = moved(row, north, step);
  }

  /** Makes this no cell. */
  clear(): void {
    this.step = 0;
    this.column = 0;
    this.row = 0;
  }

  /** Whether both are the same cell. */
  equals(other: GeohashCell): boolean {
    return this.step === other.step && this.column === other.column && this.row === other.row;
  }

  /** The least geohash of the places in the cell. */
  get start(): Geohash {
    return this.align(0);
  }

  /** The least geohash above those of the places in the cell. */
  get end(): Geohash {
    return this.align(1);
  }

  get west(): Longitude {
    return longitudeAt(this.column, 2 ** this.step);
  }

  get east(): Longitude {
    return longitudeAt(this.column + 1, 2 ** this.step);
  }

  get south(): Latitude {
    return latitudeAt(this.row, 2 ** this.step);
  }

  get north(): Latitude {
    return latitudeAt(this.row + 1, 2 ** this.step);
  }

  /** The bits of the cell, and `added`, as the first ones of a geohash. */
  private align(added: number): Geohash {
    bitsOfCell.interleave(this.row, this.column);
    return bitsOfCell.plus(added) * 4 ** (GEOHASH_STEPS - this.step);
  }
}

/**
 * Writes the geohash of a place as geohash.org spells it, `GEOHASH_TEXT_LENGTH` digits of five bits each, at `offset`.
 * There latitudes go from −90 to 90, so these are other bits; as they are only 52, the last digit is always 0.
 */
export function writeGeohashText(bytes: Uint8Array, offset: number, place: Place): void {
  const row = Math.trunc(((place.latitude + TEXT_LATITUDE_MAX) / (TEXT_LATITUDE_MAX * 2)) * STEPS_SCALE);
  bitsRead.interleave(row, columnOf(place.longitude, STEPS_SCALE));
  // Bits beyond 52 are left out.
  let rest = (bitsRead.high & 0xfffff) * TWO_TO_32 + (bitsRead.low >>> 0);
  let shift = 2 ** (GEOHASH_STEPS * 2);
  for (let i = 0; i < GEOHASH_TEXT_LENGTH - 1; i++) {
    shift /= 2 ** TEXT_DIGIT_BITS;
    const digit = Math.floor(rest / shift);
    rest -= digit * shift;
    bytes[offset + i] = TEXT_DIGITS[digit];
  }
  bytes[offset + GEOHASH_TEXT_LENGTH - 1] = TEXT_DIGITS[0];
}

function columnOf(longitude: Longitude, scale: number): number {
  return Math.trunc(((longitude + LONGITUDE_MAX) / LONGITUDE_RANGE) * scale);
}

function rowOf(latitude: Latitude, scale: number): number {
  return Math.trunc(((latitude + LATITUDE_MAX) / LATITUDE_RANGE) * scale);
}

function longitudeAt(column: number, scale: number): Longitude {
  return -LONGITUDE_MAX + (column / scale) * LONGITUDE_RANGE;
}

function latitudeAt(row: number, scale: number): Latitude {
  return -LATITUDE_MAX + (row / scale) * LATITUDE_RANGE;
}

/** A column or row that is `by` further. One that is not moved stays even when it is behind the last. */
function moved(index: number, by: number, step: number): number {
  if (by === 0) return index;
  const count = 2 ** step;
  return (index + by + count) % count;
}

/** 16 bits, each two places from the one before: abcd becomes 0a0b0c0d. */
function spread(value: number): number {
  let bits = value;
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}

/** What `spread` had spread; the bits between are dropped. */
function gather(value: number): number {
  let bits = value & 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}
