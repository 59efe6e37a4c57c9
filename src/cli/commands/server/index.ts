import { commandGroup, type Declaration } from '../../command.ts';
import { declareAudit } from './audit.ts';
import { declareBackup } from './backup.ts';
import { declareDevices } from './devices.ts';
import { declareProjects } from './projects.ts';
import { declareReleases } from './releases.ts';
import { declareRollout } from './rollouts.ts';
import { declareToken } from './tokens.ts';

/** Declares the command, which is a group of commands. */
export function declareServer({ program, io }: Declaration) {
  const group = commandGroup(program, 'server', 'Manage an update server', [
    'ota-hooks server projects list --server https://ota.example.com',
    'ota-hooks server releases promote --help',
  ]);
  for (const declareCommand of [
    declareToken,
    declareProjects,
    declareReleases,
    declareDevices,
    declareRollout,
    declareAudit,
    declareBackup,
  ]) {
    declareCommand({ program: group, io });
  }
  return group;
}
