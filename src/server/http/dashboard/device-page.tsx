import type { CredentialState } from '../../../api/admin-info.ts';
import { mac as macSchema } from '../../../api/release-admin.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import { fixText } from '../../../core/preflight/fix-text.ts';
import type { ServerParts } from '../../parts.ts';
import { awaitsRetry } from '../../services/devices/attempts.ts';
import { enrollDevice } from '../../services/devices/enroll-device.ts';
import { retryFailedDevice } from '../../services/devices/retry-device.ts';
import { DomainError } from '../../services/domain-error.ts';
import { credentialState } from '../../storage/device-credentials.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { AuditEntry, DecisionRecord, DeviceRecord, SeenDevice } from '../../storage/records.ts';
import { checked } from '../api/session.ts';
import { AttemptTable } from './attempt-table.tsx';
import { DeviceRollout } from './device-rollout.tsx';
import { Facts } from './facts.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext, readForm } from './page-login.ts';
import { devicePath } from './paths.ts';
import { reasonOf } from './reason.ts';
import { SendForm } from './send-form.tsx';
import { StatusBadge } from './status-badge.tsx';
import { When } from './when.tsx';

const mostEntries = 50;

const secretWords: Readonly<Record<CredentialState, string | undefined>> = {
  none: undefined,
  unused: 'not used yet',
  used: 'in use',
  rotating: 'in use; the new one is not used yet',
  revoked: 'revoked',
};

/** Shows a device: its status, details, rollout, update attempts and audit log. */
export async function devicePage(
  context: PageContext,
  { records, store, rollouts }: ServerParts,
  project: string,
  text: string,
) {
  const mac = checked(macSchema, text);
  const seen = await records.show(project, mac);
  if (seen === undefined) throw unknown(mac);
  const entries = await store.audit.ofDevice(project, mac, mostEntries);
  const { record } = seen;
  const rollout = rollouts.ofDevice(record);
  const formToken = formTokenFor(context, 'devices');
  return show(
    context,
    <Page title={record.name ?? mac} project={project} tab="devices" live={`project=${project}`} {...frameOf(context)}>
      <h1>{record.name ?? mac}</h1>
      <div id="device" data-live>
        <p class="lead">
          <StatusBadge status={deviceStatus(record)} /> {reasonOf(record)}
        </p>
        {formToken === undefined ? undefined : <Retry record={record} formToken={formToken} />}
        <h2>Details</h2>
        <DeviceSheet {...seen} />
        <h2>Update checks</h2>
        <LastDecisions device={record} />
        <h2>Rollout</h2>
        <DeviceRollout project={project} info={rollout} />
        <h2>Update attempts</h2>
        <AttemptTable attempts={record.attempts} />
        <h2>Audit log</h2>
        <Entries entries={entries} />
      </div>
    </Page>,
  );
}

/** Clears a device's failures, so that the server sends the release to the device again. */
export async function retryDevice(
  context: PageContext,
  { records, clock }: ServerParts,
  project: string,
  text: string,
) {
  await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  const retried = await retryFailedDevice(records, {
    project,
    mac,
    by: context.get('token').id,
    at: clock.now().wallMs,
  });
  if (retried === undefined) throw unknown(mac);
  return context.redirect(devicePath(project, mac), 303);
}

/** Enrolls a device that the overview lists as not enrolled. */
export async function enrollFromOverview(
  context: PageContext,
  { records }: ServerParts,
  project: string,
  text: string,
) {
  await readForm(context, 'devices');
  const mac = checked(macSchema, text);
  await enrollDevice(records, { project, mac, by: context.get('token').id });
  return context.redirect(devicePath(project, mac), 303);
}

function unknown(mac: string): DomainError {
  return new DomainError(
    'not-found',
    `Device ${mac} not found: it has never checked in and is not enrolled.`,
    'Check the MAC address.',
  );
}

function Retry({ record, formToken }: { record: DeviceRecord; formToken: string }) {
  if (!record.attempts.some(awaitsRetry)) return undefined;
  return (
    <SendForm action={`${devicePath(record.project, record.mac)}/retry`} formToken={formToken}>
      <button type="submit">Retry</button>
    </SendForm>
  );
}

function DeviceSheet({ record, lastSeenAt, report }: SeenDevice) {
  const { running } = record;
  const how = running?.by === 'md5' ? 'identified by sketch MD5' : 'reported by the device';
  const size = (sizeBytes: number | undefined) => sizeBytes && sizeText(sizeBytes);
  return (
    <Facts
      facts={[
        ['MAC', record.mac],
        ['Version', running && `${running.version} (${how})`],
        ['Last seen', lastSeenAt && <When at={lastSeenAt} toMinute />],
        ['First seen', record.firstSeenAt && <When at={record.firstSeenAt} exact />],
        ['Enrolled', record.enrolled ? 'yes' : 'no'],
        ['Board', record.board],
        ['Channel', record.channel],
        ['Group', record.group],
        ['Pinned to', record.pin],
        ['Allowed rules', record.allow?.join(', ')],
        ['Password', record.credential && `set for user ${record.credential.user}`],
        ['Secret', secretWords[credentialState(record.secrets)]],
        ['Reported version', report?.version],
        ['SDK', report?.sdkVersion],
        ['Sketch MD5', report?.sketchMd5],
        ['Sketch size', size(report?.sketchSizeBytes)],
        ['Free space for updates', size(report?.freeSpaceBytes)],
        ['Flash size', size(report?.chipSizeBytes)],
      ]}
    />
  );
}

function LastDecisions({ device }: { device: DeviceRecord }) {
  const { decisions } = device;
  const kinds = (['sketch', 'filesystem'] as const).filter((kind) => decisions[kind] !== undefined);
  if (kinds.length === 0) return <p class="quiet">No update check yet.</p>;
  return (
    <ul class="lines">
      {kinds.map((kind) => (
        <li>
          <strong>{kind === 'sketch' ? 'Sketch' : 'Filesystem'}</strong>:{' '}
          <DecisionText decision={decisions[kind]} device={device} />{' '}
          <span class="quiet">
            (<code>{decisions[kind]?.code}</code>, since <When at={decisions[kind]?.at ?? 0} exact />)
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Shows a decision; for a blocked update, with one line for each rule and its fix. */
function DecisionText({ decision, device }: { decision: DecisionRecord | undefined; device: DeviceRecord }) {
  if (decision?.blocked === undefined) return <>{decision?.text}</>;
  const { artifact, findings } = decision.blocked;
  return (
    <>
      {decision.version} blocked in <code>{artifact}</code>
      <dl>
        {findings.map(({ rule, message, fixes }) => (
          <>
            <dt>
              <code>{rule}</code>: {message}.
            </dt>
            <dd>Fix: {fixText(fixes, device)}.</dd>
          </>
        ))}
      </dl>
    </>
  );
}

function Entries({ entries }: { entries: readonly AuditEntry[] }) {
  if (entries.length === 0) return <p class="quiet">No entries yet.</p>;
  return (
    <table>
      <caption class="hidden">Audit log, newest entries first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Action</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ at, action, actor }) => (
          <tr>
            <td>
              <When at={at} exact />
            </td>
            <td>{action}</td>
            <td>
              <code>{actor}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
