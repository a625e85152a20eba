import type { DirectiveValues } from './directives.js';

/** The values that the variables of `proc-title-template` stand for. */
export interface ProcessTitleFacts {
  readonly values: DirectiveValues;
  /** The absolute path of the configuration file. */
  readonly file: string | undefined;
  /** The program, as it was called. */
  readonly title: string;
}

const VARIABLES: Readonly<Record<string, (facts: ProcessTitleFacts) => string>> = {
  title: ({ title }) => title,
  'listen-addr': ({ values }) => {
    const port = values.port || values['tls-port'];
    return port ? `${values.bind[0] ?? '*'}:${port}` : `unixsocket:${values.unixsocket}`;
  },
  'server-mode': ({ values }) => (values['cluster-enabled'] ? '[cluster]' : ''),
  'config-file': ({ file }) => file ?? '-',
  port: ({ values }) => String(values.port),
  'tls-port': ({ values }) => String(values['tls-port']),
  unixsocket: ({ values }) => values.unixsocket,
};

/**
 * Fills in a `proc-title-template`: `{variable}` is replaced, `{{` is a `{`, spaces around the result are cut off.
 * Returns undefined when a variable is unknown or a brace is not closed.
 */
export function expandProcessTitle(template: string, facts: ProcessTitleFacts): string | undefined {
  let result = '';
  for (const [part, , name] of template.matchAll(/[^{]+|\{(\{|([^}]*)\}|)/g)) {
    if (!part.startsWith('{')) result += part;
    else if (part === '{{') result += '{';
    else if (name === undefined || !Object.hasOwn(VARIABLES, name)) return undefined;
    else result += VARIABLES[name](facts);
  }
  return result.replace(/^ +| +$/g, '');
}
