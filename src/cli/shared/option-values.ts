import { isIPv4, isIPv6 } from 'node:net';
import { type CommandUnknownOpts, InvalidArgumentError } from '@commander-js/extra-typings';
import { formFieldPattern } from '../../core/model/web-preset.ts';
import { OtaError } from '../../errors/ota-error.ts';

// Parsers for option values. Their errors state the required form; `nameOptionsInErrors` adds the option and its value.

/** Collects the values of a repeatable option. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

/** Parses a positive integer with at most nine digits. */
export function positiveInteger(value: string): number {
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : invalid('must be a positive integer');
}

/** Parses a non-negative integer with at most nine digits. */
export function nonNegativeInteger(value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : invalid('must be a non-negative integer');
}

/** Returns a parser for integers from `min` to `max`, inclusive. */
export function integerBetween(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : invalid(`must be an integer from ${min} to ${max}`);
  };
}

const percentPattern = /^(\d{1,3}(?:\.\d{1,4})?)%?$/;

/** Parses a percentage from 1 to 100, such as `90`, `2.5` or `10%`. */
export function percentage(value: string): number {
  const number = percentOf(value);
  return number !== undefined && number >= 1 ? number : invalid('must be a percentage from 1 to 100');
}

/** Parses a percentage from 0 to 100. Returns undefined if the text is not a percentage. */
export function percentOf(text: string): number | undefined {
  const number = Number(percentPattern.exec(text)?.[1]);
  return number <= 100 ? number : undefined;
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 * 1024 };

/** Parses a size in bytes: `1048576`, `0x100000`, `1024k` or `1M`. */
export function size(value: string): number {
  const [, hex, decimal, unit = ''] = /^(?:0x([0-9a-f]{1,8})|(\d{1,9})(k|m|)b?)$/i.exec(value) ?? [];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  if (decimal !== undefined) return Number(decimal) * (sizeUnits[unit.toLowerCase()] ?? 1);
  return invalid('must be a size such as 512k, 4M or 0x400000');
}

/** Parses the name of a form field. */
export function formField(value: string): string {
  return formFieldPattern.test(value)
    ? value
    : invalid('must consist of letters, digits, dots, dashes, underscores and brackets');
}

/** Parses a time in seconds, such as `60` or `0.5`. The maximum is one day. */
export function seconds(value: string): number {
  const number = nonNegative(value);
  return number > 0 && number <= 86_400 ? number : invalid('must be a positive number of seconds, at most 86400');
}

/** Parses a time in milliseconds, such as `0` or `2.5`. */
export function milliseconds(value: string): number {
  const number = nonNegative(value);
  return number >= 0 ? number : invalid('must be a non-negative number of milliseconds');
}

/** Parses a non-negative decimal number. Returns NaN for any other text. */
function nonNegative(text: string): number {
  return /^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a duration with a unit, such as `90s`, `10m`, `2h` or `1d`, into milliseconds. `0` needs no unit. */
export function duration(value: string): number {
  if (value === '0') return 0;
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  if (digits === undefined) return invalid('must be a duration with its unit, such as 90s, 10m, 2h or 1d');
  // Every unit that the pattern matches is a key of unitMs.
  return Number(digits) * unitMs[unit as keyof typeof unitMs];
}

const maxPort = 65_535;

/** Parses a port number from 1 to 65535. */
export const port = integerBetween(1, maxPort);

/** Parses a listen port. 0 selects any free port. */
export const portOrAny = integerBetween(0, maxPort);

/**
 * Parses a listen address `HOST:PORT`. HOST is an IPv4 address with four numbers, an IPv6 address in brackets, or a host name; it may be
 * omitted for all IPv4 addresses of this machine. Short forms such as `0:8266` are refused: systems resolve them differently.
 */
export function hostAndPort(value: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) ?? [];
  const number = digits === '' ? Number.NaN : Number(digits);
  const host = bracketed === undefined ? ipv4OrName(plain || '0.0.0.0') : canonicalIpv6(bracketed);
  if (host === undefined || !(number <= maxPort)) {
    return invalid('must be HOST:PORT, such as 0.0.0.0:8266, [::]:8266, 192.168.1.5:8266 or ota.example.com:8266');
  }
  return { host, port: number };
}

/** The last label of a host name is not a number, which systems would read as a part of an IPv4 address. */
const hostName = /^(?:[a-z0-9_-]{1,63}\.)*(?!\d+\.?$|0x[\da-f]*\.?$)[a-z0-9_-]{1,63}\.?$/i;

function ipv4OrName(text: string): string | undefined {
  return isIPv4(text) || hostName.test(text) ? text : undefined;
}

/** Returns an IPv6 address in the RFC 5952 format with its zone, so that `[0:0::0]` is the same address as `[::]`. */
function canonicalIpv6(text: string): string | undefined {
  if (!isIPv6(text)) return undefined;
  const [address = '', zone] = text.split('%');
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}

/** Parses an http or https URL. */
export function httpUrl(value: string): string {
  return URL.canParse(value) && /^https?:/i.test(value) ? value : invalid('must be an http or https URL');
}

/**
 * Adds the option name to errors about invalid values, for all options of the command and its subcommands. Errors from Commander itself
 * have a different format from this tool's other errors.
 */
export function nameOptionsInErrors(command: Pick<CommandUnknownOpts, 'options' | 'commands'>): void {
  for (const option of command.options) {
    const { parseArg, argChoices, long } = option;
    if (parseArg === undefined || long === undefined || named.has(parseArg)) continue;
    const naming: typeof parseArg = (value, previous) => {
      try {
        return parseArg(value, previous);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        const expected = argChoices === undefined ? error.message : `must be ${oneOf(argChoices)}`;
        throw new OtaError('OPTION_INVALID', { option: long, value, expected }, error);
      }
    };
    named.add(naming);
    option.parseArg = naming;
  }
  for (const subcommand of command.commands) nameOptionsInErrors(subcommand);
}

/** Parsers that are already wrapped. Commands share some options, and each parser must be wrapped only once. */
const named = new WeakSet<object>();

function oneOf(choices: readonly string[]): string {
  return choices.length === 1 ? (choices[0] ?? '') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

function invalid(expected: string): never {
  throw new InvalidArgumentError(expected);
}
