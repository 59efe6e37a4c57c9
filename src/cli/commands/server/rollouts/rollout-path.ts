import { Option } from '@commander-js/extra-typings';
import { defaultChannel } from '../../../../api/release.ts';
import type { RolloutInfo } from '../../../../api/rollout-info.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { positiveInteger } from '../../../shared/option-values.ts';
import { type ServerClient, segment } from '../connection.ts';

/** Options that select a rollout in a project. */
export const rolloutOptions = {
  id: new Option('--id <n>', 'ID of the rollout (default: newest on the channel)').argParser(positiveInteger),
  channel: new Option('--channel <name>', 'Channel of the rollout').default(defaultChannel),
} as const;

interface RolloutSelection {
  readonly id?: number;
  readonly channel: string;
}

/**
 * Returns the API path for the selected rollout: the rollout with the given ID, or else the newest one on the channel.
 *
 * @throws OtaError ROLLOUT_NOT_FOUND if the channel has no rollout
 */
export async function rolloutPath(
  { request }: ServerClient,
  project: string,
  { id, channel }: RolloutSelection,
): Promise<string> {
  const all = `/projects/${segment(project)}/rollouts`;
  if (id !== undefined) return `${all}/${id}`;
  const { rollouts } = await request<{ rollouts: RolloutInfo[] }>('GET', all);
  const newest = rollouts.find((rollout) => rollout.channel === channel);
  if (newest !== undefined) return `${all}/${newest.id}`;
  throw new OtaError('ROLLOUT_NOT_FOUND', { project, channel });
}
