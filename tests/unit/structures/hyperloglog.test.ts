import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DENSE_BYTES,
  ENCODING_SPARSE,
  HEADER_BYTES,
  HyperLogLogElement,
  hasCardinality,
  isHyperLogLog,
  REGISTER_VALUES,
  REGISTERS,
} from '../../../src/structures/hyperloglog.js';
import {
  countDenseRegisters,
  denseRegister,
  mergeDenseRegisters,
  packDenseRegisters,
  raiseDenseRegister,
  setDenseRegister,
} from '../../../src/structures/hyperloglog-dense.js';
import { HyperLogLogDraft } from '../../../src/structures/hyperloglog-draft.js';
import { countRegisters, estimateCardinality } from '../../../src/structures/hyperloglog-estimator.js';
import { selfTestFailure } from '../../../src/structures/hyperloglog-self-test.js';
import {
  CORRUPT,
  mergeSparseRegisters,
  RAISED,
  SparseEditor,
  SparseRuns,
  TOO_LARGE,
  UNCHANGED,
} from '../../../src/structures/hyperloglog-sparse.js';
import { elementFor, registerOf } from '../../support/hyperloglog-elements.js';

/** Registers at both ends, some next to each other, and any. */
const registers = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1000, max: 1080 }) },
  { weight: 2, arbitrary: fc.integer({ min: REGISTERS - 8, max: REGISTERS - 1 }) },
  { weight: 1, arbitrary: fc.nat({ max: REGISTERS - 1 }) },
);
/** Mostly few, so that neighbours have the same. */
const values = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 32 }) },
);
const raises = fc.array(fc.tuple(registers, values), { maxLength: 300, size: 'max' });

/** The registers of a draft, a byte each. */
function registersOf(draft: HyperLogLogDraft): Uint8Array {
  const found = new Uint8Array(REGISTERS);
  if (draft.isDense) mergeDenseRegisters(draft.bytes, HEADER_BYTES, found);
  else expect(mergeSparseRegisters(draft.bytes, HEADER_BYTES, draft.length, found)).toBe(true);
  return found;
}

function estimateOf(draft: HyperLogLogDraft): number {
  const histogram = new Int32Array(REGISTER_VALUES);
  expect(countRegisters(draft.bytes, 0, draft.length, histogram)).toBe(true);
  return estimateCardinality(histogram);
}

function contentOf({ bytes, length }: { bytes: Uint8Array; length: number }): Buffer {
  return Buffer.from(bytes.subarray(0, length));
}

function emptyEditor(): SparseEditor {
  const draft = new HyperLogLogDraft();
  draft.begin();
  const editor = new SparseEditor();
  editor.load(draft.bytes, 0, draft.length);
  return editor;
}

describe('elements', () => {
  it('have the register and value of the definition', () => {
    const element = new HyperLogLogElement();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        element.read(bytes, 0, bytes.length);
        expect([element.register, element.value]).toEqual(registerOf(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('have any value from 1 to 51', () => {
    const element = new HyperLogLogElement();
    for (let value = 1; value <= 51; value++) {
      element.read(elementFor(16383, value), 0, 8);
      expect([element.register, element.value]).toEqual([16383, value]);
    }
  });
});

describe('dense registers', () => {
  it('equal an array, and touch no bytes around them', () => {
    const bytes = new Uint8Array(DENSE_BYTES - HEADER_BYTES + 20).fill(0xa5);
    const start = 12;
    bytes.fill(0, start, bytes.length - 8);
    const model = new Uint8Array(REGISTERS);
    const changes = fc.array(fc.tuple(registers, fc.integer({ min: 0, max: 63 }), fc.boolean()), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(changes, (list) => {
        for (const [register, value, isSet] of list) {
          if (isSet) setDenseRegister(bytes, start, register, value);
          else expect(raiseDenseRegister(bytes, start, register, value)).toBe(value > model[register]);
          model[register] = isSet ? value : Math.max(value, model[register]);
        }
        for (let register = 0; register < REGISTERS; register++) {
          if (denseRegister(bytes, start, register) !== model[register]) expect.fail(`register ${register}`);
        }
        const merged = new Uint8Array(REGISTERS).fill(2);
        mergeDenseRegisters(bytes, start, merged);
        expect(
          Buffer.compare(
            merged,
            model.map((value) => Math.max(value, 2)),
          ),
        ).toBe(0);
        const packed = new Uint8Array(DENSE_BYTES - HEADER_BYTES);
        packDenseRegisters(model, packed, 0);
        expect(Buffer.compare(packed, bytes.subarray(start, -8))).toBe(0);
        const histogram = new Int32Array(REGISTER_VALUES);
        countDenseRegisters(bytes, start, histogram);
        for (let value = 0; value < REGISTER_VALUES; value++) {
          expect(histogram[value]).toBe(model.filter((other) => other === value).length);
        }
      }),
      { numRuns: 40 },
    );
    expect([...bytes.slice(0, start), ...bytes.slice(-8)]).toEqual(new Array(20).fill(0xa5));
  });
});

describe('sparse registers', () => {
  it('equal an array', () => {
    fc.assert(
      fc.property(raises, (list) => {
        const editor = emptyEditor();
        const model = new Uint8Array(REGISTERS);
        for (const [register, value] of list) {
          const result = editor.raise(register, value, 3000);
          if (result !== (value > model[register] ? RAISED : UNCHANGED)) expect.fail(`${register} ${value}`);
          model[register] = Math.max(model[register], value);
        }
        const found = new Uint8Array(REGISTERS);
        expect(mergeSparseRegisters(editor.bytes, HEADER_BYTES, editor.length, found)).toBe(true);
        expect(Buffer.compare(found, model)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same bytes wherever the search for a register begins', () => {
    fc.assert(
      fc.property(raises, fc.boolean(), (list, isSorted) => {
        if (isSorted) list.sort(([a], [b]) => a - b);
        const [kept, reloaded] = [emptyEditor(), emptyEditor()];
        for (const [register, value] of list) {
          reloaded.load(contentOf(reloaded), 0, reloaded.length);
          const results = [kept.raise(register, value, 3000), reloaded.raise(register, value, 3000)];
          if (results[0] !== results[1] || !contentOf(kept).equals(contentOf(reloaded)))
            expect.fail(`after ${register} ${value}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('are split and merged as in the documentation of Redis', () => {
    const draft = new HyperLogLogDraft();
    draft.begin();
    for (const [register, value] of [
      [1000, 2],
      [1021, 3],
      [1020, 3],
    ]) {
      draft.add(elementFor(register, value), 0, 8, 3000);
    }
    const runs = new SparseRuns();
    runs.begin(draft.bytes, HEADER_BYTES, draft.length);
    const read: number[][] = [];
    while (runs.next()) read.push([runs.value, runs.length]);
    expect(read).toEqual([
      [0, 1000],
      [2, 1],
      [0, 19],
      [3, 2],
      [0, 15362],
    ]);
    expect(draft.length).toBe(HEADER_BYTES + 7);
  });

  it('do not grow beyond the limit, and are not what they cannot be', () => {
    const editor = emptyEditor();
    expect(editor.raise(5000, 33, 3000)).toBe(TOO_LARGE);
    expect(editor.raise(5000, 32, 20)).toBe(TOO_LARGE);
    expect(contentOf(editor)).toEqual(contentOf(emptyEditor()));
    expect(editor.raise(5000, 32, 21)).toBe(RAISED);
    expect(editor.length).toBe(21);
  });

  it('of any bytes are read and changed without a hitch', () => {
    const spoiled = fc.uint8Array({ maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(spoiled, raises, (runs, list) => {
        const bytes = Buffer.concat([Buffer.from('HYLL\x01\0\0\0\0\0\0\0\0\0\0\0', 'latin1'), runs]);
        expect(isHyperLogLog(bytes, 0, bytes.length)).toBe(true);
        const draft = new HyperLogLogDraft();
        draft.load(bytes, 0, bytes.length);
        for (const [register, value] of list.slice(0, 40)) {
          const before = contentOf(draft);
          const result = draft.add(elementFor(register, value), 0, 8, 100);
          if (result === RAISED) continue;
          if (!contentOf(draft).equals(before)) expect.fail(`changed by ${register} ${value}`);
          expect([UNCHANGED, CORRUPT]).toContain(result);
        }
        const isWhole = countRegisters(draft.bytes, 0, draft.length, new Int32Array(REGISTER_VALUES));
        expect(draft.makeDense()).toBe(isWhole);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a draft', () => {
  it('counts the same in both encodings, about as many as there are', () => {
    const [draft, dense] = [new HyperLogLogDraft(), new HyperLogLogDraft()];
    draft.begin();
    dense.begin();
    dense.makeDense();
    let count = 0;
    for (const checkpoint of [0, 1, 2, 5, 10, 100, 1000, 1500, 5000, 30_000]) {
      for (; count < checkpoint; count++) {
        const element = Buffer.from(`element ${count}`);
        draft.add(element, 0, element.length, 3000);
        dense.add(element, 0, element.length, 3000);
      }
      expect(registersOf(draft)).toEqual(registersOf(dense));
      expect(estimateOf(draft)).toBe(estimateOf(dense));
      expect(Math.abs(estimateOf(draft) - count)).toBeLessThanOrEqual(Math.ceil(count * 0.04));
      if (count <= 1000) expect(draft.isDense).toBe(false);
    }
    expect(draft.isDense).toBe(true);
  });

  it('becomes dense with its header, for a value or a length that the runs cannot have', () => {
    for (const [value, bytesMax] of [
      [33, 3000],
      [51, 3000],
      [1, 22],
    ]) {
      const draft = new HyperLogLogDraft();
      draft.begin();
      draft.add(elementFor(7000, 1), 0, 8, 3000);
      expect(hasCardinality(draft.bytes, 0)).toBe(false);
      expect(draft.add(elementFor(9, value), 0, 8, bytesMax)).toBe(RAISED);
      expect([draft.isDense, draft.length]).toEqual([true, DENSE_BYTES]);
      expect(isHyperLogLog(draft.bytes, 0, draft.length)).toBe(true);
      expect(hasCardinality(draft.bytes, 0)).toBe(false);
      const found = registersOf(draft);
      expect([found[7000], found[9], found.filter((other) => other > 0).length]).toEqual([1, value, 2]);
    }
  });

  it('takes over a union in either encoding', () => {
    fc.assert(
      fc.property(raises, raises, fc.boolean(), (own, others, asDense) => {
        const draft = new HyperLogLogDraft();
        draft.begin();
        const union = new Uint8Array(REGISTERS);
        for (const [register, value] of own) draft.add(elementFor(register, value), 0, 8, 400);
        for (const [register, value] of [...own, ...others]) {
          union[register] = Math.max(union[register], value);
        }
        draft.takeUnion(union, asDense, 400);
        expect(Buffer.compare(registersOf(draft), union)).toBe(0);
        expect(draft.isDense || draft.length <= 400).toBe(true);
        expect([draft.hasChanged, hasCardinality(draft.bytes, 0)]).toEqual([true, false]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('estimates', () => {
  function histogramOf(counts: Readonly<Record<number, number>>): Int32Array {
    const histogram = new Int32Array(REGISTER_VALUES);
    for (const [value, count] of Object.entries(counts)) histogram[Number(value)] = count;
    return histogram;
  }

  it('of nothing are 0, and of registers that no elements make beyond 63 bits', () => {
    expect(estimateCardinality(histogramOf({ 0: REGISTERS }))).toBe(0);
    expect(estimateCardinality(histogramOf({ 51: REGISTERS }))).toBe(Infinity);
    expect(estimateCardinality(histogramOf({ 63: REGISTERS }))).toBe(Infinity);
    expect(estimateCardinality(histogramOf({ 50: 1, 63: REGISTERS - 1 }))).toBeGreaterThan(2 ** 63);
  });

  it('of one register are 1', () => {
    for (let value = 1; value <= 51; value++) {
      expect(estimateCardinality(histogramOf({ 0: REGISTERS - 1, [value]: 1 }))).toBe(1);
    }
  });
});

describe('what is a HyperLogLog', () => {
  const header = (encoding: number, length: number) => {
    const bytes = Buffer.alloc(length);
    bytes.write('HYLL', 'latin1');
    if (length > 4) bytes[4] = encoding;
    return bytes;
  };

  it.each([
    [0, DENSE_BYTES, true],
    [0, DENSE_BYTES - 1, false],
    [0, DENSE_BYTES + 1, false],
    [ENCODING_SPARSE, HEADER_BYTES, true],
    [ENCODING_SPARSE, HEADER_BYTES - 1, false],
    [ENCODING_SPARSE, 100_000, true],
    [2, DENSE_BYTES, false],
    [255, 100, false],
    [0, 4, false],
    [0, 0, false],
  ])('encoding %i in %i bytes: %s', (encoding, length, expected) => {
    expect(isHyperLogLog(header(encoding, length), 0, length)).toBe(expected);
  });
});

it('passes the test of itself', () => {
  expect(selfTestFailure(3000)).toBeUndefined();
});
