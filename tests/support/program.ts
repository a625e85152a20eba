/**
 * The program itself, `dist/main.js`, as a process of its own. `npm test` builds it first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The path of the compiled program. */
export const programPath = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Where and with what it runs. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running program, and what it has printed. */
export class Program {
  stdout = '';
  stderr = '';
  readonly process: ChildProcess;
  readonly end: Promise<ProgramEnd>;
  private wake: () => void = () => {};

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    this.process = spawn(process.execPath, [programPath, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stdin?.end(options.stdin ?? '');
    this.process.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
      this.wake();
    });
    this.process.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.end = once(this.process, 'close').then(([code, signal]) => {
      this.wake();
      return { code, signal };
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Waits until standard output has a text. Throws when the program ends first. */
  async prints(text: string): Promise<void> {
    let hasEnded = false;
    void this.end.then(() => {
      hasEnded = true;
    });
    while (!this.stdout.includes(text)) {
      if (hasEnded) throw new Error(`it ended without '${text}':\n${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Ends it, if it still runs, as fast as it can be. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.end;
  }
}
