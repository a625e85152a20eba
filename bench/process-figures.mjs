import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** What Linux tells of a process: the only place where the CPU time of all of its threads can be read from outside. */

/** Positions in /proc/PID/stat, counted from the field behind the process name (proc(5) numbers that one 3). */
const STAT_USER_TICKS = 11;
const STAT_SYSTEM_TICKS = 12;

/** How often the clock of `/proc/PID/stat` ticks: what a run must be long against. */
const ticksPerSecond = process.platform === 'linux' ? Number(execFileSync('getconf', ['CLK_TCK'])) : 0;

/** @throws Error when this system cannot be measured on */
export function requireLinux() {
  if (process.platform !== 'linux') {
    throw new Error(`the benchmark reads /proc, which ${process.platform} does not have: run it on Linux`);
  }
}

/**
 * The CPU time that a process has used since its start, user and system, of all threads, in seconds.
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name is in parentheses and may contain spaces; what follows it is numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[STAT_USER_TICKS]) + Number(fields[STAT_SYSTEM_TICKS])) / ticksPerSecond;
}

/**
 * The physical memory of a process in bytes.
 * @param {number} pid
 */
export function residentBytes(pid) {
  return statusBytes(pid, 'VmRSS');
}

/**
 * The most physical memory that a process has had since `forgetPeak`, in bytes.
 * @param {number} pid
 */
export function peakResidentBytes(pid) {
  return statusBytes(pid, 'VmHWM');
}

/**
 * Begins anew with the peak of a process's memory.
 * @param {number} pid
 */
export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/**
 * @param {number} pid
 * @param {string} name  of a line of /proc/PID/status
 */
function statusBytes(pid, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'latin1'),
  );
  if (match === null) throw new Error(`process ${pid} has no ${name}`);
  return Number(match[1]) * 1024;
}
