import type { Latitude, Longitude } from './geohash.js';

/** A length on the earth, which is taken for a sphere. */
export type Meters = number;

/** The quadratic mean radius of the earth (WGS 84). */
export const EARTH_RADIUS_METERS: Meters = 6372797.560856;

/** The longest distance there is. */
export const DISTANCE_MAX_METERS: Meters = Math.PI * EARTH_RADIUS_METERS;

const RADIANS_PER_DEGREE = Math.PI / 180;

/** An angle in radians. */
export function radians(degrees: number): number {
  return degrees * RADIANS_PER_DEGREE;
}

/** An angle in degrees. */
export function degrees(angle: number): number {
  return angle / RADIANS_PER_DEGREE;
}

/** The distance of two places on the same meridian. */
export function latitudeDistance(latitude1: Latitude, latitude2: Latitude): Meters {
  return EARTH_RADIUS_METERS * Math.abs(radians(latitude2) - radians(latitude1));
}

/**
 * The distance of two places along a great circle, by the haversine formula, as geohash_helper.c of Redis computes it.
 * NaN, as there, for some that are opposite to each other: the square of the sine is rounded to more than 1.
 */
export function greatCircleDistance(
  longitude1: Longitude,
  latitude1: Latitude,
  longitude2: Longitude,
  latitude2: Latitude,
): Meters {
  const v = Math.sin((radians(longitude2) - radians(longitude1)) / 2);
  if (v === 0) return latitudeDistance(latitude1, latitude2);
  const angle1 = radians(latitude1);
  const angle2 = radians(latitude2);
  const u = Math.sin((angle2 - angle1) / 2);
  const square = u * u + Math.cos(angle1) * Math.cos(angle2) * v * v;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(square));
}
