import { counted } from '../../../core/model/quantity-text.ts';
import type { Catalog } from '../../services/releases/catalog.ts';
import type { TokenRecord } from '../../storage/records.ts';
import { Sentence, Version } from './identifiers.tsx';
import { projectPath } from './paths.ts';

/** Rollout that waits for a person. */
export interface RolloutAlert {
  readonly project: string;
  readonly id: number;
  readonly version: string;
  readonly channel: string;
  readonly problem: 'halted' | 'stalled';
  readonly reason: string | undefined;
}

/** Returns the halted and stalled rollouts of the projects that a token may read. */
export function alertsFor({ catalog }: { readonly catalog: Catalog }, token: TokenRecord): readonly RolloutAlert[] {
  const views = catalog.views().filter(({ project }) => token.project === undefined || token.project === project.name);
  return views.flatMap(({ rollouts }) =>
    rollouts.flatMap(({ project, id, version, channel, state, reason, stalled }): RolloutAlert[] => {
      const common = { project, id, version, channel };
      if (state === 'halted') return [{ ...common, problem: 'halted', reason }];
      return stalled === undefined ? [] : [{ ...common, problem: 'stalled', reason: stalled.cause }];
    }),
  );
}

/** Summarizes alerts: `1 rollout halted`, `2 rollouts halted, 1 stalled`. */
export function alertsText(alerts: readonly RolloutAlert[]): string {
  const halted = alerts.filter(({ problem }) => problem === 'halted').length;
  const stalled = alerts.length - halted;
  if (halted === 0) return `${counted(stalled, 'rollout')} stalled`;
  return stalled === 0
    ? `${counted(halted, 'rollout')} halted`
    : `${counted(halted, 'rollout')} halted, ${stalled} stalled`;
}

/** Shows each halted or stalled rollout, with a link to its page. */
export function AlertBanner({ alerts }: { alerts: readonly RolloutAlert[] }) {
  return (
    <div id="alerts" data-live>
      {alerts.map(({ project, id, version, channel, problem, reason }) => (
        <p class="problem" role="status">
          <a href={projectPath(project, 'rollouts', id)}>
            Rollout of {project} <Version version={version} /> on {channel}
          </a>{' '}
          <strong>{problem}</strong>
          {reason === undefined ? undefined : <Sentence text={`: ${reason}`} />}
        </p>
      ))}
    </div>
  );
}
