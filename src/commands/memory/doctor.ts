import type { CommandContext } from '../../server/context.js';
import type { Server } from '../../server/server.js';
import { type MemoryFigures, measureMemory, type Surplus } from './figures.js';

/** Below this there is nothing to diagnose. */
const USED_BYTES_MIN = 5 << 20;
/** A surplus is a problem from this many bytes on. */
const SURPLUS_BYTES_MIN = 10 << 20;
/** Buffers of clients are, on average, a problem from this many bytes on. */
const CLIENT_BUFFER_BYTES_MAX = 200 * 1024;

/** What may be wrong, and what to do about it. */
interface Finding {
  readonly applies: (figures: MemoryFigures, server: Server) => boolean;
  readonly advice: string;
}

/** The thresholds are those of Redis. */
const FINDINGS: readonly Finding[] = [
  {
    applies: ({ peak, used }) => peak / used > 1.5,
    advice:
      'Peak memory: at some time this server used more than 150% of the memory that it uses now. Memory that is ' +
      'free again is kept for new data. If the peak will not come back, MEMORY PURGE returns what it can to the ' +
      'system.',
  },
  {
    applies: ({ fragmentation }) => exceeds(fragmentation, 1.4),
    advice:
      'High total RSS: the process takes more than 1.4 times the memory that the data and buffers need. Mostly it ' +
      'is left from a peak (see whether that is reported, too) or the data is divided badly among pages.',
  },
  {
    applies: ({ allocatorFragmentation }) => exceeds(allocatorFragmentation, 1.1),
    advice:
      'High allocator fragmentation: pages with data have more than 10% of free space between it. Mostly it is ' +
      'left from a peak, or comes from values of very different sizes that come and go.',
  },
  {
    applies: ({ allocatorResident }) => exceeds(allocatorResident, 1.1),
    advice:
      'High allocator RSS overhead: the allocator holds more than 1.1 times the pages that have data. Mostly it is ' +
      'left from a peak; MEMORY PURGE returns what it can to the system.',
  },
  {
    applies: ({ residentOverhead }) => exceeds(residentOverhead, 1.1),
    advice:
      'High process RSS overhead: the process takes more than 1.1 times the memory that the allocator does. The ' +
      'program itself, with an object for each connection, takes some tens of megabytes; scripts may take more.',
  },
  {
    applies: ({ buffers }, { clients }) => buffers / clients.count > CLIENT_BUFFER_BYTES_MAX,
    advice:
      'Big client buffers: clients have, on average, more than 200 kB waiting to be executed or sent. Some may ' +
      'read too slowly what they ask for or are subscribed to, or send very long pipelines. CLIENT LIST shows whose ' +
      'buffers they are.',
  },
];

/** MEMORY DOCTOR. */
export function memoryDoctor({ reply, server }: CommandContext): void {
  reply.verbatim('txt', diagnose(server));
}

function diagnose(server: Server): string {
  const figures = measureMemory(server);
  if (figures.used < USED_BYTES_MIN) {
    return 'Hi Sam, this instance holds hardly any data: there is nothing yet that I could find wrong with it.\n';
  }
  const found = FINDINGS.filter(({ applies }) => applies(figures, server));
  if (found.length === 0) return 'Hi Sam, I looked at the memory of this instance and found nothing wrong.\n';
  const advice = found.map((finding) => ` * ${finding.advice}\n\n`).join('');
  return `Sam, I found something about the memory of this instance:\n\n${advice}`;
}

function exceeds({ ratio, bytes }: Surplus, limit: number): boolean {
  return ratio > limit && bytes > SURPLUS_BYTES_MIN;
}
