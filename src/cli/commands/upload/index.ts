import { didYouMean } from '../../../core/model/nearest-names.ts';
import { FleetState } from '../../../delivery/fleet-state.ts';
import { chooseTargets } from '../../../delivery/inventory.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { factsOfOptions } from '../../shared/device-options.ts';
import { rememberRelease } from '../../shared/previous-release.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { sourceFolder } from '../../shared/source-folder.ts';
import { namesOf } from '../../shared/updates/device-names.ts';
import { openReleaseToSend } from '../../shared/updates/release.ts';
import { hintOf, resultText } from '../../shared/updates/result-text.ts';
import { type UploadOptions, unknownPort, uploadCommand } from './options.ts';
import { prepareUpdates } from './plan.ts';
import { runUpdates } from './run.ts';
import { type DeviceEnd, summaryOf, uploadReport } from './view.ts';

export function declareUpload(declaration: Declaration) {
  return uploadCommand(declaration).action((file, options) => upload(file, options, declaration.io));
}

/** Sends one build to one or more devices. The planner selects the artifact for each device. Blocked devices are skipped. */
export async function upload(file: string | undefined, options: UploadOptions, io: Io): Promise<void> {
  if (options.field !== undefined && options.filesystem === true) {
    // The name of the field determines whether the device overwrites its filesystem or its sketch.
    throw new OtaError('OPTIONS_CONFLICT', { option: '--field', other: '--filesystem' });
  }
  const report = makeReport(io, options);
  const source = await sourceFolder(options.source, file, io);
  const settings = await readProjectSettings({ source, config: options.config }, io, report, options.source);
  const connection = { ...options, port: options.port === unknownPort ? undefined : options.port };
  const chosen = chooseTargets(
    settings.config,
    { hosts: options.host, all: options.all, group: options.group },
    connection,
  );
  const facts = factsOfOptions(options);
  const { environment } = options;
  if (file !== undefined && environment !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', { option: '--environment', other: 'a file' });
  }
  const open = (path: string | undefined, filesystem: boolean) =>
    openReleaseToSend({ file: path, environment, filesystem, source, keys: options }, settings, io);
  const release = await open(file, options.filesystem === true);
  const intermediateReleases = await Promise.all(options.via.map((path) => open(path, false)));
  const state = await FleetState.open(settings.folder, release.imageSha256, options.resume === true);
  const targets = chosen.filter(({ name }) => !state.isUpdated(name));
  const alreadyUpdated = chosen
    .filter((target) => !targets.includes(target))
    .map((target): DeviceEnd => ({ target, outcome: 'alreadyUpdated' }));

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
    const names = Object.keys(settings.config.devices ?? {});
    const ends = [...alreadyUpdated, ...(await runUpdates({ updates, settings, options, state, io, report }))];
    const { manifest } = release;
    if (manifest !== undefined && ends.some(({ outcome }) => outcome === 'updated')) {
      await rememberRelease(manifest, settings, report, { mayLower: false });
    }
    report.result('upload', uploadReport(release, ends), summaryOf(ends), failureOf(ends, release.path, names));
  } finally {
    updates.discovery?.close();
  }
}

/** Returns UPLOAD_FAILED or UPDATE_BLOCKED if any device was not updated. */
function failureOf(ends: readonly DeviceEnd[], path: string, names: readonly string[]): OtaError | undefined {
  const missing = ends.filter(({ outcome }) => outcome === 'failed' || outcome === 'notStarted');
  const blocked = ends.flatMap((end) => (end.outcome === 'blocked' ? [end] : []));
  if (blocked.length > 0 && !missing.some(({ outcome }) => outcome === 'failed')) {
    const isOne = ends.length === 1;
    return new OtaError('UPDATE_BLOCKED', {
      path,
      blockedBy: blocked.flatMap(({ target, blockedBy: rules }) =>
        rules.map((finding) =>
          isOne ? finding : { ...finding, message: `${target.name}: ${finding.message}`, artifact: undefined },
        ),
      ),
    });
  }
  if (missing.length === 0) return undefined;
  const [first] = missing;
  const ownHint = ends.length === 1 && first?.outcome === 'failed' ? hintWithNames(first, names) : undefined;
  return new OtaError('UPLOAD_FAILED', {
    failed: missing.length,
    total: ends.length,
    devices:
      missing.length <= mostDescribed
        ? missing.map(describeEnd).join(', ')
        : namesOf(missing.map(({ target }) => target)),
    hint: ownHint,
  });
}

/** Returns the hint for a failed update. A host that does not respond may be a misspelled name of a device in the configuration. */
function hintWithNames(end: Parameters<typeof hintOf>[0], names: readonly string[]): string | undefined {
  const hint = hintOf(end);
  if (end.result.verdict.kind !== 'unreachable' || names.includes(end.target.name)) return hint;
  return `${didYouMean(end.target.name, names)}${hint ?? ''}` || undefined;
}

/** Maximum number of failures that the error describes. For more failures, the error lists only the device names. */
const mostDescribed = 3;

function describeEnd(end: DeviceEnd): string {
  return end.outcome === 'failed' ? `${end.target.name} (${resultText(end.result)})` : end.target.name;
}
