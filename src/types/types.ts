import type { Keyspace } from '../keyspace/keyspace.js';
import { Strings } from './string.js';

/** The value types of one keyspace: what command handlers work with. */
export class Types {
  readonly strings: Strings;

  constructor(keyspace: Keyspace) {
    this.strings = new Strings(keyspace);
  }
}
