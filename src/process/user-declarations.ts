import { type ByteString, decodeByteString } from '../config/byte-string.js';
import type { Configuration } from '../config/configuration.js';

/** Rules that say what the default user may do anyway. */
const RULES_WITHOUT_EFFECT = new Set([
  'on',
  'nopass',
  'allkeys',
  '~*',
  'allchannels',
  '&*',
  'allcommands',
  '+@all',
  'sanitize-payload',
]);

/**
 * `user` lines of a configuration. There is one user so far, the default one, who may do everything: a declaration
 * that says so, or gives that user a password, is taken; any other is refused rather than half understood.
 */
export class UserDeclarations {
  private password: ByteString | undefined;

  /** Takes a declaration. Returns what is wrong with it, and which argument. */
  declare([, name, ...rules]: readonly ByteString[]): { reason: string; argument: ByteString } | undefined {
    if (name !== 'default')
      return { reason: 'Users besides the default one are not supported', argument: name };
    for (const rule of rules) {
      if (rule.startsWith('>')) this.password = rule.slice(1);
      else if (!RULES_WITHOUT_EFFECT.has(rule.toLowerCase())) {
        return { reason: 'Rules that limit the default user are not supported', argument: rule };
      }
    }
    return undefined;
  }

  /** Gives the default user the password that was declared, if one was. */
  apply(configuration: Configuration): void {
    if (this.password === undefined) return;
    const problem = configuration.assign('requirepass', decodeByteString(this.password));
    if (problem !== undefined) throw new Error(`requirepass: ${problem}`);
  }
}
