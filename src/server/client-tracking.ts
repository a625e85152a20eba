import type { ClientId } from './client.js';

/** How a client has CLIENT TRACKING set. */
export class ClientTracking {
  /** Who gets the messages; 0: the client itself. */
  readonly redirectTo: ClientId;
  /** Told of all keys with some prefixes, whoever read them. */
  readonly isBroadcasting: boolean;
  /** Only what follows CLIENT CACHING YES is tracked; or all but what follows CLIENT CACHING NO. */
  readonly isOptIn: boolean;
  readonly isOptOut: boolean;
  /** Not told of what it changes itself. */
  readonly isNoLoop: boolean;
  /** CLIENT CACHING came just before. */
  isCachingGiven = false;
  /** A message could not be sent, as the client that it is redirected to is gone. */
  isRedirectBroken = false;
  /** The prefixes (latin1) that are broadcast to it. */
  readonly prefixes: Set<string>;

  /** @param before what was set before: its prefixes stay */
  constructor(options: TrackingOptions, before: ClientTracking | undefined) {
    this.redirectTo = options.redirectTo;
    this.isBroadcasting = options.isBroadcasting;
    this.isOptIn = options.isOptIn;
    this.isOptOut = options.isOptOut;
    this.isNoLoop = options.isNoLoop;
    this.prefixes = before?.prefixes ?? new Set();
  }

  /** Whether the keys of the next command are to be remembered. */
  get isRemembering(): boolean {
    if (this.isBroadcasting) return false;
    return this.isOptIn ? this.isCachingGiven : !(this.isOptOut && this.isCachingGiven);
  }
}

/** The options of CLIENT TRACKING ON. */
export interface TrackingOptions {
  redirectTo: ClientId;
  isBroadcasting: boolean;
  isOptIn: boolean;
  isOptOut: boolean;
  isNoLoop: boolean;
}
