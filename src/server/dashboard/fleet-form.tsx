import { standings } from '../store/standing.ts';
import type { DeviceCount, DeviceFilter } from '../store/store.ts';
import { fleetPath, isFiltered } from './fleet-filter.ts';
import { projectPath } from './paths.ts';
import { standingWords } from './standing-badge.tsx';
import { countText } from './words.tsx';

interface FleetFormProps {
  readonly project: string;
  readonly filter: DeviceFilter;
  readonly tally: readonly DeviceCount[];
}

/** Devices say their version themselves, and may say anything. */
const mostVersions = 50;

export function FleetForm({ project, filter, tally }: FleetFormProps) {
  return (
    <search>
      <form class="filter" method="get" action={projectPath(project, 'devices')} aria-label="Devices">
        <div>
          <label for="q">Name or MAC</label>
          <input id="q" name="q" type="search" value={filter.text ?? ''} autocomplete="off" spellcheck={false} />
        </div>
        <div>
          <label for="state">State</label>
          <select id="state" name="state">
            <option value="">any</option>
            {standings.map((standing) => (
              <option value={standing} selected={filter.standing === standing}>
                {standingWords[standing].label}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label for="runs">Runs</label>
          <select id="runs" name="runs">
            <option value="">any</option>
            {versionsOf(tally, filter.runs).map(([version, devices]) => (
              <option value={version} selected={filter.runs === version}>
                {`${version} (${countText(devices)})`}
              </option>
            ))}
          </select>
        </div>
        <button type="submit">Show</button>
        {isFiltered(filter) ? <a href={fleetPath(project, { filter: {} })}>Show all</a> : undefined}
      </form>
    </search>
  );
}

/** The most frequent ones, and the one that is chosen. */
function versionsOf(tally: readonly DeviceCount[], chosen: string | undefined): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { runs, devices } of tally) if (runs !== undefined) counts.set(runs, (counts.get(runs) ?? 0) + devices);
  const frequent = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostVersions);
  const isListed = chosen === undefined || frequent.some(([version]) => version === chosen);
  return isListed ? frequent : [[chosen, counts.get(chosen) ?? 0], ...frequent];
}
