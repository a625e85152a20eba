import { TYPE_SET, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX, ERROR_WRONG_TYPE } from '../../server/errors.js';
import { CombinationSource } from './combination-source.js';
import { ScoreArguments } from './score-arguments.js';

/** How sorted sets are combined. */
export type Combination = 'union' | 'intersection' | 'difference';

/** What becomes of the combination: WITHSCORES, WEIGHTS, AGGREGATE and LIMIT each go with some only. */
export type CombinationPurpose = 'reply' | 'store' | 'count';

/** How the scores are combined that a member has in several sorted sets. */
export type Aggregate = 'sum' | 'min' | 'max';

const ERROR_WEIGHT = 'ERR weight value is not a float';
const ERROR_NEGATIVE_LIMIT = "ERR LIMIT can't be negative";

/** What ZUNION and its kin are told. Reused for every call. */
export class CombinationRequest {
  /** The sorted sets and sets, in the order of the arguments. */
  sources: CombinationSource[] = [];
  aggregate: Aggregate = 'sum';
  withScores = false;
  /** How many members are counted at most; 0: all. */
  limit = 0;

  private readonly weights = new ScoreArguments();

  /** Reads it from the argument with the number of keys on; false when it is wrong and the error is replied. */
  read(
    context: CommandContext,
    keyCountIndex: number,
    combination: Combination,
    purpose: CombinationPurpose,
  ): boolean {
    const { reply } = context;
    const keyCount = context.integer(keyCountIndex);
    if (Number.isNaN(keyCount)) return false;
    if (keyCount < 1) {
      reply.error(`ERR at least 1 input key is needed for '${context.command.fullName}' command`);
      return false;
    }
    const first = keyCountIndex + 1;
    if (keyCount > context.arguments.count - first) {
      reply.error(ERROR_SYNTAX);
      return false;
    }
    return (
      this.readSources(context, first, keyCount) &&
      this.readOptions(context, first + keyCount, combination, purpose)
    );
  }

  /** Sorts the sources, the one with the fewest members first. Those of the same size stay in order, as in Redis. */
  sortBySize(): void {
    this.sources.sort((a, b) => a.count - b.count);
  }

  private readSources(context: CommandContext, first: number, keyCount: number): boolean {
    this.sources = [];
    for (let index = first; index < first + keyCount; index++) {
      const record = context.lookupRead(index);
      const type = record === NULL_REFERENCE ? TYPE_SORTED_SET : context.keyspace.records.type(record);
      if (type !== TYPE_SORTED_SET && type !== TYPE_SET) {
        context.reply.error(ERROR_WRONG_TYPE);
        return false;
      }
      this.sources.push(new CombinationSource(context.types, record, type === TYPE_SET));
    }
    return true;
  }

  private readOptions(
    context: CommandContext,
    first: number,
    combination: Combination,
    purpose: CombinationPurpose,
  ): boolean {
    const { options } = context;
    const combinesScores = combination !== 'difference' && purpose !== 'count';
    const { length: keyCount } = this.sources;
    this.aggregate = 'sum';
    this.withScores = false;
    this.limit = 0;
    options.begin(context.arguments, first);
    while (options.hasMore) {
      if (combinesScores && options.takeWithArguments('WEIGHTS', keyCount)) {
        if (!this.readWeights(context, options.argument)) return false;
      } else if (combinesScores && options.takeWithArgument('AGGREGATE')) {
        if (!this.readAggregate(context, options.argument)) return false;
      } else if (purpose === 'reply' && options.take('WITHSCORES')) {
        this.withScores = true;
      } else if (purpose === 'count' && options.takeWithArgument('LIMIT')) {
        if (!this.readLimit(context, options.argument)) return false;
      } else {
        context.reply.error(ERROR_SYNTAX);
        return false;
      }
    }
    return true;
  }

  private readWeights(context: CommandContext, first: number): boolean {
    const { sources, weights } = this;
    if (!weights.read(context, first, 1, sources.length, ERROR_WEIGHT)) return false;
    for (let i = 0; i < sources.length; i++) sources[i].weight = weights.values[i];
    return true;
  }

  private readAggregate({ arguments: call, reply }: CommandContext, index: number): boolean {
    if (call.is(index, 'SUM')) this.aggregate = 'sum';
    else if (call.is(index, 'MIN')) this.aggregate = 'min';
    else if (call.is(index, 'MAX')) this.aggregate = 'max';
    else {
      reply.error(ERROR_SYNTAX);
      return false;
    }
    return true;
  }

  private readLimit(context: CommandContext, index: number): boolean {
    this.limit = context.integer(index, ERROR_NEGATIVE_LIMIT);
    if (this.limit < 0) context.reply.error(ERROR_NEGATIVE_LIMIT);
    return this.limit >= 0;
  }
}
