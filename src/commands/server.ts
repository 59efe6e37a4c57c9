import { declareAudit } from './server/audit.ts';
import { declareBackup } from './server/backup.ts';
import { declareDevices } from './server/devices.ts';
import { declareProjects } from './server/projects.ts';
import { declareReleases } from './server/releases.ts';
import { declareToken } from './server/token.ts';
import type { Declaration } from './verb.ts';

/** Declares the verb, which is a group of verbs. */
export function declare({ program, io }: Declaration) {
  const group = program.command('server').description('look at an update server and change what it does');
  for (const declareVerb of [
    declareToken,
    declareProjects,
    declareReleases,
    declareDevices,
    declareAudit,
    declareBackup,
  ]) {
    // Subcommands are declared on a group as verbs are on the program.
    declareVerb({ program: group as Declaration['program'], io });
  }
  return group;
}
