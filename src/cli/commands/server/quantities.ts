import { OtaError } from '../../../errors/ota-error.ts';

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration option of `server`: a whole number and its unit, such as `90s`, `10m`, `2h` or `1d`; `0` needs no unit.
 *
 * @returns milliseconds; undefined if the option was not given
 * @throws OtaError USAGE
 */
export function durationMs(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === '0') return 0;
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  // The pattern matches these units only.
  if (digits !== undefined) return Number(digits) * unitMs[unit as keyof typeof unitMs];
  throw new OtaError('USAGE', {
    message: `${option} must be a duration, not ${text}`,
    hint: 'Use a number and a unit, such as 90s, 10m, 2h or 1d.',
  });
}

/** Formats a duration for people, in the largest unit that divides it. */
export function durationText(ms: number): string {
  const [unit, size] = Object.entries(unitMs).findLast(([, each]) => ms % each === 0 && ms >= each) ?? ['s', unitMs.s];
  return `${ms / size} ${unit === 'm' ? 'min' : unit}`;
}

/**
 * Parses an option that must be a positive integer.
 *
 * @throws OtaError USAGE
 */
export function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new OtaError('USAGE', { message: `${option} must be a positive integer, not ${text}` });
}

/**
 * Parses an option that must be a percentage from 1 to 100.
 *
 * @throws OtaError USAGE
 */
export function percent(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,3}(\.\d{1,2})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value >= 1 && value <= 100) return value;
  throw new OtaError('USAGE', { message: `${option} must be a percentage from 1 to 100, not ${text}` });
}
