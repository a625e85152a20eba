import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GeoArea, GeoCoverage } from '../../../src/structures/geo-area.js';
import {
  GEOHASH_TEXT_LENGTH,
  GeohashCell,
  InterleavedBits,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  Place,
  writeGeohashText,
} from '../../../src/structures/geohash.js';
import { EARTH_RADIUS_METERS, greatCircleDistance } from '../../../src/structures/great-circle.js';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const longitudes = fc.double({ min: -LONGITUDE_MAX, max: LONGITUDE_MAX, noNaN: true });
const latitudes = fc.double({ min: -LATITUDE_MAX, max: LATITUDE_MAX, noNaN: true });

function placeAt(longitude: number, latitude: number): Place {
  const place = new Place();
  place.longitude = longitude;
  place.latitude = latitude;
  return place;
}

function encoded(longitude: number, latitude: number): number {
  const bits = new InterleavedBits();
  placeAt(longitude, latitude).encode(bits);
  return bits.plus(0);
}

function decoded(geohash: number): Place {
  const place = new Place();
  place.decode(geohash);
  return place;
}

function textOf(place: Place): string {
  const bytes = new Uint8Array(GEOHASH_TEXT_LENGTH + 2);
  writeGeohashText(bytes, 1, place);
  return Buffer.from(bytes.subarray(1, -1)).toString('latin1');
}

/** The plain way: bit by bit. */
function interleavedModel(even: number, odd: number): bigint {
  let bits = 0n;
  for (let i = 0n; i < 32n; i++) {
    bits |= ((BigInt(even) >> i) & 1n) << (2n * i);
    bits |= ((BigInt(odd) >> i) & 1n) << (2n * i + 1n);
  }
  return bits;
}

describe('InterleavedBits', () => {
  it('has the bits of both integers, and gives them back', () => {
    fc.assert(
      fc.property(uint32, uint32, (even, odd) => {
        const bits = new InterleavedBits();
        bits.interleave(even, odd);
        const model = interleavedModel(even, odd);
        expect(BigInt(bits.high >>> 0) * 2n ** 32n + BigInt(bits.low >>> 0)).toBe(model);
        expect([bits.even, bits.odd]).toEqual([even, odd]);
        expect(bits.plus(0)).toBe(Number(model));
        expect(bits.plus(1)).toBe(Number(model + 1n));
      }),
    );
  });

  it.each([
    [5.9, 5n],
    [-0.5, 0n],
    [-1, 2n ** 64n - 1n],
    [2 ** 53 + 2, 2n ** 53n + 2n],
    [2 ** 63, 2n ** 63n],
    [2 ** 64 - 2048, 2n ** 64n - 2048n],
    [2 ** 64, 0n],
    [Number.POSITIVE_INFINITY, 0n],
    [-(2 ** 63), 2n ** 63n],
    [-1e19, 2n ** 63n],
    [Number.NEGATIVE_INFINITY, 2n ** 63n],
  ])('takes the score %d as C does', (score, expected) => {
    const bits = new InterleavedBits();
    bits.assignScore(score);
    expect(BigInt(bits.high >>> 0) * 2n ** 32n + BigInt(bits.low >>> 0)).toBe(expected);
  });
});

describe('Place', () => {
  // The examples of the documentation of GEOADD, GEOPOS and GEOHASH, and of geo.tcl.
  it.each([
    [13.361389, 38.115556, 3479099956230698, 13.361389338970184, 38.1155563954963, 'sqc8b49rny0'],
    [15.087269, 37.502669, 3479447370796909, 15.087267458438873, 37.50266842333162, 'sqdtr74hyu0'],
    [-73.9454966, 40.747533, 1791875804419201, -73.94549518823624, 40.74753246166573, 'dr5rtwccpb0'],
  ])('%d, %d is %d', (longitude, latitude, geohash, decodedLongitude, decodedLatitude) => {
    expect(encoded(longitude, latitude)).toBe(geohash);
    const { longitude: east, latitude: north } = decoded(geohash);
    expect(east).toBeCloseTo(decodedLongitude, 5);
    expect(north).toBeCloseTo(decodedLatitude, 5);
  });

  it.each([
    [13.361389, 38.115556, 'sqc8b49rny0'],
    [15.087269, 37.502669, 'sqdtr74hyu0'],
    [-5.60302734375, 42.60498046875, 'ezs42s00000'],
  ])('%d, %d is spelled %s', (longitude, latitude, text) => {
    expect(textOf(decoded(encoded(longitude, latitude)))).toBe(text);
  });

  it('is decoded to where its bits are, no farther away than half a cell', () => {
    fc.assert(
      fc.property(longitudes, latitudes, (longitude, latitude) => {
        const place = decoded(encoded(longitude, latitude));
        expect(Math.abs(place.longitude - longitude)).toBeLessThanOrEqual(360 / 2 ** 27 + 1e-12);
        expect(Math.abs(place.latitude - latitude)).toBeLessThanOrEqual(LATITUDE_MAX / 2 ** 26 + 1e-12);
        if (longitude < LONGITUDE_MAX && latitude < LATITUDE_MAX) {
          expect(encoded(place.longitude, place.latitude)).toBe(encoded(longitude, latitude));
        }
      }),
    );
  });

  it('of any score is valid', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (score) => {
        expect(decoded(score).isValid).toBe(true);
      }),
    );
  });

  it('beyond the ends of the map is none', () => {
    expect(placeAt(180, 85.05112878).isValid).toBe(true);
    expect(placeAt(180.00000001, 0).isValid).toBe(false);
    expect(placeAt(0, -85.06).isValid).toBe(false);
    expect(placeAt(Number.NEGATIVE_INFINITY, 0).isValid).toBe(false);
  });
});

describe('GeohashCell', () => {
  it('has the geohashes of the places that are in it, and no others', () => {
    fc.assert(
      fc.property(longitudes, latitudes, longitudes, latitudes, fc.integer({ min: 1, max: 26 }), (...of) => {
        const [longitude, latitude, otherLongitude, otherLatitude, step] = of;
        const cell = new GeohashCell();
        cell.assign(longitude, latitude, step);
        const own = encoded(longitude, latitude);
        expect(own >= cell.start && own < cell.end).toBe(true);
        const other = new GeohashCell();
        other.assign(otherLongitude, otherLatitude, step);
        const geohash = encoded(otherLongitude, otherLatitude);
        expect(geohash >= cell.start && geohash < cell.end).toBe(other.equals(cell));
      }),
    );
  });

  it('has neighbours that meet it, and behind the last column is the first', () => {
    fc.assert(
      fc.property(longitudes, latitudes, fc.integer({ min: 1, max: 26 }), (longitude, latitude, step) => {
        const cell = new GeohashCell();
        const next = new GeohashCell();
        // Not the column behind the last one, in which 180 degrees is.
        cell.assign(Math.min(longitude, 179.99), latitude, step);
        next.assignNeighbour(cell, 1, 0);
        expect(next.row).toBe(cell.row);
        expect(next.west).toBe(cell.column === 2 ** step - 1 ? -LONGITUDE_MAX : cell.east);
        next.assignNeighbour(next, -1, 0);
        expect(next.equals(cell)).toBe(true);
      }),
    );
  });
});

describe('greatCircleDistance', () => {
  it.each([
    [13.361389338970184, 38.1155563954963, 15.087267458438873, 37.50266842333162, 166274.1516],
    [0, 0, 0, 90, (Math.PI / 2) * EARTH_RADIUS_METERS],
    [0, 0, 180, 0, Math.PI * EARTH_RADIUS_METERS],
    [10, 20, 10, 20, 0],
  ])('from %d, %d to %d, %d', (longitude1, latitude1, longitude2, latitude2, meters) => {
    expect(greatCircleDistance(longitude1, latitude1, longitude2, latitude2)).toBeCloseTo(meters, 3);
  });

  it('is what the angle between two vectors says', () => {
    fc.assert(
      fc.property(longitudes, latitudes, longitudes, latitudes, (...at) => {
        const [longitude1, latitude1, longitude2, latitude2] = at.map((angle) => (angle * Math.PI) / 180);
        const a = [
          Math.cos(latitude1) * Math.cos(longitude1),
          Math.cos(latitude1) * Math.sin(longitude1),
          Math.sin(latitude1),
        ];
        const b = [
          Math.cos(latitude2) * Math.cos(longitude2),
          Math.cos(latitude2) * Math.sin(longitude2),
          Math.sin(latitude2),
        ];
        const chord = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
        const sum = Math.hypot(a[0] + b[0], a[1] + b[1], a[2] + b[2]);
        const distance = greatCircleDistance(...at);
        // Opposite places: see there.
        if (Number.isNaN(distance)) expect(sum).toBeLessThan(1e-6);
        else expect(distance / EARTH_RADIUS_METERS).toBeCloseTo(2 * Math.atan2(chord, sum), 7);
      }),
    );
  });
});

describe('GeoArea', () => {
  it('contains the places of a circle that are no farther away than its radius', () => {
    fc.assert(
      fc.property(longitudes, latitudes, longitudes, latitudes, fc.nat(20_100), (...of) => {
        const [longitude, latitude, otherLongitude, otherLatitude, radius] = of;
        const area = new GeoArea();
        Object.assign(area, { longitude, latitude, radius, unitMeters: 1000 });
        const distance = greatCircleDistance(longitude, latitude, otherLongitude, otherLatitude);
        const isInside = area.contains(placeAt(otherLongitude, otherLatitude));
        expect(isInside).toBe(!(distance > radius * 1000));
        if (isInside) expect(area.distance).toBe(distance);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('GeoCoverage', () => {
  /** Between the parallels where all areas are covered; see geo.tcl. */
  const inner = fc.double({ min: -70, max: 70, noNaN: true });

  it('covers every place of a circle or box, each by one cell', () => {
    const area = new GeoArea();
    const coverage = new GeoCoverage();
    let inside = 0;
    fc.assert(
      fc.property(
        longitudes,
        inner,
        fc.boolean(),
        fc.double({ min: 1, max: 2_000_000, noNaN: true }),
        fc.array(fc.tuple(fc.double({ min: -1, max: 1 }), fc.double({ min: -1, max: 1 }))),
        (longitude, latitude, isBox, size, others) => {
          Object.assign(area, { longitude, latitude, isBox, radius: size, width: size * 2, height: size });
          coverage.cover(area);
          for (const [east, north] of others) {
            const reach = size / 60_000;
            const place = placeAt(longitude + east * reach, latitude + north * reach);
            // Areas that the antimeridian divides are covered on one side only, in Redis too.
            if (Number.isNaN(east + north) || !place.isValid || Math.abs(place.latitude) > 70) continue;
            if (!area.contains(place)) continue;
            inside++;
            const geohash = encoded(place.longitude, place.latitude);
            const found = coverage.cells.filter(
              (cell) => cell.step > 0 && geohash >= cell.start && geohash < cell.end,
            );
            expect(new Set(found.map((cell) => `${cell.column}:${cell.row}`)).size).toBe(1);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(inside).toBeGreaterThan(1000);
  });

  it('leaves out the cells beyond the area', () => {
    const area = new GeoArea();
    const coverage = new GeoCoverage();
    Object.assign(area, { longitude: 10, latitude: 40, radius: 1 });
    coverage.cover(area);
    const used = coverage.cells.filter((cell) => cell.step > 0);
    expect(used.length).toBeLessThan(9);
    expect(used[0].step).toBeGreaterThan(20);
  });

  it('is the whole map for a radius beyond it', () => {
    const area = new GeoArea();
    const coverage = new GeoCoverage();
    Object.assign(area, { longitude: 10, latitude: 40, radius: Number.POSITIVE_INFINITY });
    coverage.cover(area);
    expect(coverage.cells.map((cell) => cell.step)).toEqual(Array(9).fill(1));
    expect(new Set(coverage.cells.map((cell) => cell.start)).size).toBe(4);
  });
});
