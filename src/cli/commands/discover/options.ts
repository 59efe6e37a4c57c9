import { Option } from '@commander-js/extra-typings';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { collect, seconds } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';

export const discoverCommand = (declaration: Declaration) =>
  command(declaration, 'discover', 'Find devices on the network (mDNS)', [
    'ota-hooks discover --watch',
    'ota-hooks discover --add kitchen --group inside --password-env OTA_DEVICE_KITCHEN',
  ])
    .option(
      '--watch',
      'Keep listening, and show each device when it appears or changes; with --add, until the device has appeared',
    )
    .option('--timeout <s>', 'Listening time in seconds', seconds, 4)
    .option('--interface <address>', 'Address of this machine on the network to search (repeatable)', collect, [])
    .option('--add <name>', 'Add a device to the configuration under this name')
    .option('--host <host>', 'With --add: host name or address of the device, if different from the name')
    .addOption(new Option('--method <method>', 'With --add: update method').choices(['espota', 'web'] as const))
    .option('--board <board>', 'With --add: board name that the device announces, if it differs from the project board')
    .option('--group <name>', 'With --add: group to assign to the device')
    .option('--password-env <name>', 'With --add: environment variable with the device password')
    .addOption(projectOptions.source)
    .addOption(projectOptions.config);

export type DiscoverOptions = OptionsOf<typeof discoverCommand>;
