import { createHash } from 'node:crypto';
import { REDIS_VERSION } from '../config/redis-version.js';

/** Stands for one build in Redis; here, for the release. 16 hexadecimal digits. */
export const BUILD_ID = createHash('sha1').update(`respite ${REDIS_VERSION}`).digest('hex').slice(0, 16);

/** The allocator, as `redis-server --version` and INFO name it. Tests of Redis that need jemalloc look for that word. */
export const ALLOCATOR_NAME = 'respite-1';
