// Formats numbers for people. `Intl` is not used, because its first use takes tens of milliseconds, which is too slow for a build hook.

/** Formats a number with thousands separators: `1,809`. */
export function countText(count: number): string {
  const [integer = '', ...fraction] = String(count).split('.');
  return [integer.replace(/\B(?=(?:\d{3})+$)/g, ','), ...fraction].join('.');
}

/** Formats a count with its noun: `1 device`, `2 devices`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** Formats a size: `512 B`, `345 KB`, `1.2 MB`. */
export function sizeText(sizeBytes: number): string {
  if (sizeBytes < 10_240) return `${countText(sizeBytes)} B`;
  const kilobytes = Math.round(sizeBytes / 1024);
  return kilobytes < 1024 ? `${kilobytes} KB` : `${countText(Math.round(kilobytes / 102.4) / 10)} MB`;
}

/** Formats a share from 0 to 1 as a percentage: `10%`. The result is rounded down, so that only a finished task shows 100%. */
export function percentText(share: number): string {
  return `${Math.floor(share * 100)}%`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Formats a duration in one unit: seconds below 1 minute, minutes below 2 hours, hours below 2 days, and days above. */
export function roundedDuration(ms: number): string {
  if (ms < minuteMs) return counted(Math.round(ms / 1000), 'second');
  if (ms < 2 * hourMs) return counted(Math.round(ms / minuteMs), 'minute');
  return ms < 2 * dayMs ? counted(Math.round(ms / hourMs), 'hour') : counted(Math.round(ms / dayMs), 'day');
}

/** Formats a duration exactly, in the largest unit that divides the duration: `90 seconds`, `1 day`. */
export function exactDuration(ms: number): string {
  const units = { day: dayMs, hour: hourMs, minute: minuteMs };
  const [unit, unitMs] = Object.entries(units).find(([, each]) => ms >= each && ms % each === 0) ?? ['second', 1000];
  return counted(ms / unitMs, unit);
}

/** Formats the time elapsed since an event: `just now`, `3 minutes ago`. */
export function agoText(ms: number): string {
  return ms < minuteMs ? 'just now' : `${roundedDuration(ms)} ago`;
}
