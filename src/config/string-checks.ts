import { beforeNul } from './byte-string.js';
import type { StringCheck } from './directive.js';

/** Checks of texts, used by the tables in `directives/`. The messages are Redis's, and most look no further than C does. */

/** Refuses a text with a `/` or a `\` in it. */
export function isFileName(rejection: string): StringCheck {
  return (text) => (/[/\\]/.test(beforeNul(text)) ? rejection : undefined);
}

/** Refuses the empty text, and a text with a `/` or a `\` in it. */
export function isNonEmptyFileName(emptyRejection: string, pathRejection: string): StringCheck {
  return (text) => (beforeNul(text) === '' ? emptyRejection : isFileName(pathRejection)(text));
}

/** The room that Redis has for a host name, with the NUL byte that ends it. */
const HOST_NAME_BYTES_MAX = 256;

/** Refuses what can be no host name. */
export const isHostName: StringCheck = (text) => {
  const name = beforeNul(text);
  if (name.length >= HOST_NAME_BYTES_MAX) {
    return `Hostnames must be less than ${HOST_NAME_BYTES_MAX} characters`;
  }
  return /^[A-Za-z0-9.-]*$/.test(name)
    ? undefined
    : 'Hostnames may only contain alphanumeric characters, hyphens or dots';
};

/** Refuses bytes that would break the line of a node in the cluster's configuration file. */
export const isNodeName: StringCheck = (text) =>
  /[!#$%&()*+:;<>?@[\]^{|}~\0]/.test(text)
    ? 'Announced human node name contained invalid character'
    : undefined;
