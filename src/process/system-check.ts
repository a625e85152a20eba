import { readFileSync } from 'node:fs';

/** The oldest Node.js that Respite runs on. */
const NODE_VERSION_MIN = [20, 19] as const;

/** Something about the machine: 'OK', 'skipped' where it does not apply, or what is wrong with it. */
interface SystemCheck {
  readonly name: string;
  readonly check: () => string;
}

const CHECKS: readonly SystemCheck[] = [
  { name: 'node-version', check: checkNodeVersion },
  { name: 'THP', check: checkHugePages },
  { name: 'tcp-backlog', check: checkBacklog },
];

/**
 * `--check-system`: prints what may make the server slow or fail, in the form in which redis-server does. The checks
 * are others, as nothing is forked here. Returns whether everything is fine.
 */
export function checkSystem(): boolean {
  let isFine = true;
  for (const { name, check } of CHECKS) {
    const result = check();
    const hasProblem = result !== 'OK' && result !== 'skipped';
    process.stdout.write(hasProblem ? `[${name}]...WARNING:\n${result}\n` : `[${name}]...${result}\n`);
    if (hasProblem) isFine = false;
  }
  return isFine;
}

function checkNodeVersion(): string {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [majorMin, minorMin] = NODE_VERSION_MIN;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return 'OK';
  return `Node.js ${process.versions.node} is too old: ${majorMin}.${minorMin} or later is needed.`;
}

function checkHugePages(): string {
  const setting = readSetting('/sys/kernel/mm/transparent_hugepage/enabled');
  if (setting === undefined) return 'skipped';
  if (!setting.includes('[always]')) return 'OK';
  return (
    'Transparent huge pages are always used, so memory that is freed is given back late, and looking for such pages ' +
    "takes time. To change that, run 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' as root, and add " +
    'it to /etc/rc.local.'
  );
}

function checkBacklog(): string {
  const setting = readSetting('/proc/sys/net/core/somaxconn');
  if (setting === undefined) return 'skipped';
  if (Number(setting) >= 511) return 'OK';
  return `Of the connections that wait to be accepted, the system keeps only ${setting.trim()}, not 511: see net.core.somaxconn.`;
}

function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
