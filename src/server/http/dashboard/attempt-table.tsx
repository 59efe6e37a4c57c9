import { attemptStateWords } from '../../../api/admin-info.ts';
import { rejectionText } from '../../../core/model/guard-rejection.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { Attempt } from '../../storage/records.ts';
import { Version } from './identifiers.tsx';
import { When } from './when.tsx';

const failures = {
  'not-confirmed': 'not confirmed (no update check since)',
  'not-installed': 'not installed (the device runs a different build)',
} as const;

/** Shows a device's update attempts, latest first. */
export function AttemptTable({ attempts }: { attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return <p class="quiet">No update attempts yet.</p>;
  return (
    <table class="rows">
      <caption class="hidden">Update attempts, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Kind</th>
          <th scope="col">Result</th>
          <th scope="col">Downloads</th>
          <th scope="col">Last sent</th>
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt) => (
          <tr>
            <th scope="row">
              <Version version={attempt.version} />
            </th>
            <td data-label="Kind">{attempt.kind}</td>
            <td data-label="Result">{resultText(attempt)}</td>
            <td data-label="Downloads">{downloadsText(attempt)}</td>
            <td data-label="Last sent">
              <When at={attempt.lastSentAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function resultText({ state, failure, rejection }: Attempt): string {
  if (rejection !== undefined) {
    return `${attemptStateWords[state]}: rejected by the guard of the device (${rejectionText(rejection)})`;
  }
  return failure === undefined ? attemptStateWords[state] : `${attemptStateWords[state]}: ${failures[failure]}`;
}

function downloadsText({ sends, interruptions }: Attempt): string {
  const downloads = counted(sends, 'download');
  return interruptions === 0 ? downloads : `${downloads}, ${interruptions} interrupted`;
}
