import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { counted, countText, roundedDuration } from '../../../core/model/quantity-text.ts';
import { When } from './when.tsx';

type Sample = RolloutInfo['samples'][number];

const width = 640;
const height = 220;
const left = 48;
const bottom = 28;
const top = 14;
const mostRows = 50;

/** Shows how many devices were in each state over time, as a chart and as a table. */
export function ProgressChart({ samples: taken, tally, stages, openStages, finalAt, endedAt }: RolloutInfo) {
  const at = finalAt ?? endedAt ?? new Date().toISOString();
  const samples = isLater(at, taken.at(-1)?.at) ? [...taken, { ...tally, at, openStages }] : taken;
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return <p class="quiet">No data yet.</p>;
  const most = Math.max(1, tally.members);
  const start = Date.parse(first.at);
  const span = Math.max(1, Date.parse(last.at) - start);
  const x = ({ at }: Sample) => left + ((width - left - 8) * (Date.parse(at) - start)) / span;
  const y = (count: number) => height - bottom - ((height - bottom - top) * Math.min(count, most)) / most;
  const line = (value: (sample: Sample) => number) => linePath(samples.map((sample) => [x(sample), y(value(sample))]));
  const base = `V${y(0)}H${left}Z`;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby="chart-title chart-text">
        <title id="chart-title">Devices over time</title>
        <desc id="chart-text">{summaryOf(last, most, span)}</desc>
        {[0, most / 2, most].map((count) => (
          <>
            <line class="grid" x1={left} x2={width - 8} y1={y(count)} y2={y(count)} />
            <text class="axis" x={left - 6} y={y(count) + 4} text-anchor="end">
              {countText(Math.round(count))}
            </text>
          </>
        ))}
        {openings(samples).map((sample) => (
          <>
            <line class="opening" x1={x(sample)} x2={x(sample)} y1={top} y2={y(0)} />
            <text class="axis" {...besideLine(x(sample))} y={top + 8}>
              {`${sample.openStages} of ${stages.length}`}
            </text>
          </>
        ))}
        <path class="area updating" d={line(({ running, failed, updating }) => running + failed + updating) + base} />
        <path class="area failed" d={line(({ running, failed }) => running + failed) + base} />
        <path class="area up-to-date" d={line(({ running }) => running) + base} />
        <text class="axis" x={left} y={height - 6}>
          {start === Date.parse(last.at) ? 'now' : first.at.slice(11, 19)}
        </text>
        <text class="axis" x={width - 8} y={height - 6} text-anchor="end">
          {span === 1 ? '' : last.at.slice(11, 19)}
        </text>
      </svg>
      <figcaption class="tally">
        <span>
          <span class="dot up-to-date" aria-hidden="true" /> updated
        </span>
        <span>
          <span class="dot failed" aria-hidden="true" /> failed
        </span>
        <span>
          <span class="dot updating" aria-hidden="true" /> updating
        </span>
        <span class="quiet">Dashed lines show when a stage opened. Times are in UTC.</span>
      </figcaption>
      <details id="numbers">
        <summary>Data table</summary>
        <SampleTable samples={thinned(samples)} />
      </details>
    </figure>
  );
}

/** Places a label to the right of a line, or to its left near the right edge. */
function besideLine(x: number) {
  return x > width - 60 ? { x: x - 4, 'text-anchor': 'end' } : { x: x + 4 };
}

function isLater(at: string, before: string | undefined): boolean {
  return before === undefined || Date.parse(at) > Date.parse(before);
}

function summaryOf({ running, failed, updating, openStages }: Sample, most: number, span: number): string {
  return `After ${roundedDuration(span)}: ${countText(running)} of ${counted(most, 'device')} updated, ${countText(failed)} failed, ${countText(updating)} updating; ${counted(openStages, 'stage')} open.`;
}

function linePath(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** Returns the samples at which the number of open stages changed. */
function openings(samples: readonly Sample[]): Sample[] {
  return samples.filter(({ openStages }, index) => openStages !== (samples[index - 1]?.openStages ?? 0));
}

/** Returns about `mostRows` evenly spaced samples, including the first and the last. */
function thinned(samples: readonly Sample[]): Sample[] {
  const every = Math.max(1, Math.ceil(samples.length / mostRows));
  return samples.filter((_, index) => index % every === 0 || index === samples.length - 1);
}

function SampleTable({ samples }: { samples: readonly Sample[] }) {
  return (
    <table class="rows">
      <caption class="hidden">Devices over time</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Updated</th>
          <th scope="col">Failed</th>
          <th scope="col">Updating</th>
          <th scope="col">Open stages</th>
        </tr>
      </thead>
      <tbody>
        {samples.map(({ at, running, failed, updating, openStages }) => (
          <tr>
            <th scope="row">
              <When at={at} exact />
            </th>
            <td class="number" data-label="Updated">
              {countText(running)}
            </td>
            <td class="number" data-label="Failed">
              {countText(failed)}
            </td>
            <td class="number" data-label="Updating">
              {countText(updating)}
            </td>
            <td class="number" data-label="Open stages">
              {openStages}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
