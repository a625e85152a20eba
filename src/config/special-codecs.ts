import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDouble } from '../protocol/doubles.js';
import { type ByteString, beforeNul, bytesOf, decodeByteString, encodeByteString } from './byte-string.js';
import type { Codec, Codecs, RewrittenLine } from './codec.js';
import type { Directive, OutputBufferLimits, PrimaryAddress, SavePoint, SpecialValues } from './directive.js';
import { formatNotificationClasses, parseNotificationClasses } from './notification-classes.js';
import { formatMemory, parseLenientInteger, parseMemory, toInt } from './numbers.js';
import { rewriteString } from './plain-codecs.js';
import { expandProcessTitle } from './process-title.js';
import { systemErrorText } from './system-error.js';

/** How directives with a syntax of their own are read, shown and written. */

type SpecialCodec<K extends keyof SpecialValues> = Codec<Extract<Directive, { kind: K }>, SpecialValues[K]>;

const WRONG_NUMBER_OF_ARGUMENTS = { rejection: 'wrong number of arguments' };

function always(line: ByteString): RewrittenLine[] {
  return [{ line, isDefault: false }];
}

const ADDRESSES_MAX = 16;

const addressesCodec: SpecialCodec<'addresses'> = {
  alwaysChanges: true,
  initial: (directive) => ({ value: directive.default, text: directive.default.join(' ') }),
  parse(args) {
    if (args.length > ADDRESSES_MAX) return { rejection: 'Too many bind addresses specified.' };
    const value = args.length === 1 && args[0] === '' ? [] : args.map(beforeNul);
    return { value, text: value.join(' ') };
  },
  rewrite(name, { value, text }, directive) {
    if (text === directive.default.join(' ')) return [];
    return always(`${name} ${value.length === 0 ? '""' : text}`);
  },
};

const directoryCodec: SpecialCodec<'directory'> = {
  alwaysChanges: true,
  initial: (directive) => directorySetting(realpathSync(directive.default)),
  parse([argument], _directive, { previous }) {
    const path = beforeNul(argument);
    // As chdir() does: the empty path is no directory.
    if (path === '') return { rejection: 'No such file or directory' };
    try {
      const directory = realpathSync(resolve(previous.value, decodeByteString(path)));
      if (!statSync(directory).isDirectory()) return { rejection: 'Not a directory' };
      accessSync(directory, constants.X_OK);
      return directorySetting(directory);
    } catch (error) {
      return { rejection: systemErrorText(error) };
    }
  },
  rewrite: (name, { text }) => rewriteString(name, text, '', false),
};

function directorySetting(directory: string): { value: string; text: ByteString } {
  return { value: directory, text: encodeByteString(directory) };
}

const savePointsCodec: SpecialCodec<'save-points'> = {
  alwaysChanges: true,
  initial: (directive) => savePointsSetting(directive.default),
  parse(args, _directive, { previous, continuesFile }) {
    const isEmpty = args.length === 1 && args[0] === '';
    const points = continuesFile && !isEmpty ? [...previous.value] : [];
    if (isEmpty) return savePointsSetting(points);
    if (args.length % 2 !== 0) return { rejection: 'Invalid save parameters' };
    for (let i = 0; i < args.length; i += 2) {
      const seconds = parseLenientInteger(args[i]);
      const changes = parseLenientInteger(args[i + 1]);
      if (seconds === undefined || seconds.value < 1 || changes === undefined || changes.value < 0) {
        return { rejection: 'Invalid save parameters' };
      }
      points.push({ seconds: Number(seconds.value), changes: toInt(changes.value) });
    }
    return savePointsSetting(points);
  },
  rewrite(name, { value }) {
    if (value.length === 0) return always(`${name} ""`);
    return value.map((point) => ({ line: `${name} ${formatSavePoint(point)}`, isDefault: false }));
  },
};

function formatSavePoint({ seconds, changes }: SavePoint): ByteString {
  return `${seconds} ${changes}`;
}

function savePointsSetting(value: readonly SavePoint[]): { value: readonly SavePoint[]; text: ByteString } {
  return { value, text: value.map(formatSavePoint).join(' ') };
}

/** Classes of clients, in the order in which CONFIG GET shows their limits. */
const CLIENT_CLASSES = ['normal', 'replica', 'pubsub'] as const;

/** The limits of one class as they are shown: bytes, bytes, seconds. */
type LimitTexts = readonly [ByteString, ByteString, ByteString];

/**
 * Reads "<class> <hard> <soft> <seconds> …". CONFIG GET's text, which is exact, gives the limits of the classes that
 * the arguments leave out.
 */
const outputBufferLimitsCodec: SpecialCodec<'output-buffer-limits'> = {
  alwaysChanges: true,
  initial: ({ default: limits }) =>
    outputBufferLimitsSetting(CLIENT_CLASSES.map((name) => limitTexts(limits[name]))),
  parse(args, _directive, { previous }) {
    if (args.length % 4 !== 0) {
      return { rejection: 'Wrong number of arguments in buffer limit configuration.' };
    }
    const limits = splitLimits(previous.text);
    for (let i = 0; i < args.length; i += 4) {
      const word = beforeNul(args[i]).toLowerCase();
      const index = CLIENT_CLASSES.findIndex((name) => name === (word === 'slave' ? 'replica' : word));
      if (index < 0) return { rejection: 'Invalid client class specified in buffer limit configuration.' };
      const hard = parseMemory(args[i + 1]);
      const soft = parseMemory(args[i + 2]);
      const seconds = parseLenientInteger(args[i + 3]);
      if (hard === undefined || soft === undefined || seconds === undefined || toInt(seconds.value) < 0) {
        return { rejection: 'Error in hard, soft or soft_seconds setting in buffer limit configuration.' };
      }
      limits[index] = [`${hard}`, `${soft}`, `${toInt(seconds.value)}`];
    }
    return outputBufferLimitsSetting(limits);
  },
  rewrite(name, { text }, { default: defaults }) {
    return splitLimits(text).map((limit, index) => {
      const [hard, soft, seconds] = limit;
      const bytes = [hard, soft].map((number) => formatMemory(BigInt(number))).join(' ');
      const line = `${name} ${CLIENT_CLASSES[index]} ${bytes} ${seconds}`;
      return { line, isDefault: limit.join(' ') === limitTexts(defaults[CLIENT_CLASSES[index]]).join(' ') };
    });
  },
};

function limitTexts(limit: OutputBufferLimits['normal']): LimitTexts {
  return [`${limit.hardBytes}`, `${limit.softBytes}`, `${limit.softSeconds}`];
}

function splitLimits(text: ByteString): LimitTexts[] {
  const words = text.split(' ');
  return CLIENT_CLASSES.map((_name, i) => [words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]]);
}

function outputBufferLimitsSetting(limits: LimitTexts[]): { value: OutputBufferLimits; text: ByteString } {
  const [normal, replica, pubsub] = limits.map(([hard, soft, seconds]) => ({
    hardBytes: Number(hard),
    softBytes: Number(soft),
    softSeconds: Number(seconds),
  }));
  const shownClasses = ['normal', 'slave', 'pubsub'];
  const text = limits.map((limit, i) => `${shownClasses[i]} ${limit.join(' ')}`).join(' ');
  return { value: { normal, replica, pubsub }, text };
}

const OOM_SCORE_MAX = 2000n;

const oomScoreValuesCodec: SpecialCodec<'oom-score-values'> = {
  initial: (directive) => ({ value: directive.default, text: directive.default.join(' ') }),
  parse(args) {
    if (args.length !== 3) return WRONG_NUMBER_OF_ARGUMENTS;
    const scores = args.map((argument) => parseLenientInteger(argument)?.value);
    const [server, replica, child] = scores.map((score) =>
      score === undefined || score < -OOM_SCORE_MAX || score > OOM_SCORE_MAX ? undefined : Number(score),
    );
    if (server === undefined || replica === undefined || child === undefined) {
      return { rejection: 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.' };
    }
    return { value: [server, replica, child], text: `${server} ${replica} ${child}` };
  },
  rewrite: (name, { text }, directive) => [
    { line: `${name} ${text}`, isDefault: text === directive.default.join(' ') },
  ],
};

const notificationClassesCodec: SpecialCodec<'notification-classes'> = {
  alwaysChanges: true,
  initial: (directive) => ({ value: directive.default, text: formatNotificationClasses(directive.default) }),
  parse([argument]) {
    const value = parseNotificationClasses(beforeNul(argument));
    if (value === undefined) {
      return { rejection: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." };
    }
    return { value, text: formatNotificationClasses(value) };
  },
  rewrite: (name, { value, text }) => [{ line: `${name} "${text}"`, isDefault: value === 0 }],
};

const PORT_MAX = 65535;

const primaryAddressCodec: SpecialCodec<'primary-address'> = {
  alwaysChanges: true,
  initial: () => ({ value: undefined, text: '' }),
  parse(args) {
    if (args.length !== 2) return WRONG_NUMBER_OF_ARGUMENTS;
    const [host, portText] = args.map(beforeNul);
    if (host.toLowerCase() === 'no' && portText.toLowerCase() === 'one')
      return { value: undefined, text: '' };
    const number = parseLenientInteger(portText);
    const port = number === undefined ? -1 : toInt(number.value);
    if (port < 0 || port > PORT_MAX) return { rejection: 'Invalid master port' };
    const value: PrimaryAddress = { host: decodeByteString(host), port };
    return { value, text: `${host} ${port}` };
  },
  // A node of a cluster has no line either, but then the file must not have had one.
  rewrite: (name, { text }) => (text === '' ? [] : always(`${name} ${text}`)),
};

const percentilesCodec: SpecialCodec<'percentiles'> = {
  alwaysChanges: true,
  initial: (directive) => percentilesSetting(directive.default),
  parse(args) {
    if (args.length === 1 && args[0] === '') return percentilesSetting([]);
    const value: number[] = [];
    for (const argument of args) {
      const percentile = parseDouble(bytesOf(argument), 0, argument.length);
      if (percentile === undefined) {
        return { rejection: 'Invalid latency-tracking-info-percentiles parameters' };
      }
      if (percentile < 0 || percentile > 100) {
        return { rejection: 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]' };
      }
      value.push(percentile);
    }
    return percentilesSetting(value);
  },
  rewrite: (name, { text }) => always(`${name} ${text === '' ? '""' : text}`),
};

function percentilesSetting(value: readonly number[]): { value: readonly number[]; text: ByteString } {
  return { value, text: value.map(formatPercentile).join(' ') };
}

/** Up to 6 decimals, without zeros at the end. */
function formatPercentile(percentile: number): ByteString {
  return percentile.toFixed(6).replace(/\.?0+$/, '');
}

const titleTemplateCodec: SpecialCodec<'title-template'> = {
  initial: (directive) => ({ value: directive.default, text: encodeByteString(directive.default) }),
  parse([argument], _directive, { values, file }) {
    const text = beforeNul(argument);
    const value = decodeByteString(text);
    if (!expandProcessTitle(value, { values, file, title: '' })) {
      return { rejection: 'template format is invalid or contains unknown variables' };
    }
    return { value, text };
  },
  rewrite: (name, { text }, directive) => rewriteString(name, text, directive.default, false),
};

/** The codec of each kind with a syntax of its own. */
export const specialCodecs: Codecs<keyof SpecialValues> = {
  addresses: addressesCodec,
  directory: directoryCodec,
  'save-points': savePointsCodec,
  'output-buffer-limits': outputBufferLimitsCodec,
  'oom-score-values': oomScoreValuesCodec,
  'notification-classes': notificationClassesCodec,
  'primary-address': primaryAddressCodec,
  percentiles: percentilesCodec,
  'title-template': titleTemplateCodec,
};
