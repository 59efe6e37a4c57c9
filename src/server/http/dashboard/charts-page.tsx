import { counted, countText, percentText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import type { BuildCount, DeviceCount } from '../../storage/store.ts';
import { CountLink } from './count-link.tsx';
import { fleetPath, listPath } from './fleet-filter.ts';
import { runningReleases } from './fleet-selection.ts';
import { Sentence, Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import type { PageContext } from './page-login.ts';
import { projectPath } from './paths.ts';
import { ShareBar } from './share-bar.tsx';
import { VersionsChart } from './versions-chart.tsx';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const sampledMs = 30 * dayMs;
/** Ages of the bars in the chart of last update checks. */
const ages = [
  { ms: hourMs, text: 'within an hour' },
  { ms: dayMs, text: '1 hour to 1 day' },
  { ms: 7 * dayMs, text: '1 to 7 days' },
  { ms: 30 * dayMs, text: '7 to 30 days' },
] as const;
const mostRollouts = 10;

/** Shows charts of a project's devices, each with its numbers as a table. The page is not live, because it counts all devices. */
export async function chartsPage(context: PageContext, parts: ServerParts, project: string): Promise<Response> {
  const { store, rollouts, clock } = parts;
  const now = clock.now().wallMs;
  const tally = await store.devices.tally(project);
  const { cores } = await runningReleases(parts, project, tally);
  const builds = await store.charts.byBuild(project);
  const samples = await store.charts.versionSamples(project, now - sampledMs);
  const times = ages.map(({ ms }) => now - ms);
  const seen = await store.charts.lastSeen(project, times);
  const blockers = await store.devices.countBlockers(project);
  const recent = (await rollouts.list(project)).slice(0, mostRollouts);
  const failed = sumOf(tally.filter(({ status }) => status === 'failed'));
  return show(
    context,
    <Page title={`Charts of ${project}`} project={project} tab="charts" {...frameOf(context)}>
      <h1>Charts</h1>
      <div id="charts">
        <h2>Versions over time</h2>
        <VersionsChart samples={[...samples, ...currentSample(now, tally)]} />
        <h2>Success by release</h2>
        <p class="quiet">Of the devices that finished an update in a rollout.</p>
        <OutcomeTable
          head="Release"
          rows={recent.map((rollout) => ({
            name: rollout.version,
            path: projectPath(project, 'rollouts', rollout.id),
            succeeded: rollout.tally.running,
            failed: rollout.tally.failed,
            listPath: (status) => listPath(rollout)?.(status === 'failed' ? 'failed' : 'running'),
          }))}
        />
        <h2>Success by board</h2>
        <p class="quiet">Devices that are up to date, and devices whose update failed.</p>
        <OutcomeTable
          head="Board"
          rows={outcomesBy(
            builds,
            ({ board }) => board,
            (board, status) => fleetPath(project, { filter: { board, status } }),
          )}
        />
        <h2>Success by core</h2>
        <p class="quiet">By the core of the release that the devices run.</p>
        <OutcomeTable
          head="Core"
          rows={outcomesBy(
            builds,
            ({ releaseId }) => (releaseId === undefined ? undefined : cores.get(releaseId)),
            (core, status) => fleetPath(project, { filter: { core, status } }),
          )}
        />
        <h2>Failures by cause</h2>
        <CountTable
          head="Cause"
          kind="blocked"
          rows={[
            { name: 'update failed', count: failed, path: fleetPath(project, { filter: { status: 'failed' } }) },
            ...blockers.map(({ blockers: causes, devices }) => ({
              name: `blocked: ${causes.join(', ')}`,
              count: devices,
            })),
          ].filter(({ count }) => count > 0)}
        />
        <h2>Last update checks</h2>
        <CountTable
          head="Last seen"
          kind="up-to-date"
          rows={[...ages.map(({ text }) => text), 'more than 30 days', 'never'].map((name, index) => ({
            name,
            count: seen[index] ?? 0,
          }))}
        />
      </div>
    </Page>,
  );
}

function sumOf(counts: readonly { readonly devices: number }[]): number {
  return counts.reduce((sum, { devices }) => sum + devices, 0);
}

function currentSample(at: number, tally: readonly DeviceCount[]) {
  const counts = new Map<string | undefined, number>();
  for (const { runs, devices } of tally) counts.set(runs, (counts.get(runs) ?? 0) + devices);
  return [...counts].map(([version, devices]) => ({ at, version, devices }));
}

interface Outcome {
  readonly name: string;
  readonly path?: string | undefined;
  readonly succeeded: number;
  readonly failed: number;
  /** Returns the path of the list of the devices with a status; undefined if they cannot be listed. */
  readonly listPath: (status: 'up-to-date' | 'failed') => string | undefined;
}

/** Counts devices by a property of their builds. */
function outcomesBy(
  builds: readonly BuildCount[],
  keyOf: (build: BuildCount) => string | undefined,
  pathOf: (key: string, status: 'up-to-date' | 'failed') => string,
): readonly Outcome[] {
  const outcomes = new Map<string | undefined, { succeeded: number; failed: number }>();
  for (const build of builds) {
    const key = keyOf(build);
    const outcome = outcomes.get(key) ?? { succeeded: 0, failed: 0 };
    if (build.status === 'up-to-date') outcome.succeeded += build.devices;
    if (build.status === 'failed') outcome.failed += build.devices;
    outcomes.set(key, outcome);
  }
  const rows = [...outcomes].map(([key, outcome]) => ({
    name: key ?? 'unknown',
    ...outcome,
    listPath: (status: 'up-to-date' | 'failed') => (key === undefined ? undefined : pathOf(key, status)),
  }));
  return rows.sort((a, b) => b.succeeded + b.failed - a.succeeded - a.failed);
}

/** Draws a bar for each row, and shows its numbers. */
function OutcomeTable({ head, rows }: { head: string; rows: readonly Outcome[] }) {
  const finished = rows.filter(({ succeeded, failed }) => succeeded + failed > 0);
  if (finished.length === 0) return <p class="quiet">No data yet.</p>;
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{head}</th>
          <th scope="col">Success rate</th>
          <th scope="col">Succeeded</th>
          <th scope="col">Failed</th>
        </tr>
      </thead>
      <tbody>
        {finished.map(({ name, path, succeeded, failed, listPath }) => (
          <tr>
            <th scope="row">
              {path === undefined ? (
                <Version version={name} />
              ) : (
                <a href={path}>
                  <Version version={name} />
                </a>
              )}
            </th>
            <td data-label="Success rate">
              {percentText(succeeded / (succeeded + failed))}
              <ShareBar
                label={`${name}: ${countText(succeeded)} succeeded, ${countText(failed)} failed`}
                parts={[
                  { kind: 'up-to-date', count: succeeded },
                  { kind: 'failed', count: failed },
                ]}
              />
            </td>
            <td class="number" data-label="Succeeded">
              <CountLink of={`${name}, succeeded`} text={countText(succeeded)} path={listPath('up-to-date')} />
            </td>
            <td class="number" data-label="Failed">
              <CountLink of={`${name}, failed`} text={countText(failed)} path={listPath('failed')} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CountTableProps {
  readonly head: string;
  readonly kind: string;
  readonly rows: readonly { readonly name: string; readonly count: number; readonly path?: string }[];
}

/** Draws a histogram: a bar for each row, in proportion to the largest. */
function CountTable({ head, kind, rows }: CountTableProps) {
  const most = Math.max(...rows.map(({ count }) => count), 0);
  if (most === 0) return <p class="quiet">No devices.</p>;
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{head}</th>
          <th scope="col">Devices</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, count, path }) => (
          <tr>
            <th scope="row">{path === undefined ? <Sentence text={name} /> : <a href={path}>{name}</a>}</th>
            <td data-label="Devices">
              {countText(count)}
              <ShareBar label={`${name}: ${counted(count, 'device')}`} parts={[{ kind, count }]} total={most} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
