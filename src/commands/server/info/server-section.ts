import os from 'node:os';
import { REDIS_VERSION } from '../../../config/redis-version.js';
import { BUILD_ID } from '../../../observability/build-id.js';
import type { Server } from '../../../server/server.js';
import type { InfoField, InfoSection } from './section.js';

const SECONDS_PER_DAY = 24 * 3600;
/** Bits of a clock of seconds that LRU eviction keeps for each key. */
const LRU_CLOCK_MASK = 0xffffff;
/** What libuv waits for sockets with. */
const MULTIPLEXING: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'epoll',
  darwin: 'kqueue',
  freebsd: 'kqueue',
  win32: 'iocp',
};

/** The program, its process and its place in the world. */
export const serverSection: InfoSection = {
  name: 'server',
  title: 'Server',
  shownBy: 'default',
  fields(server) {
    const { configuration } = server;
    const { values } = configuration;
    const nowMs = server.keyspace.nowMs;
    const uptimeSeconds = Math.floor((nowMs - server.startedMs) / 1000);
    return [
      ['redis_version', REDIS_VERSION],
      ['redis_git_sha1', '00000000'],
      ['redis_git_dirty', 0],
      ['redis_build_id', BUILD_ID],
      ['redis_mode', values['cluster-enabled'] ? 'cluster' : 'standalone'],
      ['os', `${os.type()} ${os.release()} ${os.machine()}`],
      ['arch_bits', 64],
      ['monotonic_clock', 'POSIX clock_gettime'],
      ['multiplexing_api', MULTIPLEXING[process.platform] ?? 'poll'],
      ['atomicvar_api', 'c11-builtin'],
      // What Redis prints when it was not compiled by gcc.
      ['gcc_version', '0.0.0'],
      ['process_id', process.pid],
      ['process_supervised', server.supervisor],
      ['run_id', server.runId],
      ['tcp_port', server.port],
      ['server_time_usec', nowMs * 1000],
      ['uptime_in_seconds', uptimeSeconds],
      ['uptime_in_days', Math.floor(uptimeSeconds / SECONDS_PER_DAY)],
      ['hz', values.hz],
      ['configured_hz', values.hz],
      ['lru_clock', Math.floor(nowMs / 1000) & LRU_CLOCK_MASK],
      ['executable', process.argv[1] ?? process.execPath],
      ['config_file', configuration.file ?? ''],
      ['io_threads_active', 0],
      ...listeners(server),
    ];
  },
};

/** Where the server listens: the numbers are those of Redis's kinds of connections, in its order. */
function* listeners({ configuration: { values }, port }: Server): Generator<InfoField> {
  let number = 0;
  const binds = (addresses: readonly string[]) => addresses.map((address) => `,bind=${address}`).join('');
  if (port > 0) yield [`listener${number++}`, `name=tcp${binds(values.bind)},port=${port}`];
  if (values.unixsocket !== '') yield [`listener${number}`, `name=unix${binds([values.unixsocket])}`];
}
