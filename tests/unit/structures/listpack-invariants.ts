import { byteOffset, type Memory } from '../../../src/memory/memory.js';
import { type Reference, SEGMENT_SHIFT } from '../../../src/memory/reference.js';
import type { Listpacks } from '../../../src/structures/listpack.js';
import type { ListpackElement } from '../../../src/structures/listpack-element.js';
import { NO_POSITION } from '../../../src/structures/listpack-reader.js';
import { isValidListpack } from '../../../src/structures/listpack-validation.js';

/** A copy of the first `length` bytes of a block. */
export function blockContent(memory: Memory, block: Reference, length: number): Buffer {
  const start = byteOffset(block);
  return Buffer.from(memory.bytes[block >>> SEGMENT_SHIFT].subarray(start, start + length));
}

/** A copy of the element that was read last, an integer as text. */
export function copyOfElement(element: ListpackElement): Buffer {
  element.spell();
  return Buffer.from(element.bytes.subarray(element.offset, element.offset + element.length));
}

/** Throws unless the bytes of a listpack are valid, fit its block, and walks of it agree. Returns its elements. */
export function checkListpack(memory: Memory, listpacks: Listpacks, listpack: Reference): Buffer[] {
  const total = listpacks.byteLength(listpack);
  assert(total <= memory.blockBytes(listpack), `${total} bytes in ${memory.blockBytes(listpack)}`);
  assert(isValidListpack(blockContent(memory, listpack, total), 0, total, true), 'the bytes are not valid');

  const positions: number[] = [];
  const elements: Buffer[] = [];
  for (let at = listpacks.first(listpack); at !== NO_POSITION; at = listpacks.next(listpack, at)) {
    positions.push(at);
    listpacks.read(listpack, at);
    elements.push(copyOfElement(listpacks.element));
  }
  const backward: number[] = [];
  for (let at = listpacks.last(listpack); at !== NO_POSITION; at = listpacks.previous(listpack, at)) {
    backward.push(at);
  }
  assert(backward.reverse().join() === positions.join(), 'the walk backward meets other positions');
  assert(listpacks.length(listpack) === elements.length, `counted ${elements.length} elements`);
  return elements;
}

/** Throws an error with this text unless the condition holds. */
export function assert(condition: boolean, text: string): void {
  if (!condition) throw new Error(text);
}
