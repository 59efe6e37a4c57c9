import { Option } from '@commander-js/extra-typings';
import { rolloutsResponse } from '../../../../api/client/responses.ts';
import { defaultChannel } from '../../../../api/release.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { positiveInteger } from '../../../shared/option-values.ts';
import { queryText, type ServerClient, segment } from '../connection.ts';

/** Options that select a project and a rollout. */
export const rolloutOptions = {
  id: new Option('--id <n>', 'ID of the rollout (default: newest on the channel)').argParser(positiveInteger),
  channel: new Option('--channel <name>', 'Channel of the rollout').default(defaultChannel),
} as const;

interface RolloutSelection {
  readonly id?: number;
  readonly channel: string;
}

/**
 * Returns the API path for the selected rollout. Without an ID, the newest rollout on the channel is selected.
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
  const { rollouts } = await request('GET', `${all}${queryText({ channel, limit: 1 })}`, rolloutsResponse);
  const [newest] = rollouts;
  if (newest !== undefined) return `${all}/${newest.id}`;
  throw new OtaError('ROLLOUT_NOT_FOUND', { project, channel });
}
