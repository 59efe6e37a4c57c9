const numbers = new Intl.NumberFormat('en');

export function countText(count: number): string {
  return numbers.format(count);
}

/** Formats a count with its noun: `1 device`, `2 devices`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

export function sizeText(sizeBytes: number): string {
  if (sizeBytes < 10_240) return `${countText(sizeBytes)} B`;
  const kilobytes = Math.round(sizeBytes / 1024);
  return kilobytes < 1024 ? `${kilobytes} KB` : `${countText(Math.round(kilobytes / 102.4) / 10)} MB`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Formats a duration in one unit: seconds below 1 minute, minutes below 2 hours, hours below 2 days, otherwise days. */
export function roundedDuration(ms: number): string {
  if (ms < minuteMs) return counted(Math.round(ms / 1000), 'second');
  if (ms < 2 * hourMs) return counted(Math.round(ms / minuteMs), 'minute');
  return ms < 2 * dayMs ? counted(Math.round(ms / hourMs), 'hour') : counted(Math.round(ms / dayMs), 'day');
}

/** Seconds are left out: they change too quickly for a page that is only refreshed from time to time. */
function agoText(ms: number): string {
  return ms < minuteMs ? 'just now' : `${roundedDuration(ms)} ago`;
}

interface WhenProps {
  /** Milliseconds since 1970, or ISO 8601 text. */
  readonly at: number | string;
  /** Shows date and time instead of the time that has passed. */
  readonly exact?: boolean;
}

export function When({ at, exact = false }: WhenProps) {
  const iso = new Date(at).toISOString();
  const text = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return (
    <time datetime={iso} title={text}>
      {exact ? text : agoText(Date.now() - new Date(at).getTime())}
    </time>
  );
}
