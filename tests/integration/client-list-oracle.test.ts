import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection } from '../support/raw-connection.js';
import { RealRedis } from '../support/real-redis.js';

/** What CLIENT LIST says of a client whose request has not come as a whole, next to the real server. */

let respite: RespiteServer;
let real: RealRedis;

beforeAll(async () => {
  [respite, real] = await Promise.all([createServer(), RealRedis.start()]);
});

afterAll(async () => {
  await Promise.all([respite.close(), real.stop()]);
});

const REQUESTS = [
  '',
  '*3\r\n$3\r\nset\r\n$2\r\na',
  '*2\r\n$3\r\nset\r\n$5',
  '*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$10\r\n12345',
  `*1\r\n$100000\r\n${'v'.repeat(50_000)}`,
  `*1\r\n$100000\r\n${'v'.repeat(100_000)}`,
  `*2\r\n$40000\r\n${'v'.repeat(40_000)}\r\n$40000\r\n${'v'.repeat(30_000)}`,
  'PING',
];

test.each(REQUESTS.map((request) => ({ request, name: request.slice(0, 40) })))(
  '$name',
  async ({ request }) => {
    const fields = await Promise.all([
      waitingFields(respite.port, request),
      waitingFields(real.socketPath, request),
    ]);
    expect(fields[0]).toEqual(fields[1]);
  },
);

/** The fields of a client that are about what it has sent, once all of that has arrived. */
async function waitingFields(address: number | string, request: string): Promise<Record<string, string>> {
  const control = await RawConnection.open(address);
  const client = await RawConnection.open(address);
  const id = String(await client.call('CLIENT', 'ID'));
  const before = await netInput(control);
  client.sendText(request);
  let looks = 1;
  while ((await netInput(control)) - before - looks * LOOK_BYTES < request.length) looks++;
  const line = String(await control.call('CLIENT', 'LIST', 'ID', id));
  await Promise.all([client.close(), control.close()]);
  const found = [...line.matchAll(/ (qbuf|argv-mem|multi|sub|cmd|events|obl|oll|omem)=(\S*)/g)];
  return Object.fromEntries(found.map(([, name, value]) => [name, value]));
}

/** The bytes of a look at what has arrived, which count as well. */
const LOOK_BYTES = '*2\r\n$4\r\nINFO\r\n$5\r\nstats\r\n'.length;

async function netInput(control: RawConnection): Promise<number> {
  const info = String(await control.call('INFO', 'stats'));
  return Number(/total_net_input_bytes:(\d+)/.exec(info)?.[1]);
}
