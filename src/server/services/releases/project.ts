import { defaultConfirmWithinMs, defaultMostSends } from '../../../api/release-admin.ts';
import type { ProjectKey, ProjectRecord } from '../../storage/records.ts';

/** A project as it begins: any device may ask. */
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
