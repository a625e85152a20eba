import type { CommandContext } from '../../server/context.js';
import type { Server } from '../../server/server.js';
import { clientsSection, threadsSection } from './info/clients-section.js';
import { commandStatsSection, errorStatsSection, latencyStatsSection } from './info/commands-section.js';
import { keySizesSection } from './info/keysizes-section.js';
import { keyspaceSection } from './info/keyspace-section.js';
import { memorySection } from './info/memory-section.js';
import { clusterSection, persistenceSection, replicationSection } from './info/persistence-section.js';
import type { InfoSection } from './info/section.js';
import { serverSection } from './info/server-section.js';
import { cpuSection, debugSection, statsSection } from './info/stats-section.js';

/** The modules that are loaded: none, ever. */
const modulesSection: InfoSection = {
  name: 'modules',
  title: 'Modules',
  shownBy: 'default',
  fields: () => [],
};

/** All sections, in the order in which they are shown. */
export const infoSections: readonly InfoSection[] = [
  serverSection,
  clientsSection,
  memorySection,
  persistenceSection,
  threadsSection,
  statsSection,
  replicationSection,
  cpuSection,
  modulesSection,
  commandStatsSection,
  errorStatsSection,
  latencyStatsSection,
  clusterSection,
  keyspaceSection,
  keySizesSection,
  debugSection,
];

export function info({ arguments: request, reply, server }: CommandContext): void {
  const words: string[] = [];
  for (let i = 1; i < request.count; i++) words.push(request.text(i).toLowerCase());
  reply.verbatim('txt', renderInfo(server, words));
}

/** The text of INFO for the sections that some words ask for, in lower case; without words, the usual ones. */
export function renderInfo(server: Server, words: readonly string[]): string {
  const asked = new Set(words);
  const showsAll = asked.has('all') || asked.has('everything');
  const showsDefault = showsAll || asked.size === 0 || asked.has('default');
  return infoSections
    .filter(
      ({ name, shownBy }) =>
        asked.has(name) || (showsDefault && shownBy === 'default') || (showsAll && shownBy === 'all'),
    )
    .map((section) => renderSection(section, server))
    .join('\r\n');
}

function renderSection({ title, fields }: InfoSection, server: Server): string {
  let text = `# ${title}\r\n`;
  for (const [name, value] of fields(server)) text += `${name}:${value}\r\n`;
  return text;
}
