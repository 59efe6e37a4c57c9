import { counted, countText, roundedDuration } from '../../../core/model/quantity-text.ts';
import type { VersionSample } from '../../storage/store.ts';
import { Version } from './identifiers.tsx';
import { When } from './when.tsx';

const width = 640;
const height = 220;
const left = 56;
const bottom = 28;
const top = 14;
/** Number of versions with their own color; the others share one. */
const mostVersions = 6;
/** Number of points in time that are drawn, and listed. */
const mostPoints = 120;
const mostRows = 30;
const others = 'other';

interface Point {
  readonly at: number;
  /** Devices by series. */
  readonly devices: readonly number[];
}

/** Shows how many devices ran each version over time, as a stacked area and as a table. */
export function VersionsChart({ samples }: { samples: readonly VersionSample[] }) {
  const names = seriesOf(samples);
  const points = thinned(pointsOf(samples, names), mostPoints);
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || names.length === 0) return <p class="quiet">No devices yet.</p>;
  const most = Math.max(1, ...points.map(({ devices }) => sumOf(devices)));
  const span = last.at - first.at;
  const x = (at: number) => (span === 0 ? left : left + ((width - left - 8) * (at - first.at)) / span);
  const y = (count: number) => height - bottom - ((height - bottom - top) * count) / most;
  // A single sample is drawn as a rectangle.
  const drawn = span === 0 ? [first, first] : points;
  const xOf = (index: number) => (span === 0 ? (index === 0 ? left : width - 8) : x(drawn[index]?.at ?? 0));
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby="versions-title versions-text">
        <title id="versions-title">Devices by version over time</title>
        <desc id="versions-text">{summaryOf(names, last, span)}</desc>
        {[0, most / 2, most].map((count) => (
          <>
            <line class="grid" x1={left} x2={width - 8} y1={y(count)} y2={y(count)} />
            <text class="axis" x={left - 6} y={y(count) + 4} text-anchor="end">
              {countText(Math.round(count))}
            </text>
          </>
        ))}
        {names.map((_, series) => (
          <path class={`series-${series}`} d={areaOf(drawn, series, xOf, y)} />
        ))}
        <text class="axis" x={left} y={height - 6}>
          {dayOf(first.at)}
        </text>
        <text class="axis" x={width - 8} y={height - 6} text-anchor="end">
          {span === 0 ? '' : dayOf(last.at)}
        </text>
      </svg>
      <figcaption class="tally">
        {names.map((name, series) => (
          <span>
            <span class={`dot series-${series}`} aria-hidden="true" /> <Version version={name} />{' '}
            {countText(last.devices[series] ?? 0)}
          </span>
        ))}
        <span class="quiet">The server stores these numbers every hour, for 90 days. Days are in UTC.</span>
      </figcaption>
      <details id="version-numbers">
        <summary>Data table</summary>
        <table class="rows">
          <caption class="hidden">Devices by version over time</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {names.map((name) => (
                <th scope="col">
                  <Version version={name} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {thinned(points, mostRows).map(({ at, devices }) => (
              <tr>
                <th scope="row">
                  <When at={at} exact toMinute />
                </th>
                {names.map((name, series) => (
                  <td class="number" data-label={name}>
                    {countText(devices[series] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** Returns the versions with the most devices in any sample, and `other` for all others. */
function seriesOf(samples: readonly VersionSample[]): readonly string[] {
  const most = new Map<string, number>();
  for (const { version, devices } of samples) {
    if (version !== undefined) most.set(version, Math.max(most.get(version) ?? 0, devices));
  }
  const named = [...most].sort(([, a], [, b]) => b - a).map(([version]) => version);
  const isMore = named.length > mostVersions || samples.some(({ version }) => version === undefined);
  return [...named.slice(0, mostVersions), ...(isMore ? [others] : [])];
}

function pointsOf(samples: readonly VersionSample[], names: readonly string[]): readonly Point[] {
  const points = new Map<number, number[]>();
  for (const { at, version, devices } of samples) {
    const counts = points.get(at) ?? names.map(() => 0);
    const found = version === undefined ? -1 : names.indexOf(version);
    const series = found === -1 ? names.length - 1 : found;
    counts[series] = (counts[series] ?? 0) + devices;
    points.set(at, counts);
  }
  return [...points].map(([at, devices]) => ({ at, devices })).sort((a, b) => a.at - b.at);
}

/** Returns about `most` evenly spaced points, including the last. */
function thinned(points: readonly Point[], most: number): readonly Point[] {
  const every = Math.max(1, Math.ceil(points.length / most));
  return points.filter((_, index) => (points.length - 1 - index) % every === 0);
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function areaOf(
  points: readonly Point[],
  series: number,
  x: (index: number) => number,
  y: (count: number) => number,
): string {
  const line = (upTo: number) =>
    points.map(({ devices }, index) => `${x(index).toFixed(1)} ${y(sumOf(devices.slice(0, upTo))).toFixed(1)}`);
  return `M${[...line(series + 1), ...line(series).reverse()].join('L')}Z`;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function summaryOf(names: readonly string[], { devices }: Point, span: number): string {
  const now = names.map((name, series) => `${countText(devices[series] ?? 0)} run ${name}`).join(', ');
  return `Of ${counted(sumOf(devices), 'device')}, ${now}. The chart covers ${roundedDuration(span)}.`;
}
