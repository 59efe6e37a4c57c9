import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { privateKeyRule } from '../../../api/release.ts';
import type { ReleaseComplaint } from '../../../api/release-info.ts';
import { projectSettings } from '../../../project/config/settings.ts';
import { type Destination, isReadOnTheWay, settleDestination } from '../../../publishing/destination.ts';
import type { AllowedRule, Publication, PublishWay, ShowSending } from '../../../publishing/publication.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type OutputOptions, type Report } from '../../output/report.ts';
import { allowedRule } from '../../shared/allowed-rules.ts';
import { sourceFolder } from '../../shared/source-folder.ts';
import { choosePublications } from './choice.ts';
import type { PublishOptions } from './options.ts';
import { describePublished, type PublishedBuild, sentenceOf } from './view.ts';

/** Declares the command. */
export function declare(declaration: Declaration) {
  return command(declaration, 'publish [file]', 'offer a build to devices: on an update server, or in a folder', [
    'ota-hooks publish build/door.ino.bin --to https://ota.example.com --project door',
    'ota-hooks publish --reference door-1.0.bin --firmware-version 1.0 --to https://ota.example.com --project door',
  ])
    .option('--to <place>', 'address of an update server, or a folder (default: the configuration, then OTA_SERVER)')
    .option('--project <name>', 'name of the project (default: what the manifest says)')
    .option('--channel <name>', 'the channel that offers it (default: stable)')
    .option('--draft', 'on no channel: let it wait on the server for a rollout, or for `server releases promote`')
    .option('--firmware-version <version>', 'version of the firmware (default: what the manifest says)')
    .option('--token-env <name>', 'environment variable with the token of the server', 'OTA_TOKEN')
    .option('--ca <file>', 'certificate (PEM) of the authority of the server, where it has its own (default: OTA_CA)')
    .option('--reference <file>', 'a build of the past, to recognize the devices that still run it; it is never sent')
    .option('--elf <file>', 'with --reference: its linked program, which shows whether those devices verify')
    .option('--board <name>', 'with --reference: its board')
    .option('--allow <rule>', 'publish although this rule refuses; may be repeated', allowed, [])
    .option('--source <dir>', 'folder of the sketch or platformio.ini (default: that of the build, or here)')
    .option('--config <file>', 'the configuration (default: ota.config.json in the source folder or above)')
    .option('--after-build', 'for hooks: only where "publish.afterBuild" wants it, in a process without the key')
    .option('--passphrase-env <name>', 'with --after-build: a variable that only signing may see')
    .action((file, options) => publish(file, options, declaration.io));
}

/** Publishes one build, all of a folder, or a build of the past. */
export async function publish(file: string | undefined, options: PublishOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = file === undefined ? undefined : resolve(io.cwd, file);
  const source = await sourceFolder(options.source, path && inside(path), io.cwd);
  const settings = await projectSettings({ source, config: options.config }, io.cwd);
  if (options.afterBuild === true) {
    const { publishAfterBuild } = await import('./after-build.ts');
    return publishAfterBuild(path, source, options, settings, io);
  }
  const destination = settleDestination({
    to: options.to,
    configured: settings.config.publish?.to,
    folder: settings.folder,
    cwd: io.cwd,
    env: io.env,
    tokenVariable: options.tokenEnv,
    ca: options.ca,
  });
  const publications = await choosePublications(path, source, options, settings, io, report);
  const done = await publishAll(publications, destination, options, io, report);
  report.result('publish', { to: placeOf(destination), published: done.map(describePublished) });
}

function allowed(value: string, previous: AllowedRule[] = []): AllowedRule[] {
  return value === privateKeyRule ? [...previous, value] : [...previous, ...allowedRule(value)];
}

/** A name in a folder that is given; a file is its own. */
function inside(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'any') : path;
}

/** Everything is looked at before anything leaves. */
async function publishAll(
  publications: readonly Publication[],
  destination: Destination,
  options: OutputOptions,
  io: Io,
  report: Report,
): Promise<readonly PublishedBuild[]> {
  const { judgePublication } = await import('../../../publishing/judge-publication.ts');
  const judged: [Publication, readonly ReleaseComplaint[]][] = [];
  for (const publication of publications) judged.push([publication, await judgePublication(publication)]);

  const way = await openWay(destination, options, io, report);
  const done: PublishedBuild[] = [];
  for (const [publication, complaints] of judged) {
    const published = await way.publish(publication);
    const build = { publication, published, warnings: withoutDoubles([...complaints, ...published.warnings]) };
    for (const { rule, message, instead } of build.warnings) {
      report.warn(`${report.path(publication.path)}: ${message}; ${instead} (${rule})`);
    }
    report.say(sentenceOf(build, placeOf(destination)));
    done.push(build);
  }
  return done;
}

async function openWay(destination: Destination, options: OutputOptions, io: Io, report: Report): Promise<PublishWay> {
  if (destination.kind === 'server' && isReadOnTheWay(destination.url)) {
    report.warn(`${destination.url.origin} is not encrypted: whoever listens on the way reads the token`);
  }
  const ways = await import('../../../publishing/ways.ts');
  const showSending: ShowSending = ({ file, sizeBytes }, send) => {
    report.detail(`  sending ${file}, ${sizeBytes} bytes`);
    return during({ what: `sending ${file}` }, io, options, (tell) => send((bytes) => tell(bytes / sizeBytes)));
  };
  return ways.openWay(destination, { signal: io.signal, showSending });
}

function withoutDoubles(complaints: readonly ReleaseComplaint[]): readonly ReleaseComplaint[] {
  return [...new Map(complaints.map((complaint) => [complaint.rule + complaint.message, complaint])).values()];
}

function placeOf(destination: Destination): string {
  return destination.kind === 'server' ? destination.url.href : destination.path;
}
