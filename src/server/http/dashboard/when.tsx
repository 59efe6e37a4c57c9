import { agoText } from '../../../core/model/quantity-text.ts';

interface WhenProps {
  /** Milliseconds since 1970, or ISO 8601 text. */
  readonly at: number | string;
  /** Shows the date and time instead of the elapsed time. */
  readonly exact?: boolean;
  /** True if the time is only exact to a minute, so that no seconds are shown. */
  readonly toMinute?: boolean;
}

/** Shows how long ago something happened. The title contains the exact time: in UTC, or with JavaScript in the browser's time zone. */
export function When({ at, exact = false, toMinute = false }: WhenProps) {
  const iso = new Date(at).toISOString();
  const text = `${iso.slice(0, 10)} ${iso.slice(11, toMinute ? 16 : 19)} UTC`;
  return (
    <time datetime={toMinute ? `${iso.slice(0, 16)}Z` : iso} title={text}>
      {exact ? text : agoText(Date.now() - new Date(at).getTime())}
    </time>
  );
}
