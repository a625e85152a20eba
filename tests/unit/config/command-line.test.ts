import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/config/command-line.js';

describe('parseCommandLine', () => {
  test.each([
    [[], undefined, ''],
    [['redis.conf'], 'redis.conf', ''],
    [['--port', '7000'], undefined, 'port "7000" '],
    [['a.conf', '--port', '7000', '--save', '1', '2'], 'a.conf', 'port "7000" \nsave "1" "2" '],
    [['--port 7000', '--hz 5'], undefined, 'port 7000 \nhz 5 '],
    [['--save', '--hz', '5'], undefined, 'save ""\nhz "5" '],
    [['--hz', '5', '--save'], undefined, 'hz "5" \nsave ""'],
    [['--save', ''], undefined, 'save "" '],
    [['--masterauth', '--secret', '--hz', '5'], undefined, 'masterauth "--secret" \nhz "5" '],
    [['--masterauth', '-', '--hz', '5'], undefined, 'masterauth "-" \nhz "5" '],
    [['a.conf', 'hz', '5', '--port', '1'], 'a.conf', '"hz" "5" \nport "1" '],
    [['--masterauth', 'a"\né'], undefined, 'masterauth "a\\"\\n\\xc3\\xa9" '],
    [['--sentinel', '--port', '1'], undefined, 'sentinel \nport "1" '],
  ])('%j', (argv, file, lines) => {
    expect(parseCommandLine(argv)).toEqual({ file, lines, readsStandardInput: false });
  });

  test.each([
    [['-'], undefined, ''],
    [['a.conf', '-'], 'a.conf', ''],
    [['-', '--port', '1'], undefined, 'port "1" '],
    [['--port', '1', '-'], undefined, 'port "1" '],
  ])('%j reads standard input', (argv, file, lines) => {
    expect(parseCommandLine(argv)).toEqual({ file, lines, readsStandardInput: true });
  });
});
