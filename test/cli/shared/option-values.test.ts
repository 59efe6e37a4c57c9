import { InvalidArgumentError } from '@commander-js/extra-typings';
import test from 'ava';
import {
  duration,
  hostAndPort,
  integerBetween,
  milliseconds,
  nonNegativeInteger,
  percentage,
  positiveInteger,
  seconds,
  size,
} from '../../../src/cli/shared/option-values.ts';

interface Case {
  readonly parse: (text: string) => number;
  readonly accepts: Readonly<Record<string, number>>;
  readonly rejects: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'a positive integer': {
    parse: positiveInteger,
    accepts: { '1': 1, '999999999': 999_999_999 },
    rejects: ['0', '-1', '1.5', '1e3', '', ' 1', '1000000000'],
  },
  'a non-negative integer': {
    parse: nonNegativeInteger,
    accepts: { '0': 0, '007': 7 },
    rejects: ['-1', '1.5', '', '0x10'],
  },
  'an integer from 2 to 4': {
    parse: integerBetween(2, 4),
    accepts: { '2': 2, '4': 4 },
    rejects: ['1', '5', 'x', '2.5'],
  },
  'a percentage': {
    parse: percentage,
    accepts: { '1': 1, '2.5': 2.5, '10%': 10, '100': 100 },
    rejects: ['0', '0.9', '101', '100.5', 'half', '%', ''],
  },
  'a size': {
    parse: size,
    accepts: { '0': 0, '4096': 4096, '0x100000': 1_048_576, '512k': 524_288, '1024KB': 1_048_576, '4M': 4_194_304 },
    rejects: ['-1', '1.5M', '4G', 'k', '0x', ''],
  },
  'a positive number of seconds': {
    parse: seconds,
    accepts: { '0.5': 0.5, '60': 60, '86400': 86_400 },
    rejects: ['0', '86401', '1m', '', '-1'],
  },
  'a non-negative number of milliseconds': {
    parse: milliseconds,
    accepts: { '0': 0, '2.5': 2.5 },
    rejects: ['-1', 'fast', ''],
  },
  'a duration': {
    parse: duration,
    accepts: { '0': 0, '90s': 90_000, '10m': 600_000, '2h': 7_200_000, '1d': 86_400_000 },
    rejects: ['10', '1.5h', 'soon', '1w', ''],
  },
};

for (const [kind, { parse, accepts, rejects }] of Object.entries(cases)) {
  test(`parses ${kind} and rejects other values with a message that states what is expected`, (t) => {
    for (const [text, value] of Object.entries(accepts)) t.is(parse(text), value, text);
    for (const text of rejects) {
      const error = t.throws(() => parse(text), { instanceOf: InvalidArgumentError }, text);
      t.true(error?.message.startsWith(`must be ${kind}`), error?.message);
    }
  });
}

test('parses listen addresses with an IPv4 address, an IPv6 address in brackets or only a port', (t) => {
  t.deepEqual(hostAndPort('127.0.0.1:80'), { host: '127.0.0.1', port: 80 });
  t.deepEqual(hostAndPort('[::1]:8266'), { host: '::1', port: 8266 });
  t.deepEqual(hostAndPort(':0'), { host: '0.0.0.0', port: 0 });
  for (const text of ['8266', 'a:b', '::1:80', 'a:65536']) t.throws(() => hostAndPort(text), undefined, text);
});
