/**
 * What can happen to a key: the class letter under which `notify-keyspace-events` selects it, as a bit, and
 * the event's name. Commands pass these to the change signal.
 */
export interface KeyEvent {
  readonly eventClass: number;
  readonly name: string;
}

/** The classes, by their letters in `notify-keyspace-events`: the bits of Redis's NOTIFY_ constants. */
export const NOTIFY_KEYSPACE = 1 << 0; // K
export const NOTIFY_KEYEVENT = 1 << 1; // E
export const NOTIFY_GENERIC = 1 << 2; // g
export const NOTIFY_STRING = 1 << 3; // $
export const NOTIFY_LIST = 1 << 4; // l
export const NOTIFY_SET = 1 << 5; // s
export const NOTIFY_HASH = 1 << 6; // h
export const NOTIFY_SORTED_SET = 1 << 7; // z
export const NOTIFY_EXPIRED = 1 << 8; // x
export const NOTIFY_EVICTED = 1 << 9; // e
export const NOTIFY_STREAM = 1 << 10; // t
export const NOTIFY_KEY_MISS = 1 << 11; // m
export const NOTIFY_MODULE = 1 << 13; // d
export const NOTIFY_NEW = 1 << 14; // n

/** An event of a class, made once when a module is loaded, never per command. */
export function keyEvent(eventClass: number, name: string): KeyEvent {
  return { eventClass, name };
}

/** Events that no one family of commands owns. */
export const EVENT_DEL = keyEvent(NOTIFY_GENERIC, 'del');
export const EVENT_EXPIRED = keyEvent(NOTIFY_EXPIRED, 'expired');
export const EVENT_EVICTED = keyEvent(NOTIFY_EVICTED, 'evicted');
export const EVENT_NEW = keyEvent(NOTIFY_NEW, 'new');
export const EVENT_KEY_MISS = keyEvent(NOTIFY_KEY_MISS, 'keymiss');
