// What the first line of a failed test's error says about why it failed, for the lists of failures in tests/compat.

/** Features that are not built yet, and other causes; the first match wins. */
const CAUSES = [
  [/unknown command '(eval|evalsha|script|function|fcall)/i, 'scripting is not built yet'],
  [/unknown command '(x[a-z]+)'/i, 'streams are not built yet'],
  [/unknown command 'acl'/i, 'ACL is not built yet'],
  [/unknown command '(cluster|asking|readonly)|cluster support disabled/i, 'cluster mode is not built yet'],
  [
    /unknown command '(replicaof|slaveof|sync|psync|replconf|wait|waitaof|failover)/i,
    'replication is not built yet',
  ],
  [/attach_to_replication_stream|replica|slave|sync/i, 'replication is not built yet'],
  [/unknown command '(module)/i, 'modules are C libraries'],
  [/unknown command/i, 'the command is not built yet'],
  [
    /I\/O error|couldn't open socket|connection refused|MULTI calls can not be nested|WATCH inside MULTI|'QUEUED'/i,
    'follows from the failure before it in the same file',
  ],
];

/**
 * @param {string} error
 * @returns {string} 'open' when the error does not tell
 */
export function causeOfError(error) {
  const cause = CAUSES.find(([pattern]) => /** @type {RegExp} */ (pattern).test(error));
  return cause === undefined ? 'open' : /** @type {string} */ (cause[1]);
}
