import { deviceStatuses } from '../../../api/admin-info.ts';
import { countText } from '../../../core/model/quantity-text.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import type { DeviceCount, DeviceFilter } from '../../storage/store.ts';
import { fleetPath, isFiltered, memberParameters, type RolloutMembers } from './fleet-filter.ts';
import { projectPath } from './paths.ts';
import { statusWords } from './status-badge.tsx';

interface FleetFormProps {
  readonly project: string;
  readonly filter: DeviceFilter;
  readonly members: RolloutMembers | undefined;
  readonly tally: readonly DeviceCount[];
}

/** Maximum number of listed values. Devices report their own version, so there may be any number of different versions. */
const mostValues = 50;

export function FleetForm({ project, filter, members, tally }: FleetFormProps) {
  return (
    <search>
      <form class="filter" method="get" action={projectPath(project, 'devices')} aria-label="Filter devices">
        <div>
          <label for="q">Name or MAC</label>
          <input id="q" name="q" type="search" value={filter.text ?? ''} autocomplete="off" spellcheck={false} />
        </div>
        <div>
          <label for="state">Status</label>
          <select id="state" name="state">
            <option value="">Any</option>
            {deviceStatuses.map((status) => (
              <option value={status} selected={filter.status === status}>
                {statusWords[status].label}
              </option>
            ))}
          </select>
        </div>
        <Choice id="runs" label="Version" values={frequent(tally, 'runs', filter.runs)} chosen={filter.runs} />
        {tally.some(({ group }) => group !== undefined) ? (
          <Choice id="group" label="Group" values={frequent(tally, 'group', filter.group)} chosen={filter.group} />
        ) : undefined}
        {Object.entries(memberParameters(members)).map(([name, value]) =>
          value === undefined ? undefined : <input type="hidden" name={name} value={value} />,
        )}
        <button type="submit">Filter</button>
        {isFiltered(filter) || members !== undefined ? (
          <a href={fleetPath(project, { filter: {} })}>Clear filter</a>
        ) : undefined}
      </form>
    </search>
  );
}

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly values: readonly (readonly [value: string, devices: number])[];
  readonly chosen: string | undefined;
}

function Choice({ id, label, values, chosen }: ChoiceProps) {
  return (
    <div>
      <label for={id}>{label}</label>
      <select id={id} name={id}>
        <option value="">Any</option>
        {values.map(([value, devices]) => (
          <option value={value} selected={chosen === value}>
            {`${value} (${countText(devices)})`}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Returns the most frequent values, and always the selected value. */
function frequent(
  tally: readonly DeviceCount[],
  key: 'runs' | 'group',
  chosen: string | undefined,
): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { devices, [key]: value } of tally) {
    // A device may report a version with control characters, which the page would otherwise contain unescaped.
    if (value !== undefined && printableText.test(value)) counts.set(value, (counts.get(value) ?? 0) + devices);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostValues);
  const isListed = chosen === undefined || most.some(([value]) => value === chosen);
  return isListed ? most : [[chosen, counts.get(chosen) ?? 0], ...most];
}
