import type { Database } from '../keyspace/database.js';
import { type KeyEvent, NOTIFY_KEY_MISS, NOTIFY_KEYEVENT, NOTIFY_KEYSPACE } from '../keyspace/events.js';
import type { ChangeListener, Keyspace } from '../keyspace/keyspace.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { PubSub } from './pubsub.js';

/**
 * `notify-keyspace-events`: what happens to keys, as messages to `__keyspace@0__:key` and `__keyevent@0__:event`.
 * The keyspace is only listened to while the directive selects something.
 */
export class Notifications implements ChangeListener {
  private readonly keyspace: Keyspace;
  private readonly pubsub: PubSub;
  /** NOTIFY_ bits. */
  private selected = 0;

  constructor(keyspace: Keyspace, pubsub: PubSub) {
    this.keyspace = keyspace;
    this.pubsub = pubsub;
  }

  /** Selects event classes by their NOTIFY_ bits; nothing is sent without NOTIFY_KEYSPACE or NOTIFY_KEYEVENT. */
  select(classes: number): void {
    const wasListening = this.isListening;
    this.selected = classes;
    this.keyspace.tellsMisses = (classes & NOTIFY_KEY_MISS) !== 0;
    if (this.isListening && !wasListening) this.keyspace.addListener(this);
    if (!this.isListening && wasListening) this.keyspace.removeListener(this);
  }

  keyChanged(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    if ((this.selected & event.eventClass) === 0 || !this.pubsub.hasSubscribers) return;
    const name = Buffer.from(event.name, 'latin1');
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length);
    if ((this.selected & NOTIFY_KEYSPACE) !== 0) {
      this.send(Buffer.concat([Buffer.from(`__keyspace@${database.index}__:`), key]), name);
    }
    if ((this.selected & NOTIFY_KEYEVENT) !== 0) {
      this.send(Buffer.concat([Buffer.from(`__keyevent@${database.index}__:`), name]), key);
    }
  }

  databaseChanged(): void {
    // Redis sends no event for FLUSHDB, FLUSHALL and SWAPDB.
  }

  private get isListening(): boolean {
    return (this.selected & (NOTIFY_KEYSPACE | NOTIFY_KEYEVENT)) !== 0;
  }

  private send(channel: Uint8Array, message: Uint8Array): void {
    this.pubsub.publish(
      'channel',
      { bytes: channel, offset: 0, length: channel.length },
      { bytes: message, offset: 0, length: message.length },
    );
  }
}
