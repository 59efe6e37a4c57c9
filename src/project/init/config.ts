import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { type Installation, pathInPackage } from './installation.ts';
import type { Project } from './project.ts';
import type { SetupPlan } from './step.ts';
import { inBytes } from './text-file.ts';

const name = 'ota.config.json';

/** Plans the initial configuration. The project name distinguishes the project's firmware from firmware of other projects. */
export function planConfig(
  { folder }: Project,
  installation: Installation,
  { project, isEncrypted }: { readonly project: string; readonly isEncrypted: boolean },
): SetupPlan {
  const schema = pathInPackage(installation, folder, 'dist/schema/ota.config.schema.json');
  const config: Config = {
    // An absolute path would be valid only on this machine.
    ...(installation.kind === 'project' ? { $schema: schema.startsWith('.') ? schema : `./${schema}` } : {}),
    project,
    // A build cannot prompt for a passphrase.
    ...(isEncrypted ? { privateKey: 'private.key', passphrase: { env: passphraseVariable } } : {}),
  };
  const text = inBytes(`${JSON.stringify(config, null, 2)}\n`);
  const notes = isEncrypted
    ? [`private.key is encrypted; builds read its passphrase from the environment variable ${passphraseVariable}`]
    : [];
  const description = `create ${name} (project "${project}")`;
  return {
    steps: [{ kind: 'insert', path: join(folder, name), isNew: true, insertions: [{ at: 0, text }], description }],
    notes,
  };
}

const passphraseVariable = 'OTA_PASSPHRASE';
