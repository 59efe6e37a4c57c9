import type { ExecutionContext } from 'ava';
import { updateVirtualDevice } from '../../../src/cli/shared/update-virtual-device.ts';
import type { Check, DoctorFinding } from '../../../src/project/doctor/check.ts';
import { lookAround, type World } from '../../../src/project/doctor/world.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

export interface Symptoms {
  /** Files below the test folder: `project` is the project, `home` the home folder of the user. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly platform?: NodeJS.Platform;
  readonly node?: { readonly path?: string; readonly version?: string };
  readonly now?: Date;
  /** Output of programs by command line. */
  readonly programs?: Readonly<Record<string, string>>;
}

export interface Patient {
  readonly folder: TestFolder;
  readonly world: World;
  /** Reads the world again, for example after a fix. */
  readonly again: () => Promise<World>;
}

/** A faulty machine and project: files are real, programs and the clock are simulated. */
export async function patient(t: ExecutionContext, symptoms: Symptoms = {}): Promise<Patient> {
  const folder = await testFolder(t, { 'project/.keep': '', 'home/.keep': '', ...symptoms.files });
  const again = async () => {
    const world = await lookAround({
      folder: folder.at('project'),
      home: folder.at('home'),
      env: symptoms.env ?? {},
      platform: symptoms.platform ?? 'linux',
      node: symptoms.node?.path ?? process.execPath,
      cli: folder.at('package/dist/cli.js'),
      signal: AbortSignal.timeout(60_000),
      updateVirtualDevice,
      path: (absolute) => absolute.replace(`${folder.at('project')}/`, ''),
    });
    return {
      ...world,
      node: { path: world.node.path, version: symptoms.node?.version ?? world.node.version },
      now: symptoms.now ?? world.now,
      ask: async (program: string, argv: readonly string[]) => symptoms.programs?.[[program, ...argv].join(' ')],
    };
  };
  return { folder, world: await again(), again };
}

/** Returns the findings of a check as `level: text`. */
export async function diagnose(check: Check, world: World): Promise<readonly string[]> {
  return (await check.run(world)).map(({ level, says }) => `${level}: ${says}`);
}

/** Returns the only finding that is not `ok`. */
export async function complaint(t: ExecutionContext, check: Check, world: World): Promise<DoctorFinding> {
  const findings = (await check.run(world)).filter(({ level }) => level !== 'ok');
  t.is(findings.length, 1, JSON.stringify(findings));
  const [finding] = findings;
  if (finding === undefined) throw new Error('nothing was found');
  return finding;
}
