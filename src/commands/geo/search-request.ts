import type { RecordReference } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { GeoArea } from '../../structures/geo-area.js';
import { Place } from '../../structures/geohash.js';
import { numberAt, readPlace, unitAt } from './place-arguments.js';
import { readPlaceOf } from './reading.js';

/** What the commands that search have in common is said here; what tells them apart is this. */
export interface SearchForm {
  /** The argument with the key that is searched. */
  readonly source: number;
  /** Where the area is around: a place in arguments 2 and 3, a member in argument 2, or what the options say. */
  readonly around: 'place' | 'member' | 'options';
  /** Whether the result is replied, stored if an option says so, or always stored, under the key in argument 1. */
  readonly stores: 'never' | 'option' | 'always';
}

/** In which order the places are, as the options say; they come as they are found if no option does. */
export type SearchOrder = 'found' | 'ascending' | 'descending';

const ERROR_MEMBER = 'ERR could not decode requested zset member';
const ERROR_COUNT = 'ERR COUNT must be > 0';
const ERROR_ANY = 'ERR the ANY argument requires COUNT argument';

/** What a search is asked for. One instance is reused for every command. */
export class SearchRequest {
  readonly area = new GeoArea();
  withDistances = false;
  withHashes = false;
  withCoordinates = false;
  order: SearchOrder = 'found';
  /** At most so many places are wanted; 0: all. */
  count = 0;
  /** Any `count` places in the area will do; else it is the nearest ones. */
  any = false;
  /** The argument with the key that the result is stored under; 0: it is replied. */
  destination = 0;
  /** The scores that are stored are distances; else geohashes. */
  storesDistances = false;

  private hasMiddle: '' | 'member' | 'place' = '';
  private hasShape: '' | 'circle' | 'box' = '';
  private readonly place = new Place();

  /**
   * Reads the arguments of a command of some form, which searches a sorted set or NULL_REFERENCE. False when they are
   * wrong and the error is replied. As in Redis, what names an area is hardly looked at when there is nothing to search.
   */
  read(context: CommandContext, form: SearchForm, record: RecordReference): boolean {
    this.reset(form);
    const firstOption = this.readArea(context, form, record);
    if (firstOption === 0) return false;
    const { options, reply } = context;
    const errors = reply.errorCount;
    options.begin(context.arguments, firstOption);
    while (options.hasMore) {
      if (!this.takeOption(context, form) && !this.takeAreaOption(context, form, record)) {
        reply.error(ERROR_SYNTAX);
      }
      if (reply.errorCount !== errors) return false;
    }
    const error = this.mistake(context, form);
    if (error !== '') {
      reply.error(error);
      return false;
    }
    // The nearest ones are found by sorting.
    if (this.count > 0 && this.order === 'found' && !this.any) this.order = 'ascending';
    return true;
  }

  private reset(form: SearchForm): void {
    this.withDistances = false;
    this.withHashes = false;
    this.withCoordinates = false;
    this.order = 'found';
    this.count = 0;
    this.any = false;
    this.destination = form.stores === 'always' ? 1 : 0;
    this.storesDistances = false;
    this.hasMiddle = '';
    this.hasShape = '';
  }

  /** Reads what stands before the options. Returns the argument behind it; 0 when it is wrong and the error is replied. */
  private readArea(context: CommandContext, { source, around }: SearchForm, record: RecordReference): number {
    if (around === 'options') return source + 1;
    if (around === 'place') return this.readMiddle(context, 2) && this.readCircle(context, 4) ? 6 : 0;
    if (record === NULL_REFERENCE) return 5;
    return this.readMember(context, record, 2) && this.readCircle(context, 3) ? 5 : 0;
  }

  /** Takes an option that any search may have, if there is one. When it is wrong, the error is replied. */
  private takeOption(context: CommandContext, { around, stores }: SearchForm): boolean {
    const { options, reply } = context;
    if (options.take('WITHDIST')) {
      this.withDistances = true;
    } else if (options.take('WITHHASH')) {
      this.withHashes = true;
    } else if (options.take('WITHCOORD')) {
      this.withCoordinates = true;
    } else if (options.take('ANY')) {
      this.any = true;
    } else if (options.take('ASC')) {
      this.order = 'ascending';
    } else if (options.take('DESC')) {
      this.order = 'descending';
    } else if (options.takeWithArgument('COUNT')) {
      this.count = context.integer(options.argument);
      if (this.count <= 0) reply.error(ERROR_COUNT);
    } else if (stores === 'option' && options.takeWithArgument('STORE')) {
      this.destination = options.argument;
      this.storesDistances = false;
    } else if (stores === 'option' && options.takeWithArgument('STOREDIST')) {
      this.destination = options.argument;
      this.storesDistances = true;
    } else if (stores === 'always' && around === 'options' && options.take('STOREDIST')) {
      this.storesDistances = true;
    } else {
      return false;
    }
    return true;
  }

  /** The same for an option that says where to search. */
  private takeAreaOption(context: CommandContext, { around }: SearchForm, record: RecordReference): boolean {
    const { options } = context;
    if (around !== 'options') return false;
    if (this.hasMiddle !== 'place' && options.takeWithArgument('FROMMEMBER')) {
      this.hasMiddle = 'member';
      if (record !== NULL_REFERENCE) this.readMember(context, record, options.argument);
    } else if (this.hasMiddle !== 'member' && options.takeWithArguments('FROMLONLAT', 2)) {
      this.hasMiddle = 'place';
      this.readMiddle(context, options.argument);
    } else if (this.hasShape !== 'box' && options.takeWithArguments('BYRADIUS', 2)) {
      this.hasShape = 'circle';
      this.readCircle(context, options.argument);
    } else if (this.hasShape !== 'circle' && options.takeWithArguments('BYBOX', 3)) {
      this.hasShape = 'box';
      this.readBox(context, options.argument);
    } else {
      return false;
    }
    return true;
  }

  private mistake(context: CommandContext, { around, stores }: SearchForm): string {
    if (this.destination > 0 && (this.withDistances || this.withHashes || this.withCoordinates)) {
      const who = stores === 'always' ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS';
      return `ERR ${who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
    }
    if (around === 'options' && (this.hasMiddle === '' || this.hasShape === '')) {
      const missing = this.hasMiddle === '' ? 'FROMMEMBER or FROMLONLAT' : 'BYRADIUS and BYBOX';
      return `ERR exactly one of ${missing} can be specified for ${context.arguments.cString(0)}`;
    }
    return this.any && this.count === 0 ? ERROR_ANY : '';
  }

  private readMember(context: CommandContext, record: RecordReference, index: number): boolean {
    if (readPlaceOf(context, record, index, this.place)) return this.setMiddle();
    context.reply.error(ERROR_MEMBER);
    return false;
  }

  private readMiddle(context: CommandContext, index: number): boolean {
    return readPlace(context, index, this.place) && this.setMiddle();
  }

  private setMiddle(): boolean {
    this.area.longitude = this.place.longitude;
    this.area.latitude = this.place.latitude;
    return true;
  }

  private readCircle(context: CommandContext, index: number): boolean {
    const radius = numberAt(context, index, 'ERR need numeric radius');
    if (Number.isNaN(radius)) return false;
    if (radius < 0) {
      context.reply.error('ERR radius cannot be negative');
      return false;
    }
    const unitMeters = unitAt(context, index + 1);
    if (Number.isNaN(unitMeters)) return false;
    const { area } = this;
    area.isBox = false;
    area.radius = radius;
    area.unitMeters = unitMeters;
    return true;
  }

  private readBox(context: CommandContext, index: number): void {
    const width = numberAt(context, index, 'ERR need numeric width');
    if (Number.isNaN(width)) return;
    const height = numberAt(context, index + 1, 'ERR need numeric height');
    if (Number.isNaN(height)) return;
    if (width < 0 || height < 0) {
      context.reply.error('ERR height or width cannot be negative');
      return;
    }
    const unitMeters = unitAt(context, index + 2);
    if (Number.isNaN(unitMeters)) return;
    const { area } = this;
    area.isBox = true;
    area.width = width;
    area.height = height;
    area.unitMeters = unitMeters;
  }
}
