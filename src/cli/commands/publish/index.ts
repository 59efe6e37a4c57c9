import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { releaseNotesText } from '../../../api/release.ts';
import type { ReleaseFinding } from '../../../api/release-info.ts';
import type { SignatureReceipt } from '../../../api/signatures.ts';
import { counted, sizeText } from '../../../core/model/quantity-text.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { readServerToken } from '../../../project/config/server-tokens.ts';
import { useOf } from '../../../publishing/artifact-use.ts';
import { type Destination, isUnencrypted, resolveDestination } from '../../../publishing/destination.ts';
import type { Publication, Publisher, ShowUpload } from '../../../publishing/publication.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type OutputOptions, type Report } from '../../output/report.ts';
import { rememberRelease } from '../../shared/previous-release.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { sourceFolder } from '../../shared/source-folder.ts';
import { choosePublications } from './choice.ts';
import { type PublishOptions, publishCommand } from './options.ts';
import { prepareSignatures } from './send-signatures.ts';
import { describePublished, nextCommand, type PublishedBuild, sentenceOf } from './view.ts';

export function declarePublish(declaration: Declaration) {
  return publishCommand(declaration).action((file, options) => publish(file, options, declaration.io));
}

/** Publishes one build, all builds in a folder, or a reference build. */
export async function publish(file: string | undefined, options: PublishOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = file === undefined ? undefined : resolve(io.cwd, file);
  const source = await sourceFolder(options.source, path && inside(path), io);
  const settings = await readProjectSettings({ source, config: options.config }, io, report, options.source);
  if (options.afterBuild === true) {
    const { publishAfterBuild } = await import('./after-build.ts');
    return publishAfterBuild(path, source, options, settings, io);
  }
  const destination = resolveDestination({
    to: options.to,
    project: { configured: settings.config.publish?.to, folder: settings.folder, trust: settings.trust },
    cwd: io.cwd,
    env: io.env,
    tokenVariable: options.tokenEnv,
    storedToken: (origin) => readServerToken(io, origin),
    ca: options.ca,
  });
  const notes = await readNotes(options, destination, io);
  const chosen = await choosePublications(path, source, options, settings, io, report);
  const publications = chosen.map((publication) => ({ ...publication, notes }));
  const { done, receipt } = await publishAll(publications, destination, options, io, report);
  for (const { publication, published: result } of done) {
    const { manifest, project, version, purpose } = publication;
    const isNewest = result.outcome !== 'unchanged' || result.current;
    if (purpose === 'serve' && isNewest) await rememberRelease({ ...manifest, project, version }, settings, report);
  }
  const published = done.map(describePublished);
  report.result('publish', { to: placeOf(destination), published, receipt: receipt ?? null });
}

/** Reads the release notes before anything is published. @throws OtaError OPTIONS_CONFLICT, FILE_NOT_FOUND, OPTION_INVALID */
async function readNotes({ notes }: PublishOptions, destination: Destination, io: Io): Promise<string | undefined> {
  if (notes === undefined) return undefined;
  if (destination.kind !== 'server') {
    const hint = 'Publish to an update server, which stores the notes.';
    throw new OtaError('OPTIONS_CONFLICT', { option: '--notes', other: 'a folder', hint });
  }
  const text = Buffer.from(await readNamedFile(resolve(io.cwd, notes), 'release notes')).toString('utf8');
  const { success, output, issues } = v.safeParse(releaseNotesText, text);
  if (success) return output;
  throw new OtaError('OPTION_INVALID', { option: '--notes', value: notes, expected: issues[0].message });
}

/** Returns a file path for `sourceFolder`. For a folder, the result is a placeholder path inside the folder. */
function inside(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'any') : path;
}

/** Published builds, and the receipt for their signatures. */
interface PublishedBuilds {
  readonly done: readonly PublishedBuild[];
  readonly receipt: SignatureReceipt | undefined;
}

/** Checks all builds, and the signing log, before publishing any of them. */
async function publishAll(
  publications: readonly Publication[],
  destination: Destination,
  options: PublishOptions,
  io: Io,
  report: Report,
): Promise<PublishedBuilds> {
  const { checkPublication } = await import('../../../publishing/check-publication.ts');
  const checked: [Publication, readonly ReleaseFinding[]][] = [];
  for (const publication of publications) checked.push([publication, await checkPublication(publication)]);

  const publisher = await openPublisher(destination, options, io, report);
  const [first] = publications;
  if (first !== undefined && io.prompt !== undefined)
    await confirmDevices(first, publisher, options, io.prompt, report);
  const sendSignatures =
    publisher.signatures && (await prepareSignatures(publications, publisher.signatures, io, report));
  const done: PublishedBuild[] = [];
  for (const [publication, findings] of checked) {
    const published = await publisher.publish(publication);
    const build = { publication, published, warnings: withoutDuplicates([...findings, ...published.warnings]) };
    for (const { rule, message, fix } of build.warnings) {
      report.warn(`${report.path(publication.path)}: ${message}; ${fix} (${rule})`);
    }
    report.say(sentenceOf(build, placeOf(destination)));
    done.push(build);
  }
  const [promotion] = done.flatMap((build) => nextCommand(build) ?? []);
  if (promotion !== undefined) {
    report.say(
      `This token does not permit promoting releases to ${first?.channel}. Run this command with a token that does: ${promotion}`,
    );
  }
  return { done, receipt: await sendSignatures?.() };
}

/** Minimum number of devices for which publishing at a terminal requires confirmation. */
const manyDevices = 10;

/**
 * Shows how many devices will be sent the release at their next update check and prompts for confirmation if there are at least ten. A
 * build server cannot answer a prompt; its token limits the channels to which it may promote releases.
 *
 * @throws OtaError PUBLISH_DECLINED
 */
async function confirmDevices(
  publication: Publication,
  publisher: Publisher,
  { yes }: PublishOptions,
  prompt: NonNullable<Io['prompt']>,
  report: Report,
): Promise<void> {
  const devices = publication.purpose === 'serve' ? await publisher.countDevices?.(publication) : undefined;
  if (devices === undefined || devices === 0) return;
  const { project, version, channel } = publication;
  report.say(`${counted(devices, 'device')} on ${channel} will be sent ${project} ${version} at the next update check`);
  if (devices < manyDevices || yes === true) return;
  if (await prompt.confirm(`Publish ${project} ${version} to ${counted(devices, 'device')}?`, false)) return;
  throw new OtaError('PUBLISH_DECLINED', { project, version });
}

async function openPublisher(
  destination: Destination,
  options: OutputOptions,
  io: Io,
  report: Report,
): Promise<Publisher> {
  if (destination.kind === 'server' && isUnencrypted(destination.url)) {
    report.warn(`The connection to ${destination.url.origin} is not encrypted: the token can be read in transit`);
  }
  const publishers = await import('../../../publishing/publishers.ts');
  const showUpload: ShowUpload = (artifact, manifest, send) => {
    const { file, sizeBytes } = artifact;
    report.say(`Sending ${file} (${sizeText(sizeBytes)}): ${useOf(artifact, manifest)}`);
    return during({ what: `sending ${file}` }, io, options, (onProgress) =>
      send((bytes) => onProgress(bytes / sizeBytes)),
    );
  };
  return publishers.openPublisher(destination, { signal: io.signal, showUpload });
}

function withoutDuplicates(findings: readonly ReleaseFinding[]): readonly ReleaseFinding[] {
  return [...new Map(findings.map((finding) => [finding.rule + finding.message, finding])).values()];
}

function placeOf(destination: Destination): string {
  return destination.kind === 'server' ? destination.url.href : destination.path;
}
