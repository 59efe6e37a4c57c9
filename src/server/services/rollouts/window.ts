import type { RolloutWindow } from '../../../api/rollout.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import type { LimitedSend } from '../../storage/store.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Returns whether a time is in the window of a rollout. The local time in the time zone of the window decides: when clocks go forward, the
 * window has one hour less, and when they go back, one hour more if it contains the repeated hour.
 *
 * @param window undefined for a rollout that may send at any time
 * @param wallMs milliseconds since 1970
 */
export function isWindowOpen(window: RolloutWindow | undefined, wallMs: number): boolean {
  if (window === undefined) return true;
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  const now = minutesOf(formatOf(window.timeZone).format(wallMs));
  // A window such as 22:00-04:00 includes midnight.
  return from < to ? from <= now && now < to : now >= from || now < to;
}

/** Returns the limits of a rollout on a send, for the transaction that begins it. */
export function limitsOf({ id, window, perHour }: RolloutRecord): LimitedSend {
  return { rollout: id, perHour, isOpenAt: (wallMs) => isWindowOpen(window, wallMs) };
}

export function windowText({ from, to, timeZone }: RolloutWindow): string {
  return `${from}-${to} ${timeZone}`;
}

/** A format is kept for each time zone: creating one takes 20 times as long as the rest of an update check. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  formats.set(timeZone, format);
  return format;
}

/** Returns the minutes since midnight of a time such as `01:30`. */
function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
