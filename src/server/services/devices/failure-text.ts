import { rejectionText } from '../../../core/model/guard-rejection.ts';
import type { Attempt } from '../../storage/records.ts';

/** Describes a failed attempt, without a period at the end. */
export function failureText({ version, failure, receipts, rejection }: Attempt): string {
  if (rejection !== undefined) return `${version} rejected by the guard of the device: ${rejectionText(rejection)}`;
  return failure === 'not-confirmed'
    ? `${version} not confirmed: no update check since the ${receipts > 0 ? 'download' : 'incomplete download'}`
    : `${version} not installed: the device runs a different build`;
}
