import type { Attempt } from '../../storage/records.ts';

/** Describes a failed attempt, without a period at the end. */
export function failureText({ version, failure, receipts }: Attempt): string {
  return failure === 'not-confirmed'
    ? `${version} not confirmed: no update check since the ${receipts > 0 ? 'download' : 'incomplete download'}`
    : `${version} not installed: the device runs a different build`;
}
