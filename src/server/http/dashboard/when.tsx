import { agoText } from '../../../core/model/quantity-text.ts';

interface WhenProps {
  /** Milliseconds since 1970, or ISO 8601 text. */
  readonly at: number | string;
  /** Shows the date and time instead of the elapsed time. */
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
