import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { removeUnusedCliCopy } from '../../../project/build/arduino-ide.ts';
import { installCliCopy } from '../../../project/build/cli-copy.ts';
import { findProjectFolder } from '../../../project/build/project-folder.ts';
import { applySteps } from '../../../project/init/apply-steps.ts';
import { requireEffective, unknownEnvironments } from '../../../project/init/hook.ts';
import { findInstallation, type Installation, requireNodeModules } from '../../../project/init/installation.ts';
import { coresWithoutHooks, planCore, planSetup } from '../../../project/init/plan.ts';
import { findProject, type Project } from '../../../project/init/project.ts';
import { recordPath } from '../../../project/init/record.ts';
import type { InitStep, SetupPlan } from '../../../project/init/step.ts';
import { undoSetup } from '../../../project/init/undo.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { projectOptions } from '../../shared/project-options.ts';

const initCommand = (declaration: Declaration) =>
  command(declaration, 'init', 'Set up a project for signed builds, or undo the setup with --undo', [
    'ota-hooks init',
    'ota-hooks init --undo --delete-keys',
  ])
    .addOption(projectOptions.source)
    .option('--project <name>', 'Project name for the configuration (default: folder name)')
    .option('--ide', 'Also install the hooks in the installed cores, for Arduino IDE builds')
    .option('--yes', 'Skip the confirmation prompts')
    .option('--undo', 'Undo the changes made by init, but keep the keys')
    .option('--all', 'With --undo: also delete the proven facts about devices, and the last release')
    .option('--delete-keys', 'With --undo: also delete the keys that init generated');

type InitOptions = OptionsOf<typeof initCommand>;

export function declareInit(declaration: Declaration) {
  return initCommand(declaration).action((options) => init(options, declaration.io));
}

/** Consequences of signing, printed before `init` makes changes. */
const meaning = [
  'From the next build on, the firmware contains the public key and accepts only updates signed with the private key.',
  'A device that runs this firmware accepts no other updates until you flash it over the serial port.',
  'Keep a copy of the private key in a safe place: without it, these devices cannot be updated over the air.',
];

/** Sets up a project: lists the steps, asks for confirmation and runs the steps. A second run makes no changes. */
export async function init(options: InitOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const folder = resolve(io.cwd, options.source ?? '.');
  if (options.undo === true) {
    const isHere = existsSync(recordPath(folder));
    return undo(isHere ? folder : findProjectFolder(folder, io.home).folder, options, io, report);
  }
  if (options.deleteKeys === true) {
    throw new OtaError('OPTION_MISSING', { subject: '--delete-keys', wanted: '--undo' });
  }
  return setUp(await findProject(folder, io), options, io, report);
}

async function setUp(project: Project, options: InitOptions, io: Io, report: Report): Promise<void> {
  const installation = findInstallation(project.folder, io.self.cli);
  if (installation.kind === 'temporary') {
    throw new OtaError('INIT_NOT_INSTALLED', {});
  }
  if (installation.kind === 'machine') requireNodeModules(io.self.cli);
  const plan = await planSetup({
    project,
    installation,
    projectName: options.project,
    coreFolders: options.ide === true ? await coresWithoutHooks(io.env, io.platform, io.home) : [],
    node: io.self.node,
    words: io,
    confirmed: await confirmedEnvironments(project, options, io),
  });
  const steps = [...plan.steps];
  const what = project.system === 'platformio' ? 'PlatformIO project' : 'sketch';
  if (steps.length === 0) report.say(`The ${what} in ${report.path(project.folder)} is already set up.`);
  else announce(plan, `the ${what} in ${report.path(project.folder)}`, report);
  for (const note of plan.notes) report.warn(note);

  if (steps.length > 0) {
    if (!(await isAgreed('Continue?', options, io))) {
      report.say('No changes made.');
      report.result('init', { folder: project.folder, declined: true });
      return;
    }
    steps.push(...(await ideSteps(project, options, io)));
    const copyCli = () => installCliCopy(io.self, io);
    await applySteps(project.folder, steps, copyCli, io.signal, ({ description }) =>
      report.detail(`done: ${description}`),
    );
    const after = await findProject(project.folder, io);
    if (project.platformio !== undefined && after.platformio !== undefined && plan.hooked.length > 0) {
      requireEffective(project.platformio, after.platformio, plan.hooked);
    }
  }
  const next = nextCommand(project, installation, io);
  for (const line of [`${steps.length > 0 ? 'Done. ' : ''}Build as usual:`, '', `    ${next}`, '']) report.say(line);
  report.result('init', {
    folder: project.folder,
    system: project.system,
    done: steps.map((step) => ({ kind: step.kind, path: pathOf(step), description: step.description })),
    notes: plan.notes,
    next,
  });
}

function announce({ steps }: SetupPlan, project: string, report: Report): void {
  report.say(`init will set up ${project}:`);
  for (const { description } of steps) report.say(`  - ${description}`);
  for (const line of ['', ...meaning, '']) report.say(line);
}

/** Prompts for each environment whose chip is unknown, and returns the names of those that build ESP8266 firmware. */
async function confirmedEnvironments(project: Project, { yes }: InitOptions, io: Io): Promise<readonly string[]> {
  const confirmed: string[] = [];
  for (const { name, options } of yes === true ? [] : unknownEnvironments(project)) {
    const question = `Does [env:${name}] build ESP8266 firmware (platform ${options.get('platform') ?? 'none'})?`;
    if (await io.prompt?.confirm(question, false)) confirmed.push(name);
  }
  return confirmed;
}

async function isAgreed(question: string, { yes }: InitOptions, io: Io): Promise<boolean> {
  if (yes === true) return true;
  if (io.prompt !== undefined) return io.prompt.confirm(question, true);
  throw new OtaError('CONFIRMATION_UNASKED', { command: 'init' });
}

/** Returns the steps for the Arduino IDE. IDE builds do not use `ota-hooks build`, so the hooks are installed in the core. */
async function ideSteps(project: Project, { yes, ide }: InitOptions, io: Io): Promise<readonly InitStep[]> {
  if (project.system !== 'arduino' || yes === true || ide === true || io.prompt === undefined) return [];
  const folders = await coresWithoutHooks(io.env, io.platform, io.home);
  const question = `Also install the hooks in the esp8266 core, for builds in the Arduino IDE (${folders.join(', ')})? They then run in the builds of all ESP8266 sketches on this machine, and do not change those without keys.`;
  if (folders.length === 0 || !(await io.prompt.confirm(question, false))) return [];
  return folders.map(planCore);
}

function nextCommand(project: Project, installation: Installation, { cwd }: Io): string {
  const path = relative(cwd, project.folder);
  // Double quotes work in every shell.
  const near = path.includes(' ') ? `"${path}"` : path;
  if (project.system === 'platformio') return near === '' ? 'pio run' : `pio run --project-dir ${near}`;
  const ours = installation.kind === 'project' ? 'npx ota-hooks' : 'ota-hooks';
  const source = near === '' ? '' : ` --source ${near}`;
  // Example board in the printed command; users replace it with their own board.
  return `${ours} build${source}${project.defaultFqbn === undefined ? ' -- --fqbn esp8266:esp8266:d1_mini' : ''}`;
}

function pathOf(step: InitStep): string {
  switch (step.kind) {
    case 'insert':
    case 'config':
    case 'node':
      return step.path;
    case 'keys':
      return step.privateKey;
    case 'core':
      return step.folder;
  }
}

async function undo(folder: string, options: InitOptions, io: Io, report: Report): Promise<void> {
  const question = `Revert the changes that init made in ${report.path(folder)}?`;
  if (!(await isAgreed(question, options, io))) {
    report.say('No changes made.');
    report.result('init', { folder, declined: true });
    return;
  }
  const undone = await undoSetup(folder, { deleteKeys: options.deleteKeys === true, all: options.all === true });
  await removeUnusedCliCopy(io);
  if (undone.length === 0) report.say('No changes made by init were found.');
  for (const { path, outcome, reason } of undone) {
    if (outcome === 'absent') continue;
    const line = `${outcome}: ${report.path(path)}${reason === undefined ? '' : ` (${reason})`}`;
    if (outcome === 'kept') report.warn(line);
    else report.say(line);
  }
  report.result('init', { folder, undone });
}
