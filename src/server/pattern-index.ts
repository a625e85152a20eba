import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { matchGlob } from '../structures/glob.js';

/** What ends the part of a pattern that stands for itself. */
const SPECIAL_CHARACTERS = /[*?[\\]/;

/**
 * The patterns that match a name, found without trying all of them: only those are tried whose beginning, up to the
 * first special character, is that of the name. So a hundred thousand patterns `user:<id>:*` cost a message two
 * lookups. Patterns and names are latin1 text.
 *
 *     byBeginning   'user:1:' → { 'user:1:*' }   'user:2:' → { 'user:2:*', 'user:2:?' }   '' → { '*' }
 *     lengths       0, 7
 */
export class PatternIndex {
  /** By beginning, the patterns and their bytes. */
  private readonly byBeginning = new Map<string, Map<string, Uint8Array>>();
  /** How many beginnings have each length. */
  private readonly countByLength = new Map<number, number>();
  private patternCount = 0;

  /** How many patterns there are. */
  get size(): number {
    return this.patternCount;
  }

  /** Adds a pattern that is not there yet. */
  add(pattern: string): void {
    const beginning = beginningOf(pattern);
    let patterns = this.byBeginning.get(beginning);
    if (patterns === undefined) {
      patterns = new Map();
      this.byBeginning.set(beginning, patterns);
      this.countByLength.set(beginning.length, (this.countByLength.get(beginning.length) ?? 0) + 1);
    }
    patterns.set(pattern, Buffer.from(pattern, 'latin1'));
    this.patternCount++;
  }

  /** Removes a pattern that is there. */
  remove(pattern: string): void {
    const beginning = beginningOf(pattern);
    const patterns = this.byBeginning.get(beginning);
    if (patterns?.delete(pattern) !== true) return;
    this.patternCount--;
    if (patterns.size > 0) return;
    this.byBeginning.delete(beginning);
    const left = (this.countByLength.get(beginning.length) ?? 0) - 1;
    if (left > 0) this.countByLength.set(beginning.length, left);
    else this.countByLength.delete(beginning.length);
  }

  /** The patterns that match a name, given as text and as bytes. */
  matching(name: string, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): string[] {
    const found: string[] = [];
    for (const beginningLength of this.countByLength.keys()) {
      if (beginningLength > name.length) continue;
      const patterns = this.byBeginning.get(name.slice(0, beginningLength));
      if (patterns === undefined) continue;
      for (const [pattern, glob] of patterns) {
        if (matchGlob(glob, 0, glob.length, bytes, offset, length, false)) found.push(pattern);
      }
    }
    return found;
  }
}

function beginningOf(pattern: string): string {
  const end = pattern.search(SPECIAL_CHARACTERS);
  return end < 0 ? pattern : pattern.slice(0, end);
}
