/** Places, units and lengths, as the arguments of commands give them. */
import { parseDouble } from '../../protocol/doubles.js';
import { formatSixDecimals } from '../../protocol/fixed-point.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NOT_FLOAT } from '../../server/errors.js';
import type { Place } from '../../structures/geohash.js';
import type { Meters } from '../../structures/great-circle.js';

const ERROR_UNIT = 'ERR unsupported unit provided. please use M, KM, FT, MI';

/**
 * Reads a place from argument `index`, the longitude, and the one behind it. False when they are none that can be kept
 * and the error is replied.
 */
export function readPlace(context: CommandContext, index: number, place: Place): boolean {
  const longitude = numberAt(context, index, ERROR_NOT_FLOAT);
  if (Number.isNaN(longitude)) return false;
  const latitude = numberAt(context, index + 1, ERROR_NOT_FLOAT);
  if (Number.isNaN(latitude)) return false;
  place.longitude = longitude;
  place.latitude = latitude;
  if (place.isValid) return true;
  const pair = `${formatSixDecimals(longitude)},${formatSixDecimals(latitude)}`;
  context.reply.error(`ERR invalid longitude,latitude pair ${pair}`);
  return false;
}

/** Argument `index` as a number; NaN when it is none and `error` is replied. */
export function numberAt(context: CommandContext, index: number, error: string): number {
  const { bytes, offsets, lengths } = context.arguments;
  const value = parseDouble(bytes, offsets[index], lengths[index]);
  if (value !== undefined) return value;
  context.reply.error(error);
  return NaN;
}

/** The unit that argument `index` names; NaN when it is none and the error is replied. */
export function unitAt({ arguments: call, reply }: CommandContext, index: number): Meters {
  if (call.is(index, 'M')) return 1;
  if (call.is(index, 'KM')) return 1000;
  if (call.is(index, 'FT')) return 0.3048;
  if (call.is(index, 'MI')) return 1609.34;
  reply.error(ERROR_UNIT);
  return NaN;
}
