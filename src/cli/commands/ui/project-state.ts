import type { StoredDevice } from '../../../delivery/discovered.ts';
import { chooseTargets, type Target } from '../../../delivery/inventory.ts';
import { Ledger } from '../../../delivery/ledger.ts';
import type { OtaError } from '../../../errors/ota-error.ts';
import { type ProjectSettings, projectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import { knownError } from '../../known-error.ts';
import { storedDevices } from '../../shared/stored-devices.ts';
import { listBuilds } from '../../shared/updates/choose-build.ts';
import { openReleaseToSend, type ReleaseToSend } from '../../shared/updates/release.ts';

/** Files of the project at one moment: configuration, builds and stored facts about devices. */
export interface ProjectState {
  readonly settings: ProjectSettings;
  readonly targets: readonly Target[];
  /** Builds that can be sent, the newest first. */
  readonly builds: readonly ReleaseToSend[];
  /** The reason why there are no builds. */
  readonly buildProblem: OtaError | undefined;
  readonly ledger: Ledger;
  /** Devices found in earlier runs. */
  readonly stored: readonly StoredDevice[];
}

interface ProjectPlace {
  /** Build to send. By default, all builds of the project. */
  readonly file: string | undefined;
  readonly environment: string | undefined;
  readonly source: string;
  /** Path of the configuration that the user passed. */
  readonly config: string | undefined;
}

/**
 * Reads the files of the project.
 *
 * @throws OtaError errors of the configuration and of state files
 */
export async function readProject(place: ProjectPlace, io: Io): Promise<ProjectState> {
  const { source, config } = place;
  const settings = await projectSettings({ source, config }, io.cwd, io);
  const hasDevices = Object.keys(settings.config.devices ?? {}).length > 0;
  const [{ ledger }, stored, found] = await Promise.all([
    Ledger.open(settings.folder),
    storedDevices(settings),
    readBuilds(place, settings, io),
  ]);
  return {
    settings,
    targets: hasDevices ? chooseTargets(settings.config, { hosts: [], all: true }, {}) : [],
    ...found,
    ledger,
    stored,
  };
}

/** Reads the builds. A project without a build, or with a damaged one, is shown on the page and does not end the command. */
async function readBuilds(
  { file, environment, source }: ProjectPlace,
  settings: ProjectSettings,
  io: Io,
): Promise<Pick<ProjectState, 'builds' | 'buildProblem'>> {
  try {
    const paths = file === undefined ? await distinctBuilds(source, environment, settings, io) : [file];
    const keys = { publicKey: [] };
    const open = (path: string) => openReleaseToSend({ file: path, filesystem: false, source, keys }, settings, io);
    return { builds: await Promise.all(paths.map(open)), buildProblem: undefined };
  } catch (error) {
    const known = knownError(error);
    if (known === undefined) throw error;
    return { builds: [], buildProblem: known };
  }
}

/** Returns the paths of the builds, the newest first. Copies of the same image count once. */
async function distinctBuilds(
  source: string,
  environment: string | undefined,
  settings: ProjectSettings,
  io: Io,
): Promise<readonly string[]> {
  const builds = await listBuilds({ kind: 'sketch', source, environment }, settings, io);
  const isFirst = ({ imageSha256 }: (typeof builds)[number], index: number) =>
    builds.findIndex((build) => build.imageSha256 === imageSha256) === index;
  return builds.filter(isFirst).map(({ path }) => path);
}
