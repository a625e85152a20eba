import { RESTRICTED_LOADING, type Server } from './server.js';

/**
 * Brings the data back: at the start from the append-only file, or from the RDB file where that is off; later, when
 * DEBUG LOADAOF says so. Meanwhile most commands are refused, nothing expires, and nothing is passed on.
 */
export class DataLoading {
  private readonly server: Server;

  constructor(server: Server) {
    this.server = server;
  }

  /** Loads the data when the server starts. Rejects when it cannot be loaded; the log tells why. */
  async load(): Promise<void> {
    const { appendOnlyFile, configuration, saving } = this.server;
    if (configuration.values.appendonly) {
      await this.around(() => appendOnlyFile.loadAtStart(() => this.server.turn.open()));
      appendOnlyFile.openAtStart();
    } else if (saving.hasFile) {
      await this.around(() => saving.load());
    }
    await appendOnlyFile.applyDirective();
  }

  /** Empties the databases and loads the append-only file in slices. Rejects when it cannot be loaded. */
  async reload(): Promise<void> {
    const { appendOnlyFile } = this.server;
    await this.around(() => {
      this.clear();
      return appendOnlyFile.reload(() => this.server.turn.open());
    });
    await appendOnlyFile.applyDirective();
  }

  /** The same while everybody waits. @throws Error */
  reloadAtOnce(): void {
    const { appendOnlyFile } = this.server;
    this.begin();
    try {
      this.clear();
      appendOnlyFile.reloadAtOnce();
    } finally {
      this.end();
    }
  }

  private async around(load: () => Promise<void>): Promise<void> {
    this.begin();
    try {
      await load();
    } finally {
      this.end();
    }
  }

  private begin(): void {
    const { server } = this;
    server.isLoading = true;
    server.restrictions |= RESTRICTED_LOADING;
    server.keyspace.ignoresDeadlines = true;
    server.propagation.suspend();
  }

  private end(): void {
    const { server } = this;
    server.isLoading = false;
    server.restrictions &= ~RESTRICTED_LOADING;
    server.keyspace.ignoresDeadlines = false;
    server.keyspace.dirty = 0;
    server.propagation.resume();
    // What is past its deadline goes from now on.
    server.turn.open();
  }

  private clear(): void {
    const { keyspace } = this.server;
    for (const database of keyspace.databases) if (database.size > 0) keyspace.clear(database, false);
  }
}
