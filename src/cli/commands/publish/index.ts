import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ReleaseFinding } from '../../../api/release-info.ts';
import { projectSettings } from '../../../project/config/settings.ts';
import { type Destination, isUnencrypted, resolveDestination } from '../../../publishing/destination.ts';
import type { Publication, Publisher, ShowUpload } from '../../../publishing/publication.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type OutputOptions, type Report } from '../../output/report.ts';
import { sourceFolder } from '../../shared/source-folder.ts';
import { choosePublications } from './choice.ts';
import { type PublishOptions, publishCommand } from './options.ts';
import { describePublished, type PublishedBuild, sentenceOf } from './view.ts';

export function declarePublish(declaration: Declaration) {
  return publishCommand(declaration).action((file, options) => publish(file, options, declaration.io));
}

/** Publishes one build, all builds in a folder, or a reference build. */
export async function publish(file: string | undefined, options: PublishOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = file === undefined ? undefined : resolve(io.cwd, file);
  const source = await sourceFolder(options.source, path && inside(path), io.cwd);
  const settings = await projectSettings({ source, config: options.config }, io.cwd);
  if (options.afterBuild === true) {
    const { publishAfterBuild } = await import('./after-build.ts');
    return publishAfterBuild(path, source, options, settings, io);
  }
  const destination = resolveDestination({
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

/** Returns a file path for `sourceFolder`. For a folder, the result is a placeholder path inside the folder. */
function inside(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'any') : path;
}

/** Checks all builds before publishing any of them. */
async function publishAll(
  publications: readonly Publication[],
  destination: Destination,
  options: OutputOptions,
  io: Io,
  report: Report,
): Promise<readonly PublishedBuild[]> {
  const { judgePublication } = await import('../../../publishing/judge-publication.ts');
  const judged: [Publication, readonly ReleaseFinding[]][] = [];
  for (const publication of publications) judged.push([publication, await judgePublication(publication)]);

  const publisher = await openPublisher(destination, options, io, report);
  const done: PublishedBuild[] = [];
  for (const [publication, findings] of judged) {
    const published = await publisher.publish(publication);
    const build = { publication, published, warnings: withoutDuplicates([...findings, ...published.warnings]) };
    for (const { rule, message, fix } of build.warnings) {
      report.warn(`${report.path(publication.path)}: ${message}; ${fix} (${rule})`);
    }
    report.say(sentenceOf(build, placeOf(destination)));
    done.push(build);
  }
  return done;
}

async function openPublisher(
  destination: Destination,
  options: OutputOptions,
  io: Io,
  report: Report,
): Promise<Publisher> {
  if (destination.kind === 'server' && isUnencrypted(destination.url)) {
    report.warn(`${destination.url.origin} is not encrypted: the token can be read in transit`);
  }
  const publishers = await import('../../../publishing/publishers.ts');
  const showUpload: ShowUpload = ({ file, sizeBytes }, send) => {
    report.detail(`  sending ${file}, ${sizeBytes} bytes`);
    return during({ what: `sending ${file}` }, io, options, (tell) => send((bytes) => tell(bytes / sizeBytes)));
  };
  return publishers.openPublisher(destination, { signal: io.signal, showUpload });
}

function withoutDuplicates(findings: readonly ReleaseFinding[]): readonly ReleaseFinding[] {
  return [...new Map(findings.map((finding) => [finding.rule + finding.message, finding])).values()];
}

function placeOf(destination: Destination): string {
  return destination.kind === 'server' ? destination.url.href : destination.path;
}
