import type { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import type { Listpacks } from '../../../src/structures/listpack.js';
import { lzfCompress } from '../../../src/structures/lzf.js';
import type { Quicklists } from '../../../src/structures/quicklist.js';
import type { QuicklistReference } from '../../../src/structures/quicklist-chain.js';
import type { NodeReference } from '../../../src/structures/quicklist-nodes.js';
import { assert, blockContent, checkListpack } from './listpack-invariants.js';

/** A node of a list, uncompressed. */
export interface NodeContent {
  readonly isPlain: boolean;
  readonly bytes: Buffer;
}

/** The nodes of a list, uncompressed, without a change to it. */
export function nodeContents(
  memory: Memory,
  quicklists: Quicklists,
  list: QuicklistReference,
): NodeContent[] {
  const { nodes } = quicklists;
  return nodesOf(quicklists, list).map((node) => {
    const isCompressed = nodes.isCompressed(node);
    const entry = isCompressed ? nodes.decompressed(node) : nodes.entry(node);
    const bytes = blockContent(memory, entry, nodes.byteLength(node));
    if (isCompressed) memory.free(entry);
    return { isPlain: nodes.isPlain(node), bytes };
  });
}

/**
 * Throws unless the links, counts, lengths and listpacks of a list are sound and those of its nodes are compressed that
 * should be. Returns the elements.
 */
export function checkQuicklist(
  memory: Memory,
  listpacks: Listpacks,
  quicklists: Quicklists,
  list: QuicklistReference,
): Buffer[] {
  const { nodes } = quicklists;
  const chain = nodesOf(quicklists, list);
  assert(quicklists.nodeCount(list) === chain.length, `counted ${chain.length} nodes`);
  assert(quicklists.tail(list) === (chain.at(-1) ?? NULL_REFERENCE), 'another tail');
  for (const [index, node] of chain.entries()) {
    assert(
      nodes.previous(node) === (chain[index - 1] ?? NULL_REFERENCE),
      `node ${index} links back elsewhere`,
    );
    assert(nodes.storedLength(node) <= memory.blockBytes(nodes.entry(node)), `node ${index} overflows`);
  }

  const contents = nodeContents(memory, quicklists, list);
  const depth = quicklists.compressDepth(list);
  for (const [index, { bytes }] of contents.entries()) {
    const isInner = depth > 0 && index >= depth && index < chain.length - depth;
    const isCompressed = nodes.isCompressed(chain[index]);
    assert(
      isCompressed === (isInner && isWorthCompressing(bytes)),
      `node ${index} compressed: ${isCompressed}`,
    );
  }

  const elements = contents.flatMap(({ isPlain, bytes }, index) => {
    const held = isPlain ? [bytes] : elementsOf(memory, listpacks, bytes);
    assert(nodes.count(chain[index]) === held.length, `node ${index} has ${held.length} elements`);
    return held;
  });
  assert(quicklists.length(list) === elements.length, `counted ${elements.length} elements`);
  return elements;
}

function nodesOf(quicklists: Quicklists, list: QuicklistReference): NodeReference[] {
  const chain: NodeReference[] = [];
  for (let node = quicklists.head(list); node !== NULL_REFERENCE; node = quicklists.nodes.next(node)) {
    chain.push(node);
  }
  return chain;
}

function elementsOf(memory: Memory, listpacks: Listpacks, bytes: Buffer): Buffer[] {
  const listpack = listpacks.createFrom(bytes, 0, bytes.length);
  const elements = checkListpack(memory, listpacks, listpack);
  listpacks.free(listpack);
  return elements;
}

/** The rule of Redis: 48 bytes at least, and more than 8 bytes won. */
function isWorthCompressing(bytes: Buffer): boolean {
  const target = new Uint8Array(bytes.length);
  const length = lzfCompress(bytes, 0, bytes.length, target, 0, bytes.length);
  return bytes.length >= 48 && length > 0 && length + 8 < bytes.length;
}
