import type { Keyspace } from '../keyspace/keyspace.js';
import { Snapshot, type SnapshotSink } from './snapshot.js';

/** How long a slice of the walk takes at least before clients go first, in ms. */
const SLICE_MS_MIN = 0.25;
/** And at most: that long while a change waits for what is being passed on. */
const SLICE_MS_MAX = 1;
/** What a slice takes of the time that clients took since the one before, so that a busy server's walk ends, too. */
const SLICE_SHARE = 0.5;

/**
 * Until so many ms have been walked in all, the walk is cold: V8 interprets it, and compiles it on other threads, so
 * that a slice takes many times as long as later and cores are scarce.
 */
const COLD_MS = 30;
/** While it is, it rests so many times as long as a slice took. */
const COLD_RESTS = 4;

/**
 * How long the next slice of a walk may take, in ms.
 * @param sinceLastMs the time since the slice before
 */
export function snapshotSliceMs(sinceLastMs: number, isAwaited: boolean): number {
  if (isAwaited) return SLICE_MS_MAX;
  return Math.min(SLICE_MS_MAX, Math.max(SLICE_MS_MIN, sinceLastMs * SLICE_SHARE));
}

/** The snapshots of a keyspace, one at a time: for saves, for rewrites of the append-only file, and for replicas. */
export class Snapshots {
  /** Called when changes that `Snapshot.delays` delayed may have to wait no more. */
  onProgress: () => void = () => {};
  /** Called when there begins to be a snapshot, or no more is one. */
  onActive: (isActive: boolean) => void = () => {};
  /** The one whose keys are being passed on. */
  current: Snapshot | undefined;
  /** How many there have been: for each of them Redis would have forked (`total_forks`). */
  count = 0;

  private readonly keyspace: Keyspace;
  /** How long walks have taken in all, up to COLD_MS. */
  private walkedMs = 0;
  /** One that was given up, whose walk is not at its end. */
  private remains: Snapshot | undefined;

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  /** Makes a snapshot. Its walk is the caller's business, who says `end` or `giveUp` afterwards. */
  begin(sink: SnapshotSink): Snapshot {
    if (this.current !== undefined) throw new Error('there is a snapshot already');
    // Rare, as what failed is tried again seconds later.
    this.remains?.walk(Number.POSITIVE_INFINITY, () => false);
    this.remains = undefined;
    this.current = new Snapshot(this.keyspace, sink, () => this.onProgress());
    this.count++;
    this.onActive(true);
    return this.current;
  }

  /** How long a walk had better rest after a slice that took so long, in ms. */
  restAfter(sliceMs: number): number {
    if (this.walkedMs >= COLD_MS) return 0;
    this.walkedMs += sliceMs;
    return sliceMs * COLD_RESTS;
  }

  /** The walk of the snapshot is at its end. */
  end(snapshot: Snapshot): void {
    if (this.current !== snapshot) return;
    this.current = undefined;
    this.onActive(false);
  }

  /** Nobody wants the snapshot any more. Its walk goes on in slices until all records are marked. */
  giveUp(snapshot: Snapshot): void {
    if (this.current !== snapshot) return;
    this.end(snapshot);
    snapshot.giveUp();
    this.remains = snapshot;
    const go = () => {
      if (this.remains !== snapshot) return;
      if (snapshot.walk(SLICE_MS_MIN, () => false)) setImmediate(go).unref();
      else this.remains = undefined;
    };
    go();
  }
}
