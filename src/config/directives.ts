import type { Directive, ValueOf } from './directive.js';
import { advancedDirectives } from './directives/advanced.js';
import { appendOnlyFileDirectives } from './directives/append-only-file.js';
import { clientsDirectives } from './directives/clients.js';
import { clusterDirectives } from './directives/cluster.js';
import { encodingsDirectives } from './directives/encodings.js';
import { generalDirectives } from './directives/general.js';
import { hiddenDirectives } from './directives/hidden.js';
import { memoryDirectives } from './directives/memory.js';
import { networkDirectives } from './directives/network.js';
import { observabilityDirectives } from './directives/observability.js';
import { operatingSystemDirectives } from './directives/operating-system.js';
import { replicationDirectives } from './directives/replication.js';
import { securityDirectives } from './directives/security.js';
import { snapshottingDirectives } from './directives/snapshotting.js';
import { tlsDirectives } from './directives/tls.js';

/** Every directive, by theme: the chapters of redis-compat.md. */
export const directiveThemes = {
  Network: networkDirectives,
  TLS: tlsDirectives,
  General: generalDirectives,
  'Operating system': operatingSystemDirectives,
  Snapshotting: snapshottingDirectives,
  Replication: replicationDirectives,
  Security: securityDirectives,
  Clients: clientsDirectives,
  Memory: memoryDirectives,
  'Append-only file': appendOnlyFileDirectives,
  Cluster: clusterDirectives,
  Observability: observabilityDirectives,
  Encodings: encodingsDirectives,
  Advanced: advancedDirectives,
  Hidden: hiddenDirectives,
} as const;

type Themes = typeof directiveThemes;
type Intersection<U> = (U extends unknown ? (member: U) => void : never) extends (member: infer I) => void
  ? I
  : never;

/** Every directive with its exact type. */
type Directives = Intersection<Themes[keyof Themes]>;

/** The name of a directive. (Aliases are names for clients and files, not for code.) */
export type DirectiveName = keyof Directives & string;

/** The value of each directive. */
export type DirectiveValues = { readonly [N in DirectiveName]: ValueOf<Directives[N]> };

/** The value of any directive. */
export type DirectiveValue = DirectiveValues[DirectiveName];

/** Every directive by its name, in the order in which CONFIG GET shows them and CONFIG REWRITE appends them. */
export const directives: ReadonlyMap<DirectiveName, Directive> = new Map(
  Object.values(directiveThemes).flatMap((theme) => Object.entries(theme)) as [DirectiveName, Directive][],
);

/** Directives of older versions that the file may still have, with one argument, and that have no effect. */
export const ignoredDirectives: ReadonlySet<string> = new Set([
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
  'io-threads-do-reads',
]);

/** What may stand in the file, or on the command line, besides directives. CONFIG GET and CONFIG SET do not know them. */
export const fileStatements: ReadonlySet<string> = new Set([
  'include',
  'rename-command',
  'user',
  'loadmodule',
  'sentinel',
]);
