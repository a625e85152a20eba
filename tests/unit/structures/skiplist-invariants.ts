import { compareBytes } from '../../../src/memory/bytes.js';
import type { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import type { Skiplist, SkiplistReference } from '../../../src/structures/skiplist.js';
import {
  FORWARD,
  LEVELS_BYTE,
  LEVELS_MAX,
  type NodeReference,
  PARENT,
  SPAN,
} from '../../../src/structures/skiplist-nodes.js';

/** Throws unless every link, span, level and the order of a skiplist are as skiplist.ts says. Returns its nodes. */
export function checkSkiplist(memory: Memory, skiplist: Skiplist, list: SkiplistReference): NodeReference[] {
  const nodes = nodesInOrder(skiplist, list);
  const positions = new Map(nodes.map((node, index) => [node, index + 1]));
  const levelsUsed = memory.byte(list, LEVELS_BYTE);
  const highest = Math.max(1, ...nodes.map((node) => memory.byte(node, LEVELS_BYTE)));
  assert(levelsUsed === highest, `the list uses ${levelsUsed} levels, its nodes ${highest}`);
  assert(highest <= LEVELS_MAX, `a node has ${highest} levels`);

  for (let level = 1; level < levelsUsed; level++) {
    const linked: NodeReference[] = [];
    let node = list;
    let position = 0;
    for (;;) {
      const forward = memory.word(node, FORWARD + 2 * level);
      const span = memory.word(node, SPAN + 2 * level);
      if (forward === NULL_REFERENCE) {
        assert(span === nodes.length - position, `the last span of level ${level} is ${span}`);
        break;
      }
      assert(positions.get(forward) === position + span, `a span of level ${level} is ${span}`);
      linked.push(forward);
      position += span;
      node = forward;
    }
    const expected = nodes.filter((candidate) => memory.byte(candidate, LEVELS_BYTE) > level);
    assert(linked.join() === expected.join(), `level ${level} links other nodes than it should`);
  }
  checkParents(memory, list, nodes);
  return nodes;
}

function checkParents(memory: Memory, list: SkiplistReference, nodes: readonly NodeReference[]): void {
  // By level, the last node that has more levels.
  const parents: number[] = new Array(LEVELS_MAX + 1).fill(list);
  for (const node of nodes) {
    const levels = memory.byte(node, LEVELS_BYTE);
    assert(memory.word(node, PARENT) === parents[levels], `node ${node} has another parent than it should`);
    parents.fill(node, 0, levels);
  }
}

function nodesInOrder(skiplist: Skiplist, list: SkiplistReference): NodeReference[] {
  const nodes: NodeReference[] = [];
  let before: NodeReference = NULL_REFERENCE;
  for (let node = skiplist.first(list); node !== NULL_REFERENCE; node = skiplist.next(node)) {
    assert(skiplist.previous(node) === before, `node ${node} has another before it`);
    if (before !== NULL_REFERENCE) assert(isOrdered(skiplist, before, node), `node ${node} is out of order`);
    nodes.push(node);
    before = node;
  }
  assert(skiplist.last(list) === before, 'the list has another last node');
  assert(skiplist.count(list) === nodes.length, `count ${skiplist.count(list)}, nodes ${nodes.length}`);
  return nodes;
}

function isOrdered(skiplist: Skiplist, a: NodeReference, b: NodeReference): boolean {
  if (skiplist.score(a) !== skiplist.score(b)) return skiplist.score(a) < skiplist.score(b);
  const order = compareBytes(
    skiplist.memberBytes(a),
    skiplist.memberOffset(a),
    skiplist.memberLength(a),
    skiplist.memberBytes(b),
    skiplist.memberOffset(b),
    skiplist.memberLength(b),
  );
  return order < 0;
}

function assert(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
