/**
 * Scenarios with several connections, played on Respite and on a real redis-server 8.0 alike. What every connection was
 * sent must be the same: replies as well as messages, in order.
 */
import { expect } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection, type RawReply } from './raw-connection.js';
import { RealRedis } from './real-redis.js';

/** What a connection was sent, one line each; or that it was closed. */
type Transcript = string[];

/** A connection that notes what it is sent. */
export class Actor {
  constructor(
    private readonly name: string,
    private readonly connection: RawConnection,
    private readonly transcript: Transcript,
    /** The number of this connection: CLIENT ID. */
    readonly id: string,
  ) {}

  /** Sends a command, and waits for what comes next. */
  async call(...command: readonly string[]): Promise<RawReply> {
    this.connection.send(command);
    return this.note(command.join(' '), await this.connection.next());
  }

  /** Sends commands in one go, and waits for as many replies. */
  async pipeline(...commands: readonly (readonly string[])[]): Promise<void> {
    this.connection.send(...commands);
    for (const command of commands) this.note(command.join(' '), await this.connection.next());
  }

  /** Sends commands, and waits for nothing. */
  send(...commands: readonly (readonly string[])[]): void {
    this.connection.send(...commands);
  }

  /** Waits for some further replies or messages. */
  async hear(count = 1): Promise<RawReply> {
    let last: RawReply = '';
    for (let i = 0; i < count; i++) last = this.note('…', await this.connection.next());
    return last;
  }

  /** Sends a command whose reply is not compared, such as one with times. */
  async ask(...command: readonly string[]): Promise<RawReply> {
    this.connection.send(command);
    return await this.connection.next();
  }

  /** The next reply or message, which is not compared. */
  async listen(): Promise<RawReply> {
    return await this.connection.next();
  }

  /** Has a text compared that a scenario made of what is not compared. */
  tell(text: string): void {
    this.transcript.push(`${this.name}: ${text}`);
  }

  /** Waits until the server closes the connection. */
  async closed(): Promise<void> {
    await this.connection.closed();
    this.transcript.push(`${this.name}: closed`);
  }

  private note(what: string, reply: RawReply): RawReply {
    this.transcript.push(`${this.name}: ${what.slice(0, 100)} → ${JSON.stringify(reply).slice(0, 2000)}`);
    return reply;
  }
}

/** One server, as a scenario sees it. */
export class Stage {
  readonly transcript: Transcript = [];
  private readonly connections: RawConnection[] = [];

  constructor(private readonly address: number | string) {}

  /** Opens a connection. The name is for reports. */
  async enter(name: string, version: 2 | 3 = 2): Promise<Actor> {
    const connection = await RawConnection.open(this.address);
    this.connections.push(connection);
    if (version === 3) await connection.call('HELLO', '3');
    return new Actor(name, connection, this.transcript, String(await connection.call('CLIENT', 'ID')));
  }

  async clear(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }
}

/** What is played: everything that it waits for is compared. */
export type Scenario = (stage: Stage) => Promise<void>;

/** Both servers. */
export class SideBySide {
  private constructor(
    readonly respite: RespiteServer,
    readonly real: RealRedis,
  ) {}

  /** Starts both, with some directives. */
  static async start(directives: Readonly<Record<string, string>> = {}): Promise<SideBySide> {
    const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);
    const [respite, real] = await Promise.all([createServer({ directives }), RealRedis.start(...args)]);
    return new SideBySide(respite, real);
  }

  async stop(): Promise<void> {
    await Promise.all([this.respite.close(), this.real.stop()]);
  }

  /** Plays a scenario on both, with empty databases, and compares. */
  async play(scenario: Scenario): Promise<void> {
    const [theirs, ours] = [
      await playOn(this.real.socketPath, scenario),
      await playOn(this.respite.port, scenario),
    ];
    expect(ours).toEqual(theirs);
  }
}

async function playOn(address: number | string, scenario: Scenario): Promise<Transcript> {
  const stage = new Stage(address);
  try {
    const prompter = await stage.enter('prompter');
    await prompter.ask('FLUSHALL');
    await scenario(stage);
  } finally {
    await stage.clear();
  }
  return stage.transcript;
}
