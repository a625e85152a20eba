import { Arguments } from './arguments.js';

/**
 * Reads the options behind a command's fixed arguments, one after the other, so that the code says what the
 * command's syntax says:
 *
 *     COPY source destination [DB destination-db] [REPLACE]
 *
 *     options.begin(call, 3);
 *     while (options.hasMore) {
 *       if (options.take('REPLACE')) replaces = true;
 *       else if (options.takeWithArgument('DB')) database = options.argument;
 *       else return reply.error(ERROR_SYNTAX);
 *     }
 *
 * One instance is reused for every command: nothing is allocated.
 */
export class OptionReader {
  /** The index of the argument, or the first of those, that belong to the option which was taken last. */
  argument = 0;

  private call = new Arguments();
  private next = 0;

  /** Starts with argument `index`. */
  begin(call: Arguments, index: number): void {
    this.call = call;
    this.next = index;
  }

  /** Whether there is an argument that is not taken yet. */
  get hasMore(): boolean {
    return this.next < this.call.count;
  }

  /** The index of the argument that would be taken next. */
  get position(): number {
    return this.next;
  }

  /** Takes the next argument if it is `word`, in any case. */
  take(word: string): boolean {
    if (!this.call.is(this.next, word)) return false;
    this.next++;
    return true;
  }

  /** Takes the next argument and the one behind it if the first is `word`; without a second, neither. */
  takeWithArgument(word: string): boolean {
    return this.takeWithArguments(word, 1);
  }

  /** Takes the next argument and `count` behind it if the first is `word`; when there are not so many, none. */
  takeWithArguments(word: string, count: number): boolean {
    if (this.next + count >= this.call.count || !this.call.is(this.next, word)) return false;
    this.argument = this.next + 1;
    this.next += count + 1;
    return true;
  }
}
