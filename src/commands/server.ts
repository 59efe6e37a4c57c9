import { declareAudit } from './server/audit.ts';
import { declareBackup } from './server/backup.ts';
import { declareDevices } from './server/devices.ts';
import { declareProjects } from './server/projects.ts';
import { declareReleases } from './server/releases.ts';
import { declareRollout } from './server/rollout.ts';
import { declareToken } from './server/token.ts';
import { type Declaration, verbGroup } from './verb.ts';

/** Declares the verb, which is a group of verbs. */
export function declare({ program, io }: Declaration) {
  const group = verbGroup(program, 'server', 'look at an update server and change what it does', [
    'ota-hooks server projects list --server https://ota.example.com',
    'ota-hooks server releases offer --help',
  ]);
  for (const declareVerb of [
    declareToken,
    declareProjects,
    declareReleases,
    declareDevices,
    declareRollout,
    declareAudit,
    declareBackup,
  ]) {
    declareVerb({ program: group, io });
  }
  return group;
}
