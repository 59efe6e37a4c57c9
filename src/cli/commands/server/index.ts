import { commandGroup, type Declaration } from '../../command.ts';
import { declareApprovals } from './approvals.ts';
import { declareAudit } from './audit.ts';
import { declareBackup } from './backup.ts';
import { declareCheck } from './check.ts';
import { declareCopy } from './copy.ts';
import { declareDevices } from './devices/index.ts';
import { declareProjects } from './projects.ts';
import { declareReleases } from './releases.ts';
import { declareRestore } from './restore.ts';
import { declareRollouts } from './rollouts/index.ts';
import { declareTokens } from './tokens.ts';
import { declareWebhooks } from './webhooks.ts';

export function declareServer(declaration: Declaration): void {
  commandGroup(
    declaration,
    'server',
    'Manage an update server',
    ['ota-hooks server projects list --server https://ota.example.com', 'ota-hooks server releases promote --help'],
    [
      declareTokens,
      declareProjects,
      declareReleases,
      declareDevices,
      declareRollouts,
      declareApprovals,
      declareWebhooks,
      declareAudit,
      declareBackup,
      declareCheck,
      declareRestore,
      declareCopy,
    ],
  );
}
