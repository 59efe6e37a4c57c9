import { deviceStatuses } from '../../../api/admin-info.ts';
import { countText } from '../../../core/model/quantity-text.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import { type DeviceCount, deviceOrders } from '../../storage/store.ts';
import { columnWords } from './fleet-columns.tsx';
import { type FleetQuery, fleetColumns, fleetParameters, fleetPath, isFiltered, usualColumns } from './fleet-filter.ts';
import type { RunningReleases } from './fleet-selection.ts';
import { projectPath } from './paths.ts';
import { statusWords } from './status-badge.tsx';

interface FleetFormProps {
  readonly project: string;
  readonly view: FleetQuery;
  readonly tally: readonly DeviceCount[];
  readonly running: RunningReleases;
  readonly channels: readonly string[];
  /** Rollouts in progress. */
  readonly rollouts: readonly RolloutRecord[];
}

/** Maximum number of listed values. Devices report their own version, so there may be any number of different versions. */
const mostValues = 50;

const orderWords = { mac: 'MAC', name: 'Name', status: 'Status', version: 'Version', seen: 'Last seen' } as const;

/** Form for the filter, the order and the columns. Its values are in the URL of the page, so a bookmark saves the list. */
export function FleetForm({ project, view, tally, running, channels, rollouts }: FleetFormProps) {
  const { filter, members, sort, columns = usualColumns } = view;
  const { text, status, ...others } = filter;
  const isMore = isFiltered(others) || members !== undefined || sort !== undefined || view.columns !== undefined;
  const sortText = sort && `${sort.isDescending ? '-' : ''}${sort.by}`;
  const stage = members?.stage === undefined ? undefined : `${members.rollout}.${members.stage}`;
  const cores = [...new Set(running.cores.values())].sort();
  return (
    <search>
      <form method="get" action={projectPath(project, 'devices')} aria-label="Filter devices">
        <div class="filter">
          <div>
            <label for="q">Name or MAC</label>
            <input id="q" name="q" type="search" value={text ?? ''} autocomplete="off" spellcheck={false} />
          </div>
          <Choice
            id="state"
            label="Status"
            values={deviceStatuses.map((each) => [each, statusWords[each].label])}
            chosen={status}
          />
          <button type="submit">Filter</button>
          {isFiltered(filter) || isMore ? <a href={fleetPath(project, { filter: {} })}>Clear filter</a> : undefined}
        </div>
        <details id="more-filters" open={isMore}>
          <summary>More filters, order and columns</summary>
          <div class="filter">
            <Choice id="runs" label="Version" values={frequent(tally, 'runs', filter.runs)} chosen={filter.runs} />
            <Choice id="group" label="Group" values={frequent(tally, 'group', filter.group)} chosen={filter.group} />
            <div>
              <label for="label">Label</label>
              <input id="label" name="label" value={filter.label ?? ''} autocomplete="off" spellcheck={false} />
            </div>
            <Choice id="board" label="Board" values={same(running.boards)} chosen={filter.board} />
            <Choice id="core" label="Core" values={same(cores)} chosen={filter.core} />
            <Choice id="channel" label="Channel" values={same(channels)} chosen={filter.channel} />
            <div>
              <label for="days">Not seen for days</label>
              <input
                id="days"
                name="days"
                inputmode="numeric"
                pattern="\d{1,5}"
                value={filter.days?.toString() ?? ''}
              />
            </div>
            {rollouts.length === 0 ? undefined : (
              <Choice
                id="in"
                label="Stage"
                chosen={stage}
                values={rollouts.flatMap(({ id, version, stages }) =>
                  stages.map((_, index) => [`${id}.${index + 1}`, `${version}: stage ${index + 1}`] as const),
                )}
              />
            )}
            <div>
              <label for="sort">Sorted by</label>
              <select id="sort" name="sort">
                {deviceOrders.flatMap((order) =>
                  [order, `-${order}`].map((value) => (
                    <option value={value === 'mac' ? '' : value} selected={value === sortText}>
                      {orderWords[order]}
                      {value === order ? '' : ', descending'}
                    </option>
                  )),
                )}
              </select>
            </div>
          </div>
          <fieldset class="choices">
            <legend>Columns</legend>
            {fleetColumns.map((column) => (
              <span>
                <input
                  id={`column-${column}`}
                  type="checkbox"
                  name="column"
                  value={column}
                  checked={columns.some((each) => each === column)}
                />
                <label for={`column-${column}`}>{columnWords[column as keyof typeof columnWords]}</label>
              </span>
            ))}
          </fieldset>
        </details>
        {Object.entries(fleetParameters({ filter: {}, members })).map(([name, value]) =>
          typeof value === 'string' && name !== 'stage' && stage === undefined ? (
            <input type="hidden" name={name} value={value} />
          ) : undefined,
        )}
      </form>
    </search>
  );
}

function same(values: readonly string[]): readonly (readonly [string, string])[] {
  return values.map((value) => [value, value]);
}

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly values: readonly (readonly [value: string, text: string])[];
  readonly chosen: string | undefined;
}

/** Shows a list of values. It always contains the chosen value. */
function Choice({ id, label, values, chosen }: ChoiceProps) {
  const isListed = chosen === undefined || values.some(([value]) => value === chosen);
  return (
    <div>
      <label for={id}>{label}</label>
      <select id={id} name={id}>
        <option value="">Any</option>
        {(isListed ? values : [[chosen, chosen] as const, ...values]).map(([value, text]) => (
          <option value={value} selected={chosen === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Returns the most frequent values with their numbers of devices, and always the selected value. */
function frequent(
  tally: readonly DeviceCount[],
  key: 'runs' | 'group',
  chosen: string | undefined,
): readonly (readonly [string, string])[] {
  const counts = new Map<string, number>();
  for (const { devices, [key]: value } of tally) {
    // A device may report a version with control characters, which the page would otherwise contain unescaped.
    if (value !== undefined && printableText.test(value)) counts.set(value, (counts.get(value) ?? 0) + devices);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostValues);
  const isListed = chosen === undefined || most.some(([value]) => value === chosen);
  const listed = isListed ? most : [[chosen, counts.get(chosen) ?? 0] as const, ...most];
  return listed.map(([value, devices]) => [value, `${value} (${countText(devices)})`]);
}
