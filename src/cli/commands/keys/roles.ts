import { Option } from '@commander-js/extra-typings';
import { counted } from '../../../core/model/quantity-text.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { KeyEntry } from '../../../project/config/types.ts';
import { withActivated, withRetired } from '../../../project/keys/key-roles.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { recordedKey } from '../../shared/key-list.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { serverOptions } from '../../shared/server-options.ts';
import { type KeyHolderOptions, type KnownDevices, knownDevices, requireHops, requireUnused } from './holders.ts';
import { editableConfig, keysOf } from './list.ts';

export function declareActivate(declaration: Declaration): void {
  command(declaration, 'activate <name>', 'Sign the next builds with a backup key', [
    'ota-hooks keys activate vault',
    'ota-hooks keys activate vault --project door --server https://ota.example.com',
  ])
    .option(
      '--without-hop',
      'Activate the key although devices of an earlier key have no hop to the present signing key',
    )
    .addOption(deviceOptions.server())
    .addOption(deviceOptions.project())
    .addOption(serverOptions.tokenEnv)
    .addOption(serverOptions.ca)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .action((name, options) => activate(name, options, declaration.io));
}

export function declareRetire(declaration: Declaration): void {
  command(declaration, 'retire <name>', 'Leave a backup key out of the next builds', [
    'ota-hooks keys retire vault',
    'ota-hooks keys retire vault --project door --server https://ota.example.com',
  ])
    .option('--in-use', 'Retire the key although devices hold no other key, such as when it was stolen')
    .addOption(deviceOptions.server())
    .addOption(deviceOptions.project())
    .addOption(serverOptions.tokenEnv)
    .addOption(serverOptions.ca)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .action((name, options) => retire(name, options, declaration.io));
}

const deviceOptions = {
  server: () => new Option('--server <url>', 'Server that knows the devices (default: OTA_SERVER)'),
  project: () => new Option('--project <name>', 'Project on the server (default: from the configuration)'),
};

interface RoleOptions extends KeyHolderOptions {
  readonly withoutHop?: true | undefined;
  readonly inUse?: true | undefined;
  readonly source?: string | undefined;
  readonly config?: string | undefined;
}

interface Changed {
  readonly before: readonly KeyEntry[];
  readonly settings: ProjectSettings;
  readonly report: Report;
}

/** Changes the roles in the configuration. Nothing is written unless all public keys can be read. */
async function changeRoles(
  options: RoleOptions,
  io: Io,
  change: (keys: readonly KeyEntry[]) => readonly KeyEntry[],
  check: (keys: readonly KeyEntry[], devices: KnownDevices, report: Report) => void,
): Promise<Changed> {
  const report = makeReport(io, options);
  const settings = await readProjectSettings({ source: options.source, config: options.config }, io, report);
  const config = await editableConfig(settings);
  const before = await keysOf(settings, io);
  const after = change(before);
  for (const entry of after) if (entry.role !== 'retired') await recordedKey(entry, settings, io);
  check(before, await knownDevices(options, settings, io, report), report);
  await config.write(after);
  return { before, settings, report };
}

async function activate(name: string, options: RoleOptions, io: Io): Promise<void> {
  const { before, settings, report } = await changeRoles(
    options,
    io,
    (keys) => withActivated(keys, name),
    (keys, devices) => {
      if (options.withoutHop !== true) requireHops(keys, name, devices);
    },
  );
  const previous = before.find(({ role }) => role === 'signing')?.name ?? '';
  report.say(`${name} is now the signing key, and ${previous} is a backup key`);
  report.say('Next:');
  report.say(`1. Let builds sign with the private key of ${name}: save it as private.key, or pass --private-key.`);
  report.say('2. Add both public keys to the project on the server: ota-hooks server projects set');
  report.say(
    settings.config.guard === undefined
      ? `3. Release a hop, which devices with ${previous} install: build, then ota-hooks pack IMAGE --hop ${previous} --private-key FILE`
      : `3. Devices whose guard holds ${name} install the next release. For all others, release a hop: build, then ota-hooks pack IMAGE --hop ${previous} --private-key FILE`,
  );
  report.say(`4. Release as usual. ota-hooks keys status shows when ${previous} may be retired.`);
  report.result('keys activate', { name, role: 'signing', previous });
}

async function retire(name: string, options: RoleOptions, io: Io): Promise<void> {
  const { settings, report } = await changeRoles(
    options,
    io,
    (keys) => withRetired(keys, name),
    (keys, devices, { warn }) => {
      if (options.inUse !== true) requireUnused(keys, name, devices);
      if (devices.unknown > 0) {
        warn(
          `The server does not recognize the builds of ${counted(devices.unknown, 'device')}, which may hold only ${name}`,
        );
      }
    },
  );
  report.say(`${name} is retired`);
  report.say(
    settings.config.guard === undefined
      ? `Next: nothing changes on devices. Keep the hop from ${name} on the server for devices that still hold only ${name}.`
      : `Next: build and release as usual. Devices that install the release no longer accept ${name}. Keep the hop from ${name} on the server for devices that still hold only ${name}.`,
  );
  report.result('keys retire', { name, role: 'retired' });
}
