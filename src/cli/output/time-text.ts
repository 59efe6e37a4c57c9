import { agoText } from '../../core/model/quantity-text.ts';

/** Formats a time of a server for the screen: `just now`, `3 minutes ago`. JSON output contains the ISO 8601 time. */
export function agoOf(time: string, now = Date.now()): string {
  return agoText(now - Date.parse(time));
}
