import * as v from 'valibot';
import { type Manifest, manifestSchema } from '../../core/model/manifest.ts';
import { type StateFile, type StoredState, stateFile } from '../../delivery/state-file.ts';

const releasedSchema = v.strictObject({ version: v.literal(1), releases: v.array(manifestSchema) });

type Released = v.InferOutput<typeof releasedSchema>;

/** Last released sketch of each project and board, newest first, stored in `.ota/released.json` for the comparison by `pack`. */
function releasedFile(folder: string): StateFile<Released> {
  return stateFile(folder, 'released.json', releasedSchema);
}

/** Returns the last releases, newest first. @throws OtaError FILE_UNREADABLE */
export function readReleased(folder: string): Promise<StoredState<Released>> {
  return releasedFile(folder).read();
}

/**
 * Stores a sketch as the last release of its project and board. Commands that run at the same time wait for each other.
 *
 * @param mayLower false to keep a release with a higher security version, because the new one was sent to single devices only
 * @throws OtaError FILE_UNREADABLE, FILE_UNWRITABLE, FILE_LOCKED
 */
export async function storeReleased(folder: string, released: Manifest, mayLower: boolean): Promise<void> {
  await releasedFile(folder).update((stored) => {
    const before = stored.state === 'known' ? stored.value.releases : [];
    const isSame = ({ project, board }: Manifest) => project === released.project && board === released.board;
    const last = before.find(isSame);
    if (!mayLower && last !== undefined && securityVersion(last) > securityVersion(released)) {
      return { version: 1, releases: before };
    }
    const others = before.filter((release) => !isSame(release));
    return { version: 1, releases: [released, ...others] };
  });
}

function securityVersion({ metadata }: Manifest): number {
  return metadata?.securityVersion ?? 0;
}
