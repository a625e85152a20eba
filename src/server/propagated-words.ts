/** A name or option of a propagated command, as the bulk string that it is sent as: `$3\r\nDEL\r\n`. */
export type PropagatedWord = Uint8Array;

/** Makes a word, once when a module is loaded. `text` is ASCII. */
export function propagatedWord(text: string): PropagatedWord {
  return Buffer.from(`$${text.length}\r\n${text}\r\n`, 'latin1');
}

/** The names of commands that others are propagated as. */
export const DEL = propagatedWord('DEL');
export const UNLINK = propagatedWord('UNLINK');
export const SELECT = propagatedWord('SELECT');
export const SET = propagatedWord('SET');
export const PEXPIREAT = propagatedWord('PEXPIREAT');
export const PERSIST = propagatedWord('PERSIST');
export const HDEL = propagatedWord('HDEL');
export const HSETEX = propagatedWord('HSETEX');
export const HPEXPIREAT = propagatedWord('HPEXPIREAT');
export const HPERSIST = propagatedWord('HPERSIST');
export const LPOP = propagatedWord('LPOP');
export const RPOP = propagatedWord('RPOP');
export const LMOVE = propagatedWord('LMOVE');
export const RPOPLPUSH = propagatedWord('RPOPLPUSH');
export const SREM = propagatedWord('SREM');
export const ZPOPMIN = propagatedWord('ZPOPMIN');
export const ZPOPMAX = propagatedWord('ZPOPMAX');

/** Their options. */
export const PXAT = propagatedWord('PXAT');
export const KEEPTTL = propagatedWord('KEEPTTL');
export const ABSTTL = propagatedWord('ABSTTL');
export const FIELDS = propagatedWord('FIELDS');
