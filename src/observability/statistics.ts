/**
 * What the server counts of connections and traffic, for INFO. Commands, errors, keys and the event loop are
 * counted where they happen.
 */
export class Statistics {
  connectionsReceived = 0;
  connectionsRejected = 0;
  /** Clients that were closed because they sent, or did not read, more than they may. */
  queryBufferLimitDisconnections = 0;
  outputBufferLimitDisconnections = 0;
  /** What clients sent, in bytes, and in reads with the one that finds the end. */
  inputBytes = 0;
  reads = 0;
  /** Failed logins. Of all counters, only this one survives CONFIG RESETSTAT (as in Redis). */
  deniedLogins = 0;

  /** Sets the counters back to zero. */
  reset(): void {
    this.connectionsReceived = 0;
    this.connectionsRejected = 0;
    this.queryBufferLimitDisconnections = 0;
    this.outputBufferLimitDisconnections = 0;
    this.inputBytes = 0;
    this.reads = 0;
  }
}
