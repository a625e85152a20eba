/** A name or option of a propagated command, as the bulk string that it is sent as: `$3\r\nDEL\r\n`. */
export type PropagatedWord = Uint8Array;

/** Makes a word, once when a module is loaded. `text` is ASCII. */
export function propagatedWord(text: string): PropagatedWord {
  return Buffer.from(`$${text.length}\r\n${text}\r\n`, 'latin1');
}

/** The names of commands that others are propagated as. */
export const DEL = propagatedWord('DEL');
export const UNLINK = propagatedWord('UNLINK');
export const HDEL = propagatedWord('HDEL');
export const SELECT = propagatedWord('SELECT');
