/**
 * Areas around a place, and the cells of the map that cover them. All is as geohash_helper.c of Redis 8.0 computes it:
 * in which order the places of an area are found follows from it, and which ones are missed near the poles.
 */
import { GEOHASH_STEPS, GeohashCell, type Latitude, type Longitude, type Place } from './geohash.js';
import {
  degrees,
  EARTH_RADIUS_METERS,
  greatCircleDistance,
  latitudeDistance,
  type Meters,
  radians,
} from './great-circle.js';

/** Half the length of the equator on a Mercator map. */
const MERCATOR_MAX: Meters = 20037726.37;

/** No error of rounding makes a distance longer, or shorter, by this factor. */
const ROUNDING_MARGIN = 1 + 1e-9;
/** Degrees within which a place may be taken for the one opposite to another, whose distance may be NaN. */
const OPPOSITE_MARGIN = 1e-3;

/** A circle around a place, or a box of which it is the middle, with sides along the meridians and parallels. Reused. */
export class GeoArea {
  longitude: Longitude = 0;
  latitude: Latitude = 0;
  isBox = false;
  /** The unit of `radius`, `width` and `height`. */
  unitMeters: Meters = 1;
  /** Of a circle. */
  radius = 0;
  /** Of a box. */
  width = 0;
  height = 0;

  /** How far from the middle the place is that `contains` was asked for last, if the area contains it. */
  distance: Meters = 0;

  /** Whether a place is in the area. */
  contains(place: Place): boolean {
    return this.isBox ? this.boxContains(place) : this.circleContains(place);
  }

  /** How far the area reaches from its middle. */
  get reach(): Meters {
    const { width, height, unitMeters } = this;
    if (!this.isBox) return this.radius * unitMeters;
    return Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) * unitMeters;
  }

  private circleContains({ longitude, latitude }: Place): boolean {
    const radius = this.radius * this.unitMeters;
    // Too far north or south: most of what is outside is found without trigonometry.
    const isBeyond = latitudeDistance(latitude, this.latitude) > radius * ROUNDING_MARGIN;
    if (isBeyond && Math.abs(latitude + this.latitude) > OPPOSITE_MARGIN) return false;
    this.distance = greatCircleDistance(this.longitude, this.latitude, longitude, latitude);
    // Not the other way round: a distance that is NaN is within.
    return !(this.distance > radius);
  }

  private boxContains({ longitude, latitude }: Place): boolean {
    if (latitudeDistance(latitude, this.latitude) > (this.height * this.unitMeters) / 2) return false;
    const across = greatCircleDistance(longitude, latitude, this.longitude, latitude);
    if (across > (this.width * this.unitMeters) / 2) return false;
    this.distance = greatCircleDistance(this.longitude, this.latitude, longitude, latitude);
    return true;
  }
}

/** What leads from the cell in the middle to each cell that is searched, in the order of the search. */
const DIRECTIONS: readonly (readonly [east: number, north: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];
const NORTH = 1;
const SOUTH = 2;
const EAST = 3;
const WEST = 4;

/**
 * The cells that have to be searched for the places of an area: the one of its middle and those around it, of a size
 * that these nine are enough. Some of them are not needed, and none (`step` is 0).
 *
 *     ┌───┬───┬───┐
 *     │ 6 │ 1 │ 5 │
 *     ├───┼───┼───┤
 *     │ 4 │ 0 │ 3 │
 *     ├───┼───┼───┤
 *     │ 8 │ 2 │ 7 │
 *     └───┴───┴───┘
 */
export class GeoCoverage {
  readonly cells: readonly GeohashCell[] = DIRECTIONS.map(() => new GeohashCell());

  /** The box around the area. */
  private west: Longitude = 0;
  private east: Longitude = 0;
  private south: Latitude = 0;
  private north: Latitude = 0;

  /** Finds the cells for an area. */
  cover(area: GeoArea): void {
    this.findBounds(area);
    let step = stepFor(area.reach, area.latitude);
    this.assignCells(area, step);
    if (step > 1 && !this.isWideEnough()) this.assignCells(area, --step);
    if (step >= 2) this.clearUseless();
  }

  /** The shorter parallel counts: the one that is farther from the equator. */
  private findBounds({ isBox, longitude, latitude, unitMeters, radius, width, height }: GeoArea): void {
    const reachNorth = unitMeters * (isBox ? height / 2 : radius);
    const reachEast = unitMeters * (isBox ? width / 2 : radius);
    const latitudeReach = degrees(reachNorth / EARTH_RADIUS_METERS);
    const outer = latitude < 0 ? latitude - latitudeReach : latitude + latitudeReach;
    const longitudeReach = degrees(reachEast / EARTH_RADIUS_METERS / Math.cos(radians(outer)));
    this.west = longitude - longitudeReach;
    this.east = longitude + longitudeReach;
    this.south = latitude - latitudeReach;
    this.north = latitude + latitudeReach;
  }

  private assignCells({ longitude, latitude }: GeoArea, step: number): void {
    const { cells } = this;
    const [middle] = cells;
    middle.assign(longitude, latitude, step);
    for (let i = 1; i < cells.length; i++) {
      const [east, north] = DIRECTIONS[i];
      cells[i].assignNeighbour(middle, east, north);
    }
  }

  /** Whether the cells reach the bounds on all sides. */
  private isWideEnough(): boolean {
    const { cells } = this;
    return !(
      cells[NORTH].north < this.north ||
      cells[SOUTH].south > this.south ||
      cells[EAST].east < this.east ||
      cells[WEST].west > this.west
    );
  }

  /** Clears the cells on the sides on which the one in the middle reaches beyond the bounds. */
  private clearUseless(): void {
    const [middle] = this.cells;
    const isSouthUseless = middle.south < this.south;
    const isNorthUseless = middle.north > this.north;
    const isWestUseless = middle.west < this.west;
    const isEastUseless = middle.east > this.east;
    for (let i = 1; i < DIRECTIONS.length; i++) {
      const [east, north] = DIRECTIONS[i];
      const isUseless =
        (north < 0 && isSouthUseless) ||
        (north > 0 && isNorthUseless) ||
        (east < 0 && isWestUseless) ||
        (east > 0 && isEastUseless);
      if (isUseless) this.cells[i].clear();
    }
  }
}

/** The step of the smallest cells of which nine mostly cover what is within `reach` of a place. */
function stepFor(reach: Meters, latitude: Latitude): number {
  if (reach === 0) return GEOHASH_STEPS;
  let step = 1;
  for (let meters = reach; meters < MERCATOR_MAX; meters *= 2) step++;
  step -= 2;
  // Towards the poles cells are narrower.
  if (latitude > 66 || latitude < -66) step--;
  if (latitude > 80 || latitude < -80) step--;
  return Math.min(Math.max(step, 1), GEOHASH_STEPS);
}
