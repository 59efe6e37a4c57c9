import { counted } from '../../../core/model/quantity-text.ts';
import type { Attempt } from '../../storage/records.ts';
import { When } from './when.tsx';

const states = { sent: 'downloading', received: 'downloaded', running: 'installed', failed: 'failed' } as const;
const failures = {
  'not-confirmed': 'not confirmed (no update check since)',
  'not-installed': 'not installed (the device runs a different build)',
  interrupted: 'interrupted (the download never completed)',
} as const;

/** Shows a device's update attempts, latest first. */
export function AttemptTable({ attempts }: { attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return <p class="quiet">No update attempts yet.</p>;
  return (
    <table>
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
        {attempts.map(({ version, kind, state, failure, sends, lastSentAt }) => (
          <tr>
            <th scope="row">{version}</th>
            <td>{kind}</td>
            <td>{failure === undefined ? states[state] : `${states[state]}: ${failures[failure]}`}</td>
            <td>{counted(sends, 'download')}</td>
            <td>
              <When at={lastSentAt} exact />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
