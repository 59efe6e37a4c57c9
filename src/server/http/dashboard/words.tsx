/** Numbers, times and sizes as people read them. */
const numbers = new Intl.NumberFormat('en');

export function countText(count: number): string {
  return numbers.format(count);
}

/** `1 device`, `2 devices`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

export function sizeText(sizeBytes: number): string {
  return sizeBytes < 10_240 ? `${countText(sizeBytes)} B` : `${countText(Math.round(sizeBytes / 1024))} KB`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How long something takes, in its largest unit that is whole, or nearly. */
export function durationText(ms: number): string {
  if (ms < minuteMs) return counted(Math.round(ms / 1000), 'second');
  if (ms < 2 * hourMs) return counted(Math.round(ms / minuteMs), 'minute');
  return ms < 2 * dayMs ? counted(Math.round(ms / hourMs), 'hour') : counted(Math.round(ms / dayMs), 'day');
}

/** Seconds change too quickly to be of use on a page that is renewed once in a while. */
function agoText(ms: number): string {
  return ms < minuteMs ? 'just now' : `${durationText(ms)} ago`;
}

interface WhenProps {
  /** Milliseconds since 1970, or as text of ISO 8601. */
  readonly at: number | string;
  /** Date and time rather than how long ago. */
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
