import { defaultConfirmWithinMs, defaultMostSends } from '../../../api/release-admin.ts';
import type { ProjectKey, ProjectRecord } from '../../storage/records.ts';

/** Creates the record of a new project. Its access is open: any device may request updates. */
export function newProject(name: string, keys: readonly ProjectKey[]): ProjectRecord {
  return {
    name,
    createdAt: Date.now(),
    access: 'open',
    keys,
    aliases: [],
    confirmWithinMs: defaultConfirmWithinMs,
    mostSends: defaultMostSends,
  };
}
