/** What waits for the end of the round in which a transport reads all its connections; undefined outside of one. */
let round: (() => void)[] | undefined;

/**
 * Calls `callback` when all that has arrived by now has been handed to the listeners of its connections. A turn ends
 * there. Node's own loop reads all sockets before its check phase, where immediates run; a transport with a loop of
 * its own says when it is through.
 */
export function afterReads(callback: () => void): void {
  if (round === undefined) setImmediate(callback);
  else round.push(callback);
}

/** Begins a round: what `afterReads` is given until it ends is kept in `callbacks`, for `endRound` to call. */
export function beginRound(callbacks: (() => void)[]): void {
  round = callbacks;
}

/** Ends the round. What its callbacks leave for later is for Node's loop. */
export function endRound(): void {
  const callbacks = round;
  round = undefined;
  if (callbacks === undefined) throw new Error('a round ends that has not begun');
  for (let i = 0; i < callbacks.length; i++) callbacks[i]();
  callbacks.length = 0;
}
