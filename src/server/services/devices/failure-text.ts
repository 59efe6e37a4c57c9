import type { Attempt } from '../../storage/records.ts';

/** Describes a failed attempt, without a period at the end. */
export function failureText({ version, failure, receipts }: Attempt): string {
  switch (failure) {
    case 'not-confirmed':
      return `${version} not confirmed: no update check since the ${receipts > 0 ? 'download' : 'incomplete download'}`;
    case 'not-installed':
      return `${version} not installed: the device runs a different build`;
    default:
      return `Download of ${version} never completed`;
  }
}
