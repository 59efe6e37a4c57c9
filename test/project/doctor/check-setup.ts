import type { ExecutionContext } from 'ava';
import { updateVirtualDevice } from '../../../src/cli/shared/update-virtual-device.ts';
import type { Check, DoctorFinding } from '../../../src/project/doctor/check.ts';
import { type CheckContext, readContext } from '../../../src/project/doctor/context.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

export interface SetupOptions {
  /** Files below the test folder: `project` is the project folder, `home` the user's home folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly platform?: NodeJS.Platform;
  readonly node?: { readonly path?: string; readonly version?: string };
  readonly now?: Date;
  /** Simulated program output, by command line. */
  readonly programs?: Readonly<Record<string, string>>;
}

export interface CheckSetup {
  readonly folder: TestFolder;
  readonly context: CheckContext;
  /** Reads the context again, for example after a fix. */
  readonly reload: () => Promise<CheckContext>;
}

/** Project and machine for a check: files are real; programs and the clock are simulated. */
export async function setUpCheck(t: ExecutionContext, options: SetupOptions = {}): Promise<CheckSetup> {
  const folder = await testFolder(t, { 'project/.keep': '', 'home/.keep': '', ...options.files });
  const reload = async () => {
    const context = await readContext({
      folder: folder.at('project'),
      home: folder.at('home'),
      env: options.env ?? {},
      platform: options.platform ?? 'linux',
      userId: process.geteuid?.(),
      node: options.node?.path ?? process.execPath,
      cli: folder.at('package/dist/cli.js'),
      signal: AbortSignal.timeout(60_000),
      updateVirtualDevice,
      path: (absolute) => absolute.replace(`${folder.at('project')}/`, ''),
    });
    return {
      ...context,
      node: { path: context.node.path, version: options.node?.version ?? context.node.version },
      now: options.now ?? context.now,
      query: async (program: string, argv: readonly string[]) => options.programs?.[[program, ...argv].join(' ')],
    };
  };
  return { folder, context: await reload(), reload };
}

/** Returns the findings of a check as `level: text`. */
export async function findingsOf(check: Check, context: CheckContext): Promise<readonly string[]> {
  return (await check(context)).map(({ level, message }) => `${level}: ${message}`);
}

/** Returns the only finding that is not `ok`. */
export async function onlyProblem(t: ExecutionContext, check: Check, context: CheckContext): Promise<DoctorFinding> {
  const findings = (await check(context)).filter(({ level }) => level !== 'ok');
  t.is(findings.length, 1, JSON.stringify(findings));
  const [finding] = findings;
  if (finding === undefined) throw new Error('the check reported no problem');
  return finding;
}
