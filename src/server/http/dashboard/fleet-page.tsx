import { type DeviceStatus, deviceStatuses } from '../../../api/admin-info.ts';
import { selectionWords } from '../../../api/rollout-info.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import type { NewDevices } from '../../services/devices/new-devices.ts';
import type { MemberInfo } from '../../services/rollouts/member-info.ts';
import { describeMembers, findMembers } from '../../services/rollouts/member-lists.ts';
import type { SelectedMembers } from '../../services/rollouts/member-selection.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { SeenDevice } from '../../storage/records.ts';
import type { DeviceCount } from '../../storage/store.ts';
import { type FleetQuery, fleetPath, isFiltered, type RolloutMembers, readFleetQuery } from './fleet-filter.ts';
import { FleetForm } from './fleet-form.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { MemberBadge } from './member-badge.tsx';
import type { PageContext } from './page-login.ts';
import { devicePath, projectPath } from './paths.ts';
import { reasonOf } from './reason.ts';
import { ShareBar } from './share-bar.tsx';
import { StatusBadge, statusWords } from './status-badge.tsx';
import { When } from './when.tsx';

const perPage = 100;

/** Shows a project's devices, 100 per page. Devices are sorted by MAC, so that their order is stable. */
export async function fleetPage(context: PageContext, parts: ServerParts, project: string) {
  const { records, store } = parts;
  const view = readFleetQuery((name) => context.req.query(name));
  const { filter, members, after, before } = view;
  const selected = members && (await findMembers(parts, project, members.rollout, members));
  // Read one more device than the page shows, to detect whether a next page exists.
  const page = before === undefined ? { after, limit: perPage + 1 } : { before, limit: perPage + 1 };
  const found = await records.list(project, page, { ...filter, members: selected?.filter });
  const isMore = found.length > perPage;
  const devices = before !== undefined && isMore ? found.slice(1) : found.slice(0, perPage);
  const described = selected && (await describeMembers(parts, selected, devices));
  const tally = await store.devices.tally(project);
  const around = {
    previous: before === undefined ? after !== undefined : isMore,
    next: before === undefined ? isMore : true,
  };
  return show(
    context,
    <Page
      title={`Devices of ${project}`}
      project={project}
      tab="devices"
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>Devices</h1>
      <div id="summary" data-live>
        <Summary project={project} tally={tally} chosen={filter.status} />
      </div>
      <FleetForm project={project} filter={filter} members={members} tally={tally} />
      <div id="devices" data-live>
        {members === undefined ? undefined : <MemberSummary project={project} members={members} selected={selected} />}
        <DeferredDevices newDevices={parts.newDevices} project={project} />
        {devices.length === 0 ? <p>{emptyText(view)}</p> : <FleetTable devices={devices} described={described} />}
        <Paging project={project} view={view} devices={devices} around={around} />
      </div>
    </Page>,
  );
}

function emptyText({ filter, members, after, before }: FleetQuery): string {
  if (after !== undefined || before !== undefined) return 'No more devices.';
  return isFiltered(filter) || members !== undefined
    ? 'No matching devices.'
    : 'No devices yet. Devices appear after their first update check or when they are enrolled.';
}

function Summary({
  project,
  tally,
  chosen,
}: {
  project: string;
  tally: readonly DeviceCount[];
  chosen: DeviceStatus | undefined;
}) {
  const counts = deviceStatuses.map((status) => ({
    kind: status,
    count: tally.reduce((sum, each) => sum + (each.status === status ? each.devices : 0), 0),
  }));
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <ul class="chips">
        <li>
          <a
            class="chip"
            href={fleetPath(project, { filter: {} })}
            aria-current={chosen === undefined ? 'true' : undefined}
          >
            <span class="count">{countText(all)}</span> total
          </a>
        </li>
        {counts.map(({ kind, count }) => (
          <li>
            <a
              class={`chip ${kind}`}
              href={fleetPath(project, { filter: { status: kind } })}
              aria-current={chosen === kind ? 'true' : undefined}
            >
              <span class="count">{countText(count)}</span> <span aria-hidden="true">{statusWords[kind].sign}</span>{' '}
              {statusWords[kind].label}
            </a>
          </li>
        ))}
      </ul>
      {all === 0 ? undefined : <ShareBar label="Devices by status; the counts are listed above." parts={counts} />}
    </>
  );
}

/** Shows that new devices have to wait because of the rate limit per network. */
function DeferredDevices({ newDevices, project }: { newDevices: NewDevices; project: string }) {
  const checks = newDevices.deferred(project);
  if (checks === 0) return undefined;
  return (
    <p class="problem" role="status">
      {`Update checks of new devices deferred in the last hour: ${countText(checks)}. A network may add ${countText(newDevices.mostPerHour)} new devices per hour (serve --new-devices-per-network). Enrolled devices are not affected.`}
    </p>
  );
}

interface MemberSummaryProps {
  readonly project: string;
  readonly members: RolloutMembers;
  readonly selected: SelectedMembers | undefined;
}

/** States which devices of a rollout the list contains. */
function MemberSummary({ project, members, selected }: MemberSummaryProps) {
  if (selected === undefined) {
    return (
      <p class="problem" role="status">
        The devices of this rollout are not stored. The list contains all devices.
      </p>
    );
  }
  const { rollout, total, filter } = selected;
  const { stage, status } = members;
  const parts = [
    stage === undefined ? undefined : `stage ${stage}`,
    status === undefined ? undefined : selectionText(status),
    counted(total, 'device'),
  ];
  return (
    <>
      <p class="lead">
        <a href={projectPath(project, 'rollouts', rollout.id)}>
          Rollout of {rollout.version} on {rollout.channel}
        </a>
        {`: ${parts.filter((part) => part !== undefined).join(', ')}`}
      </p>
      {filter.isFinal ? (
        <p class="quiet">
          The rollout has ended. The list shows the stage and the status of the devices at that time, without the
          devices that have been removed since.
        </p>
      ) : undefined}
    </>
  );
}

function selectionText(status: NonNullable<RolloutMembers['status']>): string {
  return selectionWords[status];
}

interface FleetTableProps {
  readonly devices: readonly SeenDevice[];
  /** Descriptions by MAC, if the devices are those of a rollout. */
  readonly described: ReadonlyMap<string, MemberInfo> | undefined;
}

function FleetTable({ devices, described }: FleetTableProps) {
  return (
    <table class="fleet">
      <caption class="hidden">Devices with status, version and last update check</caption>
      <thead>
        <tr>
          <th scope="col">Device</th>
          <th scope="col">Status</th>
          <th scope="col">Version</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <FleetRow {...device} member={described?.get(device.record.mac)} />
        ))}
      </tbody>
    </table>
  );
}

function FleetRow({ record, lastSeenAt, member }: SeenDevice & { readonly member: MemberInfo | undefined }) {
  const { project, mac, name, running, enrolled } = record;
  return (
    <tr>
      <th scope="row">
        <a href={devicePath(project, mac)}>{name ?? mac}</a>
        {name === undefined ? undefined : <span class="mac">{mac}</span>}
        {enrolled ? undefined : <span class="quiet"> not enrolled</span>}
      </th>
      <td>
        {member === undefined ? (
          <>
            <StatusBadge status={deviceStatus(record)} />
            <span class="reason">{reasonOf(record)}</span>
          </>
        ) : (
          <MemberStatusOf {...member} />
        )}
      </td>
      <td>{running?.version ?? <span class="quiet">unknown</span>}</td>
      <td>{lastSeenAt === undefined ? <span class="quiet">never</span> : <When at={lastSeenAt} toMinute />}</td>
    </tr>
  );
}

function MemberStatusOf({ stage, status, reason, fix }: MemberInfo) {
  return (
    <>
      <MemberBadge status={status} /> <span class="quiet">{`stage ${stage}`}</span>
      <span class="reason">{fix === undefined ? reason : `${reason} Fix: ${fix}.`}</span>
    </>
  );
}

interface PagingProps {
  readonly project: string;
  readonly view: FleetQuery;
  readonly devices: readonly SeenDevice[];
  readonly around: { readonly previous: boolean; readonly next: boolean };
}

function Paging({ project, view: { filter, members }, devices, around }: PagingProps) {
  const first = devices[0]?.record.mac;
  const last = devices.at(-1)?.record.mac;
  if (!around.previous && !around.next)
    return <p class="quiet">{devices.length === 0 ? '' : counted(devices.length, 'device')}</p>;
  return (
    <nav class="paging" aria-label="Pages">
      {around.previous ? <a href={fleetPath(project, { filter, members })}>First page</a> : undefined}
      {around.previous && first !== undefined ? (
        <a rel="prev" href={fleetPath(project, { filter, members, before: first })}>
          Previous
        </a>
      ) : undefined}
      {around.next && last !== undefined ? (
        <a rel="next" href={fleetPath(project, { filter, members, after: last })}>
          Next
        </a>
      ) : undefined}
    </nav>
  );
}
