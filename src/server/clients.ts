import type { Client, ClientId } from './client.js';

/** All connected clients, in the order in which they came. */
export class Clients {
  private readonly byId = new Map<ClientId, Client>();
  private lastId: ClientId = 0;

  /** How many there are. */
  get count(): number {
    return this.byId.size;
  }

  /** A number that no client had before. */
  nextId(): ClientId {
    return ++this.lastId;
  }

  add(client: Client): void {
    this.byId.set(client.id, client);
  }

  remove(client: Client): void {
    this.byId.delete(client.id);
  }

  find(id: ClientId): Client | undefined {
    return this.byId.get(id);
  }

  [Symbol.iterator](): IterableIterator<Client> {
    return this.byId.values();
  }
}
