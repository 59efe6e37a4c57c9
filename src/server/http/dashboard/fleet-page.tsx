import { type DeviceStatus, deviceStatuses } from '../../../api/admin-info.ts';
import { selectionWords } from '../../../api/rollout-info.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import type { NewDevices } from '../../services/devices/new-devices.ts';
import { describeMembers } from '../../services/rollouts/member-lists.ts';
import type { SelectedMembers } from '../../services/rollouts/member-selection.ts';
import { isUnderWay } from '../../services/rollouts/step.ts';
import type { SeenDevice } from '../../storage/records.ts';
import type { DeviceCount, DeviceFilter, deviceOrders } from '../../storage/store.ts';
import { BulkForm } from './bulk-form.tsx';
import { Done, doneText } from './done.tsx';
import { addressOf, FirstSteps } from './first-steps.tsx';
import { type CellContext, columnWords, emptyCell, fleetCell } from './fleet-columns.tsx';
import {
  type FleetColumn,
  type FleetQuery,
  fleetPath,
  isFiltered,
  type RolloutMembers,
  readFleetQuery,
  usualColumns,
} from './fleet-filter.ts';
import { FleetForm } from './fleet-form.tsx';
import { runningReleases, selectFleet } from './fleet-selection.ts';
import { Mac, Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext } from './page-login.ts';
import { devicePath, projectPath } from './paths.ts';
import { ShareBar } from './share-bar.tsx';
import { statusWords } from './status-badge.tsx';

const perPage = 100;
/** Number of pages of a sorted list. A filter finds further devices; the database would sort all devices before a page. */
const mostSortedPages = 100;

/** Shows a project's devices, 100 per page. Without another order, devices are sorted by MAC, so that their order is stable. */
export async function fleetPage(context: PageContext, parts: ServerParts, project: string) {
  const { store, catalog } = parts;
  const view = readFleetQuery((name) => context.req.queries(name));
  const { filter, members, columns = usualColumns } = view;
  const tally = await store.devices.tally(project);
  const running = await runningReleases(parts, project, tally);
  const { filter: stored, selected } = await selectFleet(parts, project, view, running);
  const { devices, around } = await pageOf(parts, project, view, stored);
  const described = selected && (await describeMembers(parts, selected, devices));
  const formToken = formTokenFor(context, 'devices');
  const projectView = catalog.view(project);
  const done = doneText(context);
  return show(
    context,
    <Page
      title={done === undefined ? `Devices of ${project}` : `${done} · Devices of ${project}`}
      project={project}
      tab="devices"
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>Devices</h1>
      <Done text={done} />
      <div id="summary" data-live>
        <Summary project={project} tally={tally} chosen={filter.status} />
      </div>
      <FleetForm
        {...{ project, view, tally, running }}
        channels={[...(projectView?.channels.keys() ?? [])]}
        rollouts={(projectView?.rollouts ?? []).filter(isUnderWay)}
      />
      <div id="devices" data-live>
        {members === undefined ? undefined : <MemberSummary project={project} members={members} selected={selected} />}
        <DeferredDevices newDevices={parts.newDevices} project={project} />
        <BulkForm {...{ project, view, formToken }} isEmpty={devices.length === 0}>
          {devices.length === 0 ? (
            <>
              <p>{emptyText(view)}</p>
              {tally.length === 0 ? <FirstSteps address={addressOf(context, parts)} project={project} /> : undefined}
            </>
          ) : (
            <FleetTable
              {...{ project, view, devices, columns }}
              cells={{ described, cores: running.cores }}
              isSelectable={formToken !== undefined}
            />
          )}
        </BulkForm>
        <Paging project={project} view={view} devices={devices} around={around} />
        {formToken === undefined ? undefined : (
          <p class="alone">
            <a href={projectPath(project, 'devices', 'new')}>Add devices</a>
          </p>
        )}
        {devices.length === 0 ? undefined : (
          <p class="alone">
            <a
              href={fleetPath(
                project,
                { ...view, after: undefined, before: undefined },
                `${projectPath(project)}/devices.csv`,
              )}
            >
              Export this list as CSV
            </a>
          </p>
        )}
      </div>
    </Page>,
  );
}

/** Reads the devices of a page, and whether there are pages around it. */
async function pageOf({ records }: ServerParts, project: string, view: FleetQuery, filter: DeviceFilter) {
  const { after, before, sort } = view;
  const page = Math.min(view.page ?? 1, mostSortedPages);
  // Read one more device than the page shows, to detect whether a next page exists.
  const limit = perPage + 1;
  if (sort !== undefined) {
    const found = await records.sorted(project, { ...sort, offset: (page - 1) * perPage, limit }, filter);
    return {
      devices: found.slice(0, perPage),
      around: { previous: page > 1, next: found.length > perPage && page < mostSortedPages },
    };
  }
  const found = await records.list(project, before === undefined ? { after, limit } : { before, limit }, filter);
  const isMore = found.length > perPage;
  const devices = before !== undefined && isMore ? found.slice(1) : found.slice(0, perPage);
  const around = {
    previous: before === undefined ? after !== undefined : isMore,
    next: before === undefined ? isMore : true,
  };
  return { devices, around };
}

function emptyText({ filter, members, after, before, page = 1 }: FleetQuery): string {
  if (after !== undefined || before !== undefined || page > 1) return 'No more devices.';
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
          Rollout of <Version version={rollout.version} /> on {rollout.channel}
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
  readonly project: string;
  readonly view: FleetQuery;
  readonly devices: readonly SeenDevice[];
  readonly columns: readonly FleetColumn[];
  readonly cells: CellContext;
  /** True if the user may change devices. */
  readonly isSelectable: boolean;
}

const sortable: { readonly [Column in FleetColumn]?: (typeof deviceOrders)[number] } = {
  status: 'status',
  version: 'version',
  seen: 'seen',
};

function FleetTable({ project, view, devices, columns, cells, isSelectable }: FleetTableProps) {
  return (
    <table class="fleet rows">
      <caption class="hidden">Devices</caption>
      <thead>
        <tr>
          <SortHeader {...{ project, view }} order="name" title="Device" />
          {columns.map((column) => (
            <SortHeader {...{ project, view }} order={sortable[column]} title={columnWords[column]} />
          ))}
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <FleetRow {...{ device, columns, cells, isSelectable }} />
        ))}
      </tbody>
    </table>
  );
}

interface SortHeaderProps {
  readonly project: string;
  readonly view: FleetQuery;
  readonly order: (typeof deviceOrders)[number] | undefined;
  readonly title: string;
}

/** Shows the head of a column with a link that sorts the list by the column, or in the other direction. */
function SortHeader({ project, view, order, title }: SortHeaderProps) {
  if (order === undefined) return <th scope="col">{title}</th>;
  const { sort } = view;
  const isSorted = sort?.by === order;
  const next = { by: order, isDescending: isSorted && !sort.isDescending };
  const path = fleetPath(project, { ...view, sort: next, after: undefined, before: undefined, page: undefined });
  return (
    <th scope="col" aria-sort={isSorted ? (sort.isDescending ? 'descending' : 'ascending') : undefined}>
      <a href={path}>
        {title}
        {isSorted ? <span aria-hidden="true">{sort.isDescending ? ' ↓' : ' ↑'}</span> : undefined}
      </a>
    </th>
  );
}

function FleetRow({
  device,
  columns,
  cells,
  isSelectable,
}: Pick<FleetTableProps, 'columns' | 'cells' | 'isSelectable'> & { readonly device: SeenDevice }) {
  const { project, mac, name, enrolled } = device.record;
  const id = `select-${mac.replaceAll(':', '')}`;
  return (
    <tr>
      <th scope="row">
        {isSelectable ? (
          <>
            <input id={id} type="checkbox" name={`mac-${mac}`} value="yes" aria-label={`Select ${name ?? mac}`} />{' '}
          </>
        ) : undefined}
        <a href={devicePath(project, mac)}>{name ?? <Mac mac={mac} />}</a>
        {name === undefined ? undefined : <Mac mac={mac} />}
        {enrolled ? undefined : <span class="quiet"> not enrolled</span>}
      </th>
      {columns.map((column) => (
        <td data-label={columnWords[column]}>
          {fleetCell(column, device, cells) ?? <span class="quiet">{emptyCell(column, device)}</span>}
        </td>
      ))}
    </tr>
  );
}

interface PagingProps {
  readonly project: string;
  readonly view: FleetQuery;
  readonly devices: readonly SeenDevice[];
  readonly around: { readonly previous: boolean; readonly next: boolean };
}

function Paging({ project, view, devices, around }: PagingProps) {
  const { sort, page = 1 } = view;
  const start = { ...view, after: undefined, before: undefined, page: undefined };
  const first = devices[0]?.record.mac;
  const last = devices.at(-1)?.record.mac;
  if (!around.previous && !around.next)
    return <p class="quiet">{devices.length === 0 ? '' : counted(devices.length, 'device')}</p>;
  const previous = sort === undefined ? first && { ...start, before: first } : { ...start, page: page - 1 };
  const next = sort === undefined ? last && { ...start, after: last } : { ...start, page: page + 1 };
  return (
    <nav class="paging" aria-label="Pages">
      {around.previous ? <a href={fleetPath(project, start)}>First page</a> : undefined}
      {around.previous && previous ? (
        <a rel="prev" href={fleetPath(project, previous)}>
          Previous
        </a>
      ) : undefined}
      {around.next && next ? (
        <a rel="next" href={fleetPath(project, next)}>
          Next
        </a>
      ) : undefined}
    </nav>
  );
}
