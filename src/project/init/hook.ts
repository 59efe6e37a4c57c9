import { dirname } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { relativePath } from '../../files/relative-path.ts';
import type { ProjectEnvironment, ProjectEnvironments } from '../build/hooked-environments.ts';
import { findRepository } from '../keys/git-repository.ts';
import { planHookLines } from './hook-line.ts';
import { type Installation, pathInPackage } from './installation.ts';
import type { Project } from './project.ts';
import { emptyPlan, type InitStep, type SetupPlan } from './step.ts';
import { inBytes } from './text-file.ts';

/** Steps for the hook, and the names of the environments that run the hook after the steps. */
interface HookSetup extends SetupPlan {
  readonly hooked: readonly string[];
}

/**
 * Plans the hook lines in platformio.ini and the files of `extra_configs`. A sketch needs no line, because `ota-hooks build` adds the hooks
 * to each build.
 *
 * @param confirmed names of environments with an unknown chip that build ESP8266 firmware, according to the user
 * @throws OtaError INIT_NO_ESP8266
 */
export function planHook(project: Project, installation: Installation, confirmed: readonly string[]): HookSetup {
  if (project.platformio === undefined) return { ...emptyPlan, hooked: [] };
  const { files, environments, fallback } = project.platformio;
  if (environments.length === 0) {
    return { steps: [], notes: ['platformio.ini has no environment; add one and run init again'], hooked: [] };
  }
  const wanted = environments.filter(({ name, chip }) => chip === 'esp8266' || confirmed.includes(name));
  if (wanted.length === 0) throw withoutEsp8266(project.folder, environments);
  const notes = [
    ...(fallback === undefined ? [] : [`${fallback}, so ota-hooks evaluated platformio.ini itself`]),
    ...unreadableNotes(project),
    ...environments.flatMap((environment) => skippedNote(environment, wanted)),
    ...wanted.flatMap(lateNote),
  ];
  const script = `pre:${pathInPackage(installation, project.folder, 'hooks/platformio.py')}`;
  const sections = wanted.filter(({ hook }) => hook.state === 'absent').map(({ name }) => inBytes(`env:${name}`));
  const { edits, unresolved } = planHookLines(files.files, sections, inBytes(script), isOwnFile(project.folder));
  if (unresolved.length > 0) {
    const names = listed(unresolved.map((section) => `[${fromBytes(section)}]`));
    notes.push(`init cannot extend the scripts of ${names}; add the hook to extra_scripts by hand: ${script}`);
  }
  if (edits.length > 0 && installation.kind === 'machine') {
    notes.push(
      'the hook path is valid only on this machine; to share the project, run npm install --save-dev ota-hooks in the project folder first',
    );
  }
  const steps = edits.map(({ path, sections: changed, insertions }): InitStep => {
    const places = listed(changed.map((section) => `[${fromBytes(section)}]`));
    const description = `add the hook to ${places} in ${relativePath(project.folder, path)}: extra_scripts = ${script}`;
    return { kind: 'insert', path, isNew: false, insertions, description };
  });
  const hooked = sections.filter((section) => !unresolved.includes(section)).map((section) => environmentName(section));
  return { steps, notes, hooked };
}

/**
 * Compares the environments before and after the hook lines were written.
 *
 * @param hooked names of the environments to which the hook was added
 * @throws OtaError HOOK_NOT_EFFECTIVE if an environment does not run the hook, lost a script, or was changed without need
 */
export function requireEffective(
  before: ProjectEnvironments,
  after: ProjectEnvironments,
  hooked: readonly string[],
): void {
  const wrong = before.environments.filter((old) => {
    const now = after.environments.find(({ name }) => name === old.name);
    if (now === undefined) return true;
    const isHooked = hooked.includes(old.name);
    const others = now.scripts.filter((script) => !isHooked || script !== now.hook.script);
    return (isHooked && now.hook.state === 'absent') || others.join('\n') !== old.scripts.join('\n');
  });
  if (wrong.length > 0) {
    throw new OtaError('HOOK_NOT_EFFECTIVE', { environments: wrong.map(({ name }) => `[env:${name}]`) });
  }
}

/** Returns the environments whose chip cannot be determined from their board or platform. */
export function unknownEnvironments({ platformio }: Project): readonly ProjectEnvironment[] {
  return platformio?.environments.filter(({ chip }) => chip === 'unknown') ?? [];
}

function withoutEsp8266(folder: string, environments: readonly ProjectEnvironment[]): OtaError {
  const described = environments.map(({ name, options }) => `${name}: ${options.get('platform') ?? 'no platform'}`);
  return new OtaError('INIT_NO_ESP8266', { folder, environments: described });
}

function unreadableNotes({ folder, platformio }: Project): readonly string[] {
  const unreadable = platformio?.files.unreadable ?? [];
  return unreadable.map(
    ({ path, reason }) =>
      `PlatformIO skips ${relativePath(folder, path)} in extra_configs, which cannot be read (${reason})`,
  );
}

function skippedNote(environment: ProjectEnvironment, wanted: readonly ProjectEnvironment[]): readonly string[] {
  const { name, chip, options } = environment;
  if (chip !== 'unknown' || wanted.includes(environment)) return [];
  const platform = options.get('platform') ?? 'none';
  return [`[env:${name}] was skipped, because its chip is unknown (platform ${platform}); its builds are not signed`];
}

function lateNote({ name, hook }: ProjectEnvironment): readonly string[] {
  if (hook.state !== 'late') return [];
  return [`[env:${name}] runs the hook too late to affect the libraries; put pre: before its path in extra_scripts`];
}

/** Returns a predicate for files of the project: `extra_configs` may also name files of other projects or the user's own files. */
function isOwnFile(folder: string): (path: string) => boolean {
  const real = realPathOf(folder);
  const repository = findRepository(real);
  const places = [real, ...(typeof repository === 'string' ? [] : [repository.workTree])];
  return (path) => places.some((place) => isBelow(realPathOf(dirname(path)), place));
}

/** Maximum number of names in a message. */
const mostNames = 4;

function listed(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more > 1 ? `${names.slice(0, mostNames).join(', ')} and ${more} more` : names.join(', ');
}

function environmentName(section: string): string {
  return fromBytes(section).replace(/^env:/, '');
}

function fromBytes(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
