import type { Reference } from './reference.js';

/** A growing list of references, reused so that collecting them allocates nothing. */
export class ReferenceList {
  /** The references; only the first `count` are valid. */
  items: Int32Array = new Int32Array(64);
  count = 0;

  push(reference: Reference): void {
    if (this.count === this.items.length) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this.items);
      this.items = larger;
    }
    this.items[this.count++] = reference;
  }

  /** Makes this list the same as another, and returns it. */
  copyOf(other: ReferenceList): this {
    this.clear();
    for (let i = 0; i < other.count; i++) this.push(other.items[i]);
    return this;
  }

  clear(): void {
    this.count = 0;
  }
}
