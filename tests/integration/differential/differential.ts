/**
 * The differential test: the same random commands for Respite and for a real redis-server 8.0, reply for reply, byte for
 * byte, and after each round the keyspace events, the count of changes and the whole keyspace.
 *
 * A family of commands is a file with a list of the kinds of commands it tries (see strings.ts), named in
 * differential.test.ts:
 *
 *     export const setsFamily: Family = {
 *       name: 'sets',
 *       kinds: [
 *         [5, (random) => ['SADD', random.key(), ...random.several(1, 4, () => random.member())]],
 *         [2, (random) => ({ args: ['SMEMBERS', random.key()], alike: inAnyOrder })],
 *         [1, (random) => random.valueOfOtherType()],
 *       ],
 *     };
 *
 * The number says how often a kind comes. A command is a list of arguments, with `alike` (comparisons.ts) where replies
 * may differ. The runner adds what every family needs: now and then it drops, doubles or replaces an argument, or
 * changes the case of the name. Two rules:
 *
 * - No command may change the data at random (SPOP of one of many): from then on the servers have different data.
 * - No time may be so near that it matters when a server gets the command: `random.seconds()` and its like see to that.
 *   For a key that is past its deadline use a Unix time in the past.
 *
 * When something differs, the commands of the round are reduced to the fewest that still show it, and the error has
 * them, both replies and the seed:
 *
 *     RESPITE_DIFFERENTIAL_COMMANDS=200000 RESPITE_DIFFERENTIAL_SEED=7 \
 *       npx vitest run --config tests/vitest.config.ts tests/integration/differential -t strings
 */
import { createServer, type RespiteServer } from '../../../src/index.js';
import { Memory } from '../../../src/memory/memory.js';
import { RealRedis } from '../../support/real-redis.js';
import type { Comparison } from './comparisons.js';
import { Effects, effectsDifference } from './effects.js';
import { keyspaceDifference } from './keyspace-difference.js';
import { Random } from './random.js';
import { type Argument, bytesOf, parseReply, printable, Wire } from './wire.js';

/** A command, with how its replies are compared when their bytes are not the same. */
export interface Step {
  readonly args: readonly Argument[];
  /** Absent: only the same bytes will do. */
  readonly alike?: Comparison;
  /** True: the runner does not spoil its arguments. */
  readonly isFragile?: boolean;
}

/** A family of commands: kinds of commands, each with how often it comes. */
export interface Family {
  readonly name: string;
  /** Commands that come before those of each round, such as a CONFIG SET. */
  readonly before?: readonly (readonly Argument[])[];
  readonly kinds: readonly (readonly [
    weight: number,
    make: (random: Random) => Step | readonly Argument[],
  ])[];
}

/** A command to which the servers replied differently. */
export interface Difference {
  readonly args: readonly Argument[];
  readonly ours: Buffer;
  readonly theirs: Buffer;
}

const ROUND_STEPS = 300;
const BATCH_STEPS = 50;
/** How many of a hundred commands have their arguments spoiled. */
const SPOILED_SHARE = 0.06;
/** How many runs a difference may take to show again; one that does not was a matter of time, and counts for nothing. */
const REPLAYS_MAX = 4;
/** Both servers refuse longer strings, so that the limit can be met. */
const BULK_BYTES_MAX = '1mb';
/** Above so many commands the memory is not checked block by block: that takes a stack trace for each. */
const CHECKED_COMMANDS_MAX = 50_000;

/** Respite in this process and a real redis-server, with a connection to each. */
export class Differential {
  private constructor(
    readonly respite: RespiteServer,
    readonly real: RealRedis,
    readonly ours: Wire,
    readonly theirs: Wire,
    readonly ourEffects: Effects,
    readonly theirEffects: Effects,
    /** Blocks of memory that Respite has without data. */
    readonly emptyBlocks: number,
  ) {}

  /** Starts both servers. */
  static async start(commands: number): Promise<Differential> {
    const memory = new Memory({ debug: commands <= CHECKED_COMMANDS_MAX });
    const [respite, real] = await Promise.all([
      createServer({ memory, log: 'text', directives: { 'proto-max-bulk-len': BULK_BYTES_MAX } }),
      RealRedis.start('--proto-max-bulk-len', BULK_BYTES_MAX),
    ]);
    const [ours, theirs] = await Promise.all([Wire.open(respite.port), Wire.open(real.socketPath)]);
    const [ourEffects, theirEffects] = await Promise.all([
      Effects.follow(respite.port, ours),
      Effects.follow(real.socketPath, theirs),
    ]);
    return new Differential(respite, real, ours, theirs, ourEffects, theirEffects, memory.blockCount);
  }

  async stop(): Promise<void> {
    await Promise.all(
      [this.ours, this.theirs, this.ourEffects, this.theirEffects].map((part) => part.close()),
    );
    await Promise.all([this.respite.close(), this.real.stop()]);
  }

  /**
   * Tries about so many commands of a family.
   * @throws Error with the shortest history of the first difference, or when memory was lost
   */
  async run(family: Family, commands: number, seed: number): Promise<void> {
    const random = new Random(seed);
    for (let round = 0; round * ROUND_STEPS < commands; round++) {
      const version = 2 + (round % 2);
      const steps = Array.from({ length: ROUND_STEPS }, () => nextStep(family, random));
      const reset = [['RESET'], ['FLUSHALL'], ...(family.before ?? []), ['HELLO', version]];
      if ((await this.#difference(steps, reset)) === undefined) continue;
      const report = await this.#report(steps, reset);
      if (report !== undefined) {
        throw new Error(`${family.name}, seed ${seed}, round ${round}, RESP${version}:\n${report}`);
      }
    }
    await this.#expectNoLeak();
  }

  /** Runs commands on reset servers, and compares replies and what is left; undefined when there is no difference. */
  async #difference(
    steps: readonly Step[],
    reset: readonly (readonly Argument[])[],
  ): Promise<Difference | undefined> {
    await Promise.all([this.ours.send(reset), this.theirs.send(reset)]);
    await Promise.all([this.ourEffects.begin(), this.theirEffects.begin()]);
    for (let start = 0; start < steps.length; start += BATCH_STEPS) {
      const difference = await this.compare(steps.slice(start, start + BATCH_STEPS));
      if (difference !== undefined) return difference;
    }
    // A transaction that is still open ends.
    await Promise.all([this.ours.send([['DISCARD']]), this.theirs.send([['DISCARD']])]);
    const effects = await Promise.all([this.ourEffects.end(), this.theirEffects.end()]);
    return effectsDifference(...effects) ?? (await keyspaceDifference(this));
  }

  /** Sends commands to both servers; the first with different replies. */
  async compare(steps: readonly Step[]): Promise<Difference | undefined> {
    const commands = steps.map((step) => step.args);
    const [ours, theirs] = await Promise.all([this.ours.send(commands), this.theirs.send(commands)]);
    const at = steps.findIndex(
      ({ alike }, i) => !ours[i].equals(theirs[i]) && !areAlike(alike, ours[i], theirs[i]),
    );
    return at < 0 ? undefined : { args: commands[at], ours: ours[at], theirs: theirs[at] };
  }

  /** What differs, and the fewest commands that show it; undefined when it does not show again. */
  async #report(
    steps: readonly Step[],
    reset: readonly (readonly Argument[])[],
  ): Promise<string | undefined> {
    let history = steps;
    let difference: Difference | undefined;
    for (let replay = 0; replay < REPLAYS_MAX && difference === undefined; replay++) {
      difference = await this.#difference(history, reset);
    }
    if (difference === undefined) return undefined;
    // Leave out parts, first large then small, as long as it still differs.
    for (let part = history.length; part >= 1; part = Math.floor(part / 2)) {
      for (let start = 0; start < history.length; ) {
        const rest = [...history.slice(0, start), ...history.slice(start + part)];
        const remaining = await this.#difference(rest, reset);
        if (remaining === undefined) {
          start += part;
        } else {
          history = rest;
          difference = remaining;
        }
      }
    }
    const lines = history.map(({ args }) => `  ${shown(args)}`);
    return [
      ...lines,
      `differ in: ${shown(difference.args)}`,
      `  Respite: ${printable(difference.ours)}`,
      `  Redis:   ${printable(difference.theirs)}`,
    ].join('\n');
  }

  async #expectNoLeak(): Promise<void> {
    await this.ours.send([['FLUSHALL']]);
    const { keyspace } = this.respite.server;
    keyspace.lazyFree.drain();
    const lost = keyspace.memory.blockCount - this.emptyBlocks;
    if (lost !== 0) throw new Error(`${lost} blocks of memory are still in use when all keys are gone`);
  }
}

/** A random command of a family, now and then one that is spoiled. */
export function nextStep({ kinds }: Family, random: Random): Step {
  const made = random.weighted(kinds)(random);
  const step: Step = 'args' in made ? made : { args: made };
  if (step.isFragile === true || !random.chance(SPOILED_SHARE)) return step;
  return { ...step, args: spoiled(step.args, random) };
}

function spoiled([name, ...args]: readonly Argument[], random: Random): Argument[] {
  const at = random.integerBetween(0, args.length);
  const how = random.integerBetween(0, 3);
  if (how === 0) args.splice(at, 1);
  else if (how === 1) args.splice(at, 0, random.nonsense());
  else if (how === 2) args.splice(at, 1, random.nonsense());
  else return [random.anyCase(String(name)).toLowerCase(), ...args];
  return [name, ...args];
}

function areAlike(alike: Comparison | undefined, ours: Buffer, theirs: Buffer): boolean {
  return alike?.(parseReply(ours), parseReply(theirs)) ?? false;
}

function shown(args: readonly Argument[]): string {
  return args.map((arg) => printable(bytesOf(arg))).join(' ');
}
