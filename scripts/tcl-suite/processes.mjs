import fs from 'node:fs';
import path from 'node:path';

/**
 * Processes of one run: those of the harness's process group, and those that left it (daemonize) but work in the private
 * copy. Only Linux's /proc tells; elsewhere the list is empty and killing the group has to do.
 *
 * @param {number} groupId
 * @param {string} directory
 * @returns {{ pid: number, isTcl: boolean }[]}
 */
export function listRunProcesses(groupId, directory) {
  if (!fs.existsSync('/proc/self/stat')) return [];
  const found = [];
  for (const name of fs.readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      // "pid (command) state ppid pgrp …": the command may hold spaces and brackets, so count from the last bracket.
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
      const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') continue; // it has ended, and nobody has looked
      if (Number(processGroup) === groupId || isWithin(fs.readlinkSync(`/proc/${name}/cwd`), directory)) {
        found.push({ pid: Number(name), isTcl: command.startsWith('tclsh') });
      }
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
  return found;
}

/**
 * @param {string} candidate
 * @param {string} directory
 */
function isWithin(candidate, directory) {
  return candidate === directory || candidate.startsWith(directory + path.sep);
}

/**
 * Ends processes; those that are gone are no error.
 * @param {number[]} pids  a negative one is a process group
 */
export function killProcesses(pids) {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
}
