import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEADER_PAGES, HEADER_WORDS, NO_PAGE, type PageNumber } from '../../../src/memory/page-header.js';
import { PageRuns, RUN_PAGES_MAX } from '../../../src/memory/page-runs.js';
import { PAGES_PER_SEGMENT } from '../../../src/memory/reference.js';

const SEGMENT_COUNT = 3;

/** Segments that are nothing but headers. */
function makeRuns(): { runs: PageRuns; segments: Int32Array[] } {
  const segments: Int32Array[] = [];
  const runs = new PageRuns(segments);
  for (let i = 0; i < SEGMENT_COUNT; i++) {
    segments.push(new Int32Array(PAGES_PER_SEGMENT * HEADER_WORDS));
    runs.addSegment(i);
  }
  return { runs, segments };
}

describe('PageRuns', () => {
  it('has nothing to give without segments', () => {
    expect(new PageRuns([]).take(1)).toBe(NO_PAGE);
  });

  it('gives whole segments, and no more', () => {
    const { runs } = makeRuns();
    const taken = [runs.take(RUN_PAGES_MAX), runs.take(RUN_PAGES_MAX), runs.take(RUN_PAGES_MAX)];
    expect(taken.sort((a, b) => a - b)).toEqual(
      [0, 1, 2].map((segment) => segment * PAGES_PER_SEGMENT + HEADER_PAGES),
    );
    expect(runs.take(1)).toBe(NO_PAGE);
    expect(runs.freePages).toBe(0);
  });

  it('takes out a segment that is free, and only that', () => {
    const { runs } = makeRuns();
    const page = runs.take(1);
    const used = Math.floor(page / PAGES_PER_SEGMENT);
    expect(runs.isSegmentFree(used)).toBe(false);
    for (let segment = 0; segment < SEGMENT_COUNT; segment++) {
      if (segment === used) continue;
      expect(runs.isSegmentFree(segment)).toBe(true);
      runs.removeSegment(segment);
    }
    expect(runs.freePages).toBe(RUN_PAGES_MAX - 1);
    expect(runs.take(RUN_PAGES_MAX)).toBe(NO_PAGE);
    expect(runs.take(RUN_PAGES_MAX - 1)).toBe(page + 1);
  });

  it('notices a run that is freed twice', () => {
    const { runs } = makeRuns();
    const page = runs.take(5);
    runs.take(1);
    runs.release(page);
    expect(() => runs.release(page)).toThrow(/freed twice/);
  });

  it('neither loses nor overlaps pages, and joins all that is free', () => {
    const pages = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 400 }) },
      { weight: 1, arbitrary: fc.integer({ min: 400, max: RUN_PAGES_MAX }) },
    );
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), pages }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('resize' as const), pick: fc.nat(), pages }) },
    );
    const property = fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const { runs } = makeRuns();
      const model = new Map<PageNumber, number>();
      const owner = new Uint8Array(SEGMENT_COUNT * PAGES_PER_SEGMENT);
      const own = (page: PageNumber, count: number, value: 0 | 1) => {
        for (let i = page; i < page + count; i++) {
          if (owner[i] === value) throw new Error(`page ${i} is in two runs`);
          owner[i] = value;
        }
      };
      for (let segment = 0; segment < SEGMENT_COUNT; segment++) {
        own(segment * PAGES_PER_SEGMENT, HEADER_PAGES, 1); // never handed out
      }
      let used = 0;
      for (const step of operations) {
        if (step.kind === 'take') {
          const page = runs.take(step.pages);
          if (page === NO_PAGE) continue;
          own(page, step.pages, 1);
          model.set(page, step.pages);
          used += step.pages;
        } else if (model.size > 0) {
          const [page, count] = [...model][step.pick % model.size];
          if (step.kind === 'release') {
            runs.release(page);
            own(page, count, 0);
            model.delete(page);
            used -= count;
          } else {
            const end = page + step.pages;
            let fits = end <= Math.ceil((page + 1) / PAGES_PER_SEGMENT) * PAGES_PER_SEGMENT;
            for (let i = page + count; fits && i < end; i++) fits = owner[i] === 0;
            expect(runs.resize(page, step.pages)).toBe(fits);
            if (!fits) continue;
            own(page, count, 0);
            own(page, step.pages, 1);
            model.set(page, step.pages);
            used += step.pages - count;
          }
        }
        expect(runs.usedPages).toBe(used);
        expect(runs.freePages).toBe(SEGMENT_COUNT * RUN_PAGES_MAX - used);
      }
      for (const page of model.keys()) runs.release(page);
      for (let segment = 0; segment < SEGMENT_COUNT; segment++)
        expect(runs.isSegmentFree(segment)).toBe(true);
    });
    fc.assert(property, { numRuns: 150 });
  });
});
