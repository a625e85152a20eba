import fs from 'node:fs';

/**
 * The rows of a table of tab-separated values, without its heading and comments.
 * @param {string | URL} filePath  one that does not exist is empty
 * @returns {string[][]}
 */
export function readRows(filePath) {
  if (!fs.existsSync(filePath)) return [];
  const lines = fs.readFileSync(filePath, 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split('\t'));
  return rows.slice(1);
}
