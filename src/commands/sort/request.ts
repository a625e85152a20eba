import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { SortPattern } from './pattern.js';

/** What SORT and SORT_RO are asked for. */
export class SortRequest {
  isDescending = false;
  isAlphabetical = false;
  /** What to sort by; undefined: the elements. */
  by: SortPattern | undefined;
  /** BY with a pattern that is the same for all elements: they stay in the order that they have. */
  isUnsorted = false;
  /** What to reply for each element; empty: itself. */
  readonly gets: SortPattern[] = [];
  limitOffset = 0;
  /** Negative: no limit. */
  limitCount = -1;
  /** The argument with the key that the result is stored under; 0: it is replied. */
  destination = 0;

  /** Reads the options from argument 2 on; undefined when they are wrong and the error is replied. */
  static read(context: CommandContext, allowsStore: boolean): SortRequest | undefined {
    const { options, reply, arguments: call } = context;
    const request = new SortRequest();
    options.begin(call, 2);
    while (options.hasMore) {
      if (options.take('ASC')) {
        request.isDescending = false;
      } else if (options.take('DESC')) {
        request.isDescending = true;
      } else if (options.take('ALPHA')) {
        request.isAlphabetical = true;
      } else if (options.takeWithArguments('LIMIT', 2)) {
        request.limitOffset = context.integer(options.argument);
        if (Number.isNaN(request.limitOffset)) return undefined;
        request.limitCount = context.integer(options.argument + 1);
        if (Number.isNaN(request.limitCount)) return undefined;
      } else if (allowsStore && options.takeWithArgument('STORE')) {
        request.destination = options.argument;
      } else if (options.takeWithArgument('BY')) {
        request.by = new SortPattern(call.copy(options.argument));
        if (!request.by.hasAsterisk) request.isUnsorted = true;
      } else if (options.takeWithArgument('GET')) {
        request.gets.push(new SortPattern(call.copy(options.argument)));
      } else {
        reply.error(ERROR_SYNTAX);
        return undefined;
      }
    }
    return request;
  }

  /** Elements without an order of their own must be sorted before they are stored, to be the same everywhere. */
  sortUnordered(): void {
    if (!this.isUnsorted || this.destination === 0) return;
    this.isUnsorted = false;
    this.isAlphabetical = true;
    this.by = undefined;
  }
}
