import { type CredentialState, unknownLastSeen } from '../../../api/admin-info.ts';
import { mac as macSchema } from '../../../api/release-admin.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import { fixText } from '../../../core/preflight/fix-text.ts';
import type { ServerParts } from '../../parts.ts';
import { awaitsRetry } from '../../services/devices/attempts.ts';
import { actorNames } from '../../services/tokens.ts';
import { credentialState } from '../../storage/device-credentials.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { DecisionRecord, DeviceRecord, SeenDevice } from '../../storage/records.ts';
import { checked } from '../api/session.ts';
import { AttemptTable } from './attempt-table.tsx';
import { unknownDevice } from './device-actions.ts';
import { DeviceForm } from './device-form.tsx';
import { DeviceRollout } from './device-rollout.tsx';
import { DeviceTimeline } from './device-timeline.tsx';
import { Done, doneText } from './done.tsx';
import { Facts } from './facts.tsx';
import { FlashMap } from './flash-map.tsx';
import { Mac, Sentence, Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext } from './page-login.ts';
import { devicePath } from './paths.ts';
import { reasonOf } from './reason.ts';
import { SendForm } from './send-form.tsx';
import { StatusBadge, statusWords } from './status-badge.tsx';
import { When } from './when.tsx';

const mostEntries = 50;
/** Number of versions that the form suggests for pinning. */
const mostVersions = 20;

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
  { records, store, rollouts, catalog }: ServerParts,
  project: string,
  text: string,
) {
  const mac = checked(macSchema, text);
  const seen = await records.show(project, mac);
  if (seen === undefined) throw unknownDevice(mac);
  const entries = await store.audit.ofDevice(project, mac, mostEntries);
  const { record } = seen;
  const title = record.name ?? mac;
  const rollout = rollouts.ofDevice(record);
  const formToken = formTokenFor(context, 'devices');
  const running = record.running && (await catalog.view(project)?.withVersion(record.running.version));
  const build = running?.find(({ id }) => id === record.running?.releaseId);
  const { versions } = await store.catalog.versions(project, { limit: mostVersions });
  const done = doneText(context);
  return show(
    context,
    <Page
      title={`${done === undefined ? '' : `${done} · `}${title}: ${statusWords[deviceStatus(record)].label}`}
      project={project}
      tab="devices"
      here={record.name ?? <Mac mac={mac} />}
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>{record.name ?? <Mac mac={mac} />}</h1>
      <Done text={done} />
      <div id="device" data-live>
        <p class="lead">
          <StatusBadge status={deviceStatus(record)} /> <Sentence text={reasonOf(record)} />
        </p>
        {formToken === undefined ? undefined : <Retry record={record} formToken={formToken} />}
        {formToken === undefined ? undefined : (
          <DeviceForm record={record} formToken={formToken} versions={versions.map(({ version }) => version)} />
        )}
        <h2>Details</h2>
        <DeviceSheet {...seen} core={build?.manifest.image.core} />
        <h2>Flash map</h2>
        <FlashMap report={seen.report ?? {}} layout={build?.manifest.image.layout} />
        <h2>Update checks</h2>
        <LastDecisions device={record} />
        <h2>Rollout</h2>
        <DeviceRollout project={project} info={rollout} />
        <h2>Update attempts</h2>
        <AttemptTable attempts={record.attempts} />
        <h2>Timeline</h2>
        <DeviceTimeline device={seen} entries={entries} names={await actorNames(store)} />
      </div>
    </Page>,
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

function DeviceSheet({ record, lastSeenAt, report, core }: SeenDevice & { core: string | undefined }) {
  const { running } = record;
  const how = running?.by === 'md5' ? 'identified by sketch MD5' : 'reported by the device';
  const size = (sizeBytes: number | undefined) => sizeBytes && sizeText(sizeBytes);
  return (
    <Facts
      facts={[
        ['MAC', <Mac mac={record.mac} />],
        [
          'Version',
          running && (
            <>
              <Version version={running.version} /> ({how})
            </>
          ),
        ],
        ['Last seen', lastSeenAt ? <When at={lastSeenAt} toMinute /> : unknownLastSeen(record.firstSeenAt)],
        ['First seen', record.firstSeenAt && <When at={record.firstSeenAt} />],
        ['Enrolled', record.enrolled ? 'yes' : 'no'],
        ['Board', record.board ?? record.shownBoard],
        ['Core', core],
        ['Channel', record.channel],
        ['Group', record.group],
        ['Labels', record.labels?.join(', ')],
        ['Pinned to', record.pin && <Version version={record.pin} />],
        ['Allowed rules', record.allow?.join(', ')],
        ['Password', record.credential && `set for user ${record.credential.user}`],
        ['Secret', secretWords[credentialState(record.secrets)]],
        ['Reported version', report?.version && <Version version={report.version} />],
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
            (<code>{decisions[kind]?.code}</code>, since <When at={decisions[kind]?.at ?? 0} />)
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Shows a decision; for a blocked update, with one line for each rule and its fix. */
function DecisionText({ decision, device }: { decision: DecisionRecord | undefined; device: DeviceRecord }) {
  if (decision?.blocked === undefined) return <Sentence text={decision?.text ?? ''} />;
  const { artifact, findings } = decision.blocked;
  return (
    <>
      {decision.version && <Version version={decision.version} />} blocked in <code>{artifact}</code>
      <dl>
        {findings.map(({ rule, message, fixes }) => (
          <>
            <dt>
              <code>{rule}</code>: <Sentence text={message} />.
            </dt>
            <dd>
              Fix: <Sentence text={fixText(fixes, device)} />.
            </dd>
          </>
        ))}
      </dl>
    </>
  );
}
