import net from 'node:net';

// The harness looks for free ports from --baseport on, and also wants port + 10000 (the cluster bus). A slot is a range
// that no other run on this machine uses, held by listening on the guard port; the kernel frees it whatever happens.
//
//   slot s = 0 … 15:   11040 + 600 s  guard
//                      + 8 … 39       harness and its client talk here
//                      + 40 … 539     servers             bus: the same + 10000, at most 30579
//
// Slots end below 20640 and buses begin above 21080; both are below Linux's ephemeral ports (32768).
const FIRST_PORT = 11_040;
const PORTS_PER_SLOT = 600;
const SLOT_COUNT = 16;
const FIRST_SERVER_PORT_OFFSET = 40;

/** Server ports in a slot. */
export const SERVER_PORTS_PER_SLOT = 500;

/**
 * Takes a free slot.
 * @returns {Promise<{ basePort: number, release: () => void }>}
 * @throws when all slots are taken
 */
export async function takePortSlot() {
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const guardPort = FIRST_PORT + slot * PORTS_PER_SLOT;
    const guard = net.createServer();
    const taken = await new Promise((resolve) => {
      guard.once('error', () => resolve(false));
      guard.listen({ port: guardPort, host: '127.0.0.1', exclusive: true }, () => resolve(true));
    });
    if (taken) {
      return { basePort: guardPort + FIRST_SERVER_PORT_OFFSET, release: () => void guard.close() };
    }
  }
  throw new Error(`all ${SLOT_COUNT} port ranges are in use by other runs of the suite`);
}
