import type { Attempt } from '../../storage/records.ts';
import { counted, When } from './words.tsx';

const states = { sent: 'is being sent', received: 'was taken', running: 'runs', failed: 'failed' } as const;
const failures = {
  vanished: 'took all of it, not heard of since',
  silent: 'took part of it, not heard of since',
  'not-running': 'came back without it',
  interrupted: 'never took all of it',
} as const;

/** The updates of a device, the latest first. */
export function AttemptTable({ attempts }: { attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return <p class="quiet">It was never sent one.</p>;
  return (
    <table>
      <caption class="hidden">Updates, the latest first</caption>
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Kind</th>
          <th scope="col">Outcome</th>
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
