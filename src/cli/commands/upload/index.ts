import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { FleetState } from '../../../delivery/fleet-state.ts';
import { chooseTargets } from '../../../delivery/inventory.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { projectSettings } from '../../../project/config/settings.ts';
import { collect, command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { allowedRule } from '../../shared/allowed-rules.ts';
import { deviceOptions, factsOfOptions } from '../../shared/device-options.ts';
import { sourceFolder } from '../../shared/source-folder.ts';
import { namesOf } from './device-names.ts';
import type { UploadOptions } from './options.ts';
import { prepareUpdates } from './plan.ts';
import { openReleaseToSend } from './release.ts';
import { runUpdates } from './run.ts';
import { type DeviceEnd, hintOf, lastWords, summaryOf, uploadReport } from './view.ts';

/** Declares the command. */
export function declareUpload(declaration: Declaration) {
  return command(declaration, 'upload [file]', 'Send a build to devices over the air', [
    'ota-hooks upload build/door.ino.bin --host 192.168.1.20 --password-env DOOR_PASSWORD',
    'ota-hooks upload --all --canary 1 --confirm proven',
  ])
    .option('--host <hosts>', 'Comma-separated device names, addresses or host names (also ADDRESS:PORT)', hosts, [])
    .option('--all', 'Update all devices in the configuration')
    .option('--group <name>', 'Update the devices in this group of the configuration')
    .addOption(new Option('--method <way>', 'Update method (default: espota)').choices(['espota', 'web'] as const))
    .option('--port <port>', 'Port that devices listen on (default: 8266 for espota, 80 for web)', port)
    .option('--password-env <name>', 'Environment variable with the password of the devices')
    .option('--filesystem', 'Send the filesystem image instead of the sketch image')
    .addOption(
      new Option(
        '--confirm <level>',
        'Wait until the device responds again (returned) or shows the new sketch (proven)',
      ).choices(['none', 'returned', 'proven'] as const),
    )
    .option('--confirm-timeout <s>', 'Time to wait for confirmation in seconds (default: 60)', count)
    .option('--canary <n>', 'Number of devices to update first; the others follow only if these updates succeed', count)
    .option('--resume', 'Skip devices that the last run of this build updated')
    .option('--skip-blocked', 'Update the other devices if some are blocked')
    .option('--allow <rule>', 'Preflight rule that must not block the update (repeatable)', allowedRule, [])
    .option('--via <file>', 'Intermediate release that may be sent first (repeatable)', collect, [])
    .addOption(deviceOptions.core)
    .addOption(deviceOptions.signing)
    .addOption(deviceOptions.keyFingerprint)
    .addOption(deviceOptions.format)
    .addOption(deviceOptions.flashMode)
    .addOption(deviceOptions.chipSize)
    .addOption(deviceOptions.layout)
    .addOption(deviceOptions.fsStart)
    .addOption(deviceOptions.fsEnd)
    .addOption(deviceOptions.sketchSize)
    .addOption(deviceOptions.atomicFs)
    .addOption(deviceOptions.noAtomicFs)
    .addOption(deviceOptions.project)
    .addOption(deviceOptions.board)
    .option(
      '--public-key <file>',
      'Public key that may have signed a file without a manifest (repeatable)',
      collect,
      [],
    )
    .option('--host-ip <address>', 'Address of this machine that devices can reach')
    .option('--host-port <port>', 'TCP port of this machine that devices connect to (espota only)', port)
    .option('--concurrency <n>', 'Maximum number of devices updated at once (default: 100)', count)
    .option('--attempts <n>', 'Maximum number of upload attempts if the network fails (default: 3)', count)
    .option('--source <dir>', 'Folder of the sketch or platformio.ini (default: from the build, or current folder)')
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)')
    .action((file, options) => upload(file, options, declaration.io));
}

/** Sends one build to one or more devices: to each the artifact that the planner chose, and nothing to a blocked device. */
export async function upload(file: string | undefined, options: UploadOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const source = await sourceFolder(options.source, file, io.cwd);
  const settings = await projectSettings({ source, config: options.config }, io.cwd);
  const connection = { ...options, port: options.port === unknownPort ? undefined : options.port };
  const chosen = chooseTargets(
    settings.config,
    { hosts: options.host, all: options.all, group: options.group },
    connection,
  );
  const facts = factsOfOptions({ ...options, transport: undefined, kind: undefined });
  const open = (path: string | undefined, filesystem: boolean) =>
    openReleaseToSend({ file: path, filesystem, source, keys: { ...options, source } }, settings, io);
  const release = await open(file, options.filesystem === true);
  const intermediateReleases = await Promise.all(options.via.map((path) => open(path, false)));
  const state = await FleetState.open(settings.folder, release.imageSha256, options.resume === true);
  const targets = chosen.filter(({ name }) => !state.isUpdated(name));
  const earlier = chosen
    .filter((target) => !targets.includes(target))
    .map((target): DeviceEnd => ({ target, outcome: 'earlier' }));

  const updates = await prepareUpdates({
    targets,
    release,
    intermediateReleases,
    facts,
    settings,
    options,
    io,
    report,
  });
  try {
    const ends = [...earlier, ...(await runUpdates({ updates, settings, options, state, io, report }))];
    report.result('upload', uploadReport(release, ends), summaryOf(ends));
    complain(ends, release.path);
  } finally {
    updates.discovery?.close();
  }
}

/**
 * Fails if not every device was updated.
 *
 * @throws OtaError UPLOAD_FAILED, PREFLIGHT_REFUSED
 */
function complain(ends: readonly DeviceEnd[], path: string): void {
  const missing = ends.filter(({ outcome }) => outcome === 'failed' || outcome === 'held');
  const blocked = ends.flatMap((end) => (end.outcome === 'blocked' ? [end] : []));
  if (blocked.length > 0 && !missing.some(({ outcome }) => outcome === 'failed')) {
    const isOne = ends.length === 1;
    throw new OtaError('PREFLIGHT_REFUSED', {
      path,
      blockedBy: blocked.flatMap(({ target, blockedBy: rules }) =>
        rules.map((finding) => (isOne ? finding : { ...finding, message: `${target.name}: ${finding.message}` })),
      ),
    });
  }
  if (missing.length === 0) return;
  const [first] = missing;
  const ownHint = ends.length === 1 && first?.outcome === 'failed' ? hintOf(first.result) : undefined;
  throw new OtaError('UPLOAD_FAILED', {
    failed: missing.length,
    total: ends.length,
    devices:
      missing.length <= mostDescribed
        ? missing.map(describeEnd).join(', ')
        : namesOf(missing.map(({ target }) => target)),
    hint: ownHint,
  });
}

/** Up to this number of devices, the error describes each failure; for more it lists only names. */
const mostDescribed = 3;

function describeEnd(end: DeviceEnd): string {
  return end.outcome === 'failed' ? `${end.target.name} (${lastWords(end.result)})` : end.target.name;
}

function hosts(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(',').filter((host) => host !== '')];
}

/** Stands for a missing port: Arduino passes `{network.port}` unexpanded if discovery found no port. */
const unknownPort = 0;

function port(value: string): number {
  if (/^\{.*\}$/.test(value)) return unknownPort;
  const number = count(value);
  if (number > 65_535) throw new InvalidArgumentError('a port is a number from 1 to 65535');
  return number;
}

function count(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('a whole number from 1 on is wanted');
  return Number(value);
}
