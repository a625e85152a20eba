import { describe, expect, test } from 'vitest';
import { humanBytes, safeName, twoDecimals } from '../../../../src/commands/server/info/section.js';
import { infoSections, renderInfo } from '../../../../src/commands/server/info.js';
import { createServer } from '../../../../src/index.js';

describe('formats', () => {
  test.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1.00K'],
    [720264, '703.38K'],
    [9015296, '8.60M'],
    [25276502016, '23.54G'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text);
  });

  test('ratios have two decimals', () => {
    expect(twoDecimals(1.005)).toMatch(/^1\.0[01]$/);
    expect(twoDecimals(12)).toBe('12.00');
    expect(twoDecimals(0 / 0)).toBe('-nan');
    expect(twoDecimals(1 / 0)).toBe('inf');
  });

  test('names from outside cannot end a line or a field', () => {
    expect(safeName('a:b#c\r\nd')).toBe('a_b_c__d');
  });
});

describe('sections', () => {
  test('every section has a name and a title of its own', () => {
    expect(new Set(infoSections.map(({ name }) => name)).size).toBe(infoSections.length);
    for (const { name, title } of infoSections) expect(title.toLowerCase()).toBe(name);
  });

  test('lines end in CRLF, and an empty line parts sections', async () => {
    const { server, close } = await createServer();
    const text = renderInfo(server, ['everything', 'debug']);
    for (const section of text.split('\r\n\r\n')) {
      const [title, ...lines] = section.split('\r\n');
      expect(title).toMatch(/^# [A-Z][A-Za-z]+$/);
      for (const line of lines) expect(line).toMatch(/^([a-z0-9_.|-]+:[^\r\n]*)?$/);
    }
    expect(renderInfo(server, ['nosuchsection'])).toBe('');
    expect(renderInfo(server, ['cluster', 'cluster'])).toBe('# Cluster\r\ncluster_enabled:0\r\n');
    await close();
  });
});
