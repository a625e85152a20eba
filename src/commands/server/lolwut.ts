import { REDIS_VERSION } from '../../config/redis-version.js';
import { parseSafeInteger } from '../../protocol/integers.js';
import type { CommandContext } from '../../server/context.js';

const WIDTH = 66;
const HEIGHT = 16;
const SHADES = ' .:-=+*#%@';

/** LOLWUT [VERSION version]: a picture for a pause, here the waves of two stones dropped into a pond. */
export function lolwut(context: CommandContext): void {
  const { arguments: request, reply } = context;
  if (request.count >= 3 && request.is(1, 'VERSION')) {
    const version = parseSafeInteger(request.bytes, request.offsets[2], request.lengths[2]);
    if (Number.isNaN(version)) {
      reply.error('ERR value is not an integer or out of range');
      return;
    }
  }
  reply.verbatim('txt', `${pond()}\nRedis ver. ${REDIS_VERSION}, served by Respite\n`);
}

function pond(): string {
  const stones = [0, 1].map(() => [Math.random() * WIDTH, Math.random() * HEIGHT]);
  let picture = '';
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      // A character is about twice as high as wide.
      const height = stones.reduce((sum, [sx, sy]) => sum + Math.sin(Math.hypot(x - sx, (y - sy) * 2)), 0);
      picture += SHADES[Math.floor(((height + 2) / 4) * (SHADES.length - 1))];
    }
    picture += '\n';
  }
  return picture;
}
