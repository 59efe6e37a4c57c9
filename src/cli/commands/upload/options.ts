import { Option } from '@commander-js/extra-typings';
import { webPresets } from '../../../core/model/web-preset.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { allowOption } from '../../shared/allowed-rules.ts';
import { withDeviceOptions } from '../../shared/device-options.ts';
import { collect, formField, port, positiveInteger, seconds } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';

const updateCommand = (declaration: Declaration) =>
  command(declaration, 'upload [file]', 'Send a build to devices over the air', [
    'ota-hooks upload build/door.ino.bin --host 192.168.1.20 --password-env DOOR_PASSWORD',
    'ota-hooks upload --all --canary 1 --confirm proven',
  ])
    .option('--host <hosts>', 'Comma-separated device names, addresses or host names (also ADDRESS:PORT)', hosts, [])
    .option('--all', 'Update all devices in the configuration')
    .option('--group <name>', 'Update the devices in this configured group')
    .addOption(new Option('--method <method>', 'Update method (default: espota)').choices(['espota', 'web'] as const))
    .addOption(
      new Option(
        '--preset <name>',
        'Firmware whose web updater is used (default: the web updater of the core)',
      ).choices(webPresets),
    )
    .option('--path <path>', 'Path of the web updater (default: the path of the preset, or /update)')
    .option('--user <name>', 'User of the web updater (default: admin)')
    .option(
      '--field <name>',
      'Form field of the web updater for the sketch (default: the field of the preset)',
      formField,
    )
    .option('--port <port>', 'Port that devices listen on (default: 8266 for espota, 80 for web)', devicePort)
    .option('--password-env <name>', 'Environment variable with the device password')
    .option('-e, --environment <name>', 'Send the build of this environment (or of the build folder with this name)')
    .option('--filesystem', 'Send the filesystem image instead of the sketch image')
    .addOption(
      new Option(
        '--confirm <level>',
        'Wait until the device responds again (returned) or announces the new sketch (proven)',
      ).choices(['none', 'returned', 'proven'] as const),
    )
    .option('--confirm-timeout <s>', 'Time to wait for confirmation in seconds (default: 60)', seconds)
    .option(
      '--canary <n>',
      'Number of devices to update first; the others follow only if these updates succeed',
      positiveInteger,
    )
    .option('--resume', 'Skip devices that the previous run updated to this build')
    .option('--skip-blocked', 'Skip blocked devices and update the others')
    .addOption(allowOption)
    .option('--via <file>', 'Intermediate release that may be sent first (repeatable)', collect, []);

export const uploadCommand = (declaration: Declaration) =>
  withDeviceOptions(updateCommand(declaration))
    .option(
      '--public-key <file>',
      'Public key for checking the signature of a file without a manifest (repeatable)',
      collect,
      [],
    )
    .option('--host-ip <address>', 'Address of this machine that devices can reach')
    .option('--host-port <port>', 'TCP port of this machine that devices connect to (espota only)', devicePort)
    .option('--concurrency <n>', 'Maximum number of devices updated at the same time (default: 100)', positiveInteger)
    .option(
      '--timeout <s>',
      'Seconds to wait for each response of the device (default: 10 to 25, depending on the step)',
      seconds,
    )
    .option('--attempts <n>', 'Maximum number of upload attempts if the network fails (default: 3)', positiveInteger)
    .addOption(projectOptions.sourceOfBuild)
    .addOption(projectOptions.config);

export type UploadOptions = OptionsOf<typeof uploadCommand>;

function hosts(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(',').filter((host) => host !== '')];
}

/** Represents a missing port. Arduino passes `{network.port}` unexpanded if discovery found no port. */
export const unknownPort = 0;

function devicePort(value: string): number {
  return /^\{.*\}$/.test(value) ? unknownPort : port(value);
}
