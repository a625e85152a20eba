import { describe, expect, it } from 'vitest';
import { PAGE_BYTES, UNIT_BYTES } from '../../../src/memory/reference.js';
import {
  CLASS_BYTES,
  CLASS_COUNT,
  CLASS_SLAB_BLOCKS,
  CLASS_SLAB_PAGES,
  classOf,
  SMALL_BYTES_MAX,
} from '../../../src/memory/size-classes.js';

describe('size classes', () => {
  it('give every length the smallest class that holds it', () => {
    for (let length = 0; length <= SMALL_BYTES_MAX; length++) {
      const sizeClass = classOf(length);
      if (CLASS_BYTES[sizeClass] < length || (sizeClass > 0 && CLASS_BYTES[sizeClass - 1] >= length)) {
        throw new Error(`${length} bytes get class ${sizeClass} of ${CLASS_BYTES[sizeClass]} bytes`);
      }
    }
    expect(classOf(0)).toBe(0);
    expect(classOf(SMALL_BYTES_MAX)).toBe(CLASS_COUNT - 1);
  });

  it('waste at most an eighth of a block, beyond 64 bytes', () => {
    for (let length = 57; length <= SMALL_BYTES_MAX; length++) {
      const waste = CLASS_BYTES[classOf(length)] - length;
      if (waste > length / 8) throw new Error(`${waste} bytes are wasted on ${length}`);
    }
  });

  it.each([...CLASS_BYTES.keys()])('have slabs of a few pages: class %i', (sizeClass) => {
    const bytes = CLASS_BYTES[sizeClass];
    const slabBytes = CLASS_SLAB_PAGES[sizeClass] * PAGE_BYTES;
    expect(bytes % UNIT_BYTES).toBe(0);
    expect(CLASS_SLAB_BLOCKS[sizeClass]).toBeGreaterThanOrEqual(2);
    expect(CLASS_SLAB_BLOCKS[sizeClass] * bytes).toBeLessThanOrEqual(slabBytes);
    expect(CLASS_SLAB_BLOCKS[sizeClass] * bytes).toBeGreaterThanOrEqual(slabBytes * (15 / 16));
    expect(slabBytes).toBeLessThanOrEqual(16 * PAGE_BYTES);
  });
});
