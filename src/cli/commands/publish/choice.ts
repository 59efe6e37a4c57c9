import { resolve } from 'node:path';
import { checkRelease } from '../../../core/preflight/check-release.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { resolveFirmwareVersion } from '../../../project/build/firmware-version.ts';
import { newestUnhookedBuild } from '../../../project/build/unhooked-build.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { WantedNames } from '../../../publishing/names.ts';
import { requireOneVersion } from '../../../publishing/one-version.ts';
import type { Publication } from '../../../publishing/publication.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { findElf } from '../../shared/elf-beside.ts';
import { withProjectKey } from '../../shared/known-keys.ts';
import type { PublishOptions } from './options.ts';

/** Opens the builds to publish: one build, all builds in a folder, or a reference build. */
export async function choosePublications(
  path: string | undefined,
  source: string,
  options: PublishOptions,
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<readonly Publication[]> {
  const names = wantedNames(options, settings, io);
  if (options.reference !== undefined) {
    if (path === undefined)
      return [await chooseReference(resolve(io.cwd, options.reference), options, names, io, report)];
    throw new OtaError('OPTIONS_CONFLICT', {
      option: '--reference',
      other: `the build ${path}`,
      hint: 'Publish the reference build with a separate command.',
    });
  }
  const { findBuilds } = await import('../../../publishing/find-builds.ts');
  const { openPublication } = await import('../../../publishing/packed-publication.ts');
  const unhooked = path === undefined ? await newestUnhookedBuild(source, io) : undefined;
  if (unhooked !== undefined) {
    report.warn(
      `the firmware of the environment ${unhooked.environment} is not published: it is not signed and has no manifest, because the environment does not run the hook; run ota-hooks init`,
    );
  }
  const publications: Publication[] = [];
  for (const build of await findBuilds(path, source, settings)) {
    const publication = await openPublication(build, names, {
      purpose: 'serve',
      allow: options.allow,
      signedOnly: settings.config.publish?.unsigned === false,
    });
    await requireProjectKey(publication, settings, io);
    publications.push(publication);
  }
  requireOneVersion(publications);
  return publications;
}

/**
 * Rejects a build that was made before the project had keys.
 *
 * @throws OtaError UPDATE_BLOCKED, NOT_SIGNED_YET
 */
async function requireProjectKey({ path, manifest, allow }: Publication, settings: ProjectSettings, io: Io) {
  const release = await withProjectKey(manifest, settings, io);
  if (release === manifest || allow.includes('embedded-key-missing')) return;
  const { blockedBy } = checkRelease(release, { publishing: true });
  const missing = blockedBy.filter(({ rule }) => rule === 'embedded-key-missing');
  if (missing.length > 0) throw new OtaError('UPDATE_BLOCKED', { path, blockedBy: missing });
  throw new OtaError('NOT_SIGNED_YET', { path });
}

/** Opens a reference build. Prefers the manifest, because it contains more facts than the image. */
async function chooseReference(
  path: string,
  options: PublishOptions,
  names: WantedNames,
  io: Io,
  report: Report,
): Promise<Publication> {
  const { openPackedRelease } = await import('../../../delivery/packed-release.ts');
  if ((await openPackedRelease(path)) !== undefined) {
    const { openPublication } = await import('../../../publishing/packed-publication.ts');
    return openPublication(path, names, { purpose: 'reference', allow: [] });
  }
  const { referencePublication } = await import('../../../publishing/reference-publication.ts');
  const elf = await findElf(path, options.elf, io);
  const { publication, warnings } = await referencePublication({ path, elf, board: options.board }, names);
  for (const warning of warnings) report.warn(warning);
  return publication;
}

function wantedNames(options: PublishOptions, settings: ProjectSettings, io: Io): WantedNames {
  const { config } = settings;
  if (options.draft === true && options.channel !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', {
      option: '--draft',
      other: `--channel ${options.channel}`,
      hint: 'Remove --channel; `server releases promote` or a rollout selects the channel later.',
    });
  }
  // The command-line option --channel overrides `publish.draft` in the configuration.
  const draft = options.draft ?? (options.channel === undefined && config.publish?.draft === true);
  return {
    project: options.project,
    version: options.firmwareVersion,
    channel: options.channel ?? config.publish?.channel,
    draft,
    fallback: {
      project: config.project,
      // The configured version applies to current builds, not to a reference build.
      version: () =>
        options.reference === undefined ? resolveFirmwareVersion(undefined, settings, io.env) : undefined,
    },
  };
}
