import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { didYouMean } from '../../../core/model/nearest-names.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readRegularSync } from '../../../files/bounded-read.ts';
import { arduinoCliOptions } from '../../../project/build/arduino-cli.ts';
import { nodeProgram, requireRecipePath } from '../../../project/build/arduino-hooks.ts';
import { detectBuildSystem } from '../../../project/build/detect.ts';
import { removeStaleExports } from '../../../project/build/exported-builds.ts';
import { boardIn, installedBoards } from '../../../project/build/installed-boards.ts';
import { platformioProgram } from '../../../project/build/platformio.ts';
import { hookVariables } from '../../../project/build/platformio-build.ts';
import { findProjectFolder } from '../../../project/build/project-folder.ts';
import { type Program, runProgram } from '../../../project/build/run-program.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { projectPublicKey } from '../../shared/project-keys.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';

const buildCommand = (declaration: Declaration) =>
  command(declaration, 'build [args...]', 'Compile with arduino-cli or PlatformIO, with the hooks enabled', [
    'ota-hooks build --fqbn esp8266:esp8266:d1_mini',
    'ota-hooks build --source firmware/door --environment d1_mini',
  ])
    .addOption(projectOptions.source)
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)')
    .option('--require-signed', 'Fail if no signing key is available')
    .option('--fqbn <name>', 'Board for arduino-cli, such as esp8266:esp8266:d1_mini')
    .option('-e, --environment <name>', 'Environment for PlatformIO');

type BuildCommandOptions = OptionsOf<typeof buildCommand>;

export function declareBuild(declaration: Declaration) {
  return buildCommand(declaration).action((args, options) => build(args, options, declaration.io));
}

const arduinoCli: Program = {
  name: 'arduino-cli',
  howToGet: 'Install arduino-cli 1.x (arduino.github.io/arduino-cli), or use PlatformIO or the Arduino IDE.',
};

const verifierHint =
  'Find the cause in the output above. For `undefined reference to … updaterSigningHash`, include ESP8266WiFi in the sketch: this library contains the verifier.';

/** Runs the project's build system with the hooks enabled, without changing its installed files. */
export async function build(args: readonly string[], options: BuildCommandOptions, io: Io): Promise<void> {
  const source = options.source === undefined ? projectHere(options, io) : resolve(io.cwd, options.source);
  const system = detectBuildSystem(source);
  switch (system) {
    case 'arduino':
      requireFor(options.environment, '--environment', 'PlatformIO');
      await buildWithArduino(source, [...wordsOf('--fqbn', options.fqbn), ...args], options, io);
      break;
    case 'platformio':
      requireFor(options.fqbn, '--fqbn', 'arduino-cli');
      await buildWithPlatformio(source, [...wordsOf('--environment', options.environment), ...args], options, io);
      break;
    case undefined:
      throw new OtaError('PROJECT_NOT_FOUND', { folder: source });
  }
  makeReport(io, options).result('build', { source, system });
}

function projectHere(options: BuildCommandOptions, io: Io): string {
  if (detectBuildSystem(io.cwd) !== undefined || io.cwd === io.home) return io.cwd;
  const { folder } = findProjectFolder(io.cwd, io.home);
  makeReport(io, options).say(`Project: ${folder}`);
  return folder;
}

function wordsOf(option: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [option, value];
}

function requireFor(value: string | undefined, option: string, system: string): void {
  if (value === undefined) return;
  throw new OtaError('OPTION_INVALID', {
    option,
    value,
    expected: `is an option for ${system}, which this project does not use`,
    hint: `Remove ${option}, or pass --source with the folder of a project for ${system}.`,
  });
}

async function buildWithArduino(
  source: string,
  args: readonly string[],
  options: BuildCommandOptions,
  io: Io,
): Promise<void> {
  requireRecipePath(source);
  const settings = await readProjectSettings({ ...options, source }, io, makeReport(io, options));
  // Key errors are ignored here, because the hook reports them and then removes the artifacts of the previous build.
  const key = await projectPublicKey(settings, io, makeReport({ ...io, stderr: { write: () => true } }, options)).catch(
    () => undefined,
  );
  const hooks = {
    program: nodeProgram(io.self.node, io.self.cli),
    sourceDir: source,
    ...(settings.configPath === undefined ? {} : { configPath: settings.configPath }),
    ...(options.requireSigned === true ? { packOptions: ['--require-signed'] } : {}),
  };
  const publishes = (settings.config.publish?.afterBuild ?? false) !== false;
  const properties = arduinoCliOptions(hooks, key?.fingerprint, publishes);
  const lacksVerifier = key !== undefined && !includesNetwork(source);
  const name = io.env['ARDUINO_CLI'] ?? arduinoCli.name;
  const hintFor = async () =>
    (await unknownBoardHint(name, boardIn(args), io)) ?? (lacksVerifier ? verifierHint : undefined);
  const program = { ...arduinoCli, name, hintFor };
  await runProgram(program, ['compile', ...properties, ...args, source], io);
  await removeStaleExports(source, args, io.cwd);
}

/** Returns the hint for a board that no installed core has. */
async function unknownBoardHint(arduinoCli: string, board: string | undefined, io: Io): Promise<string | undefined> {
  if (board === undefined) return undefined;
  const known = await installedBoards(arduinoCli, io);
  if (known.length === 0 || known.includes(board)) return undefined;
  return `The installed cores have no board ${board}. ${didYouMean(board, known)}\`arduino-cli board listall\` lists all boards.`;
}

/** Returns whether a sketch includes ESP8266WiFi, or a library that includes it. */
function includesNetwork(source: string): boolean {
  const files = readdirSync(source).filter((name) => /\.(?:ino|pde|c|cpp|h|hpp)$/i.test(name));
  return files.some((name) =>
    /#\s*include\s*[<"](?:ESP8266|ESPAsync|ArduinoOTA|WiFi)/.test(textOf(join(source, name))),
  );
}

function textOf(path: string): string {
  try {
    return readRegularSync(path).toString('utf8');
  } catch {
    return '';
  }
}

async function buildWithPlatformio(
  source: string,
  args: readonly string[],
  options: BuildCommandOptions,
  io: Io,
): Promise<void> {
  const hookScript = join(dirname(io.self.cli), '..', 'hooks', 'platformio.py');
  const config = options.config === undefined ? undefined : resolve(io.cwd, options.config);
  const variables = await hookVariables({ folder: source, hookScript, args, cwd: io.cwd }, io);
  const env = {
    ...io.env,
    OTA_NODE: io.self.node,
    ...variables,
    ...(config === undefined ? {} : { OTA_CONFIG: config }),
    ...(options.requireSigned === true ? { OTA_REQUIRE_SIGNED: 'yes' } : {}),
  };
  const found = platformioProgram(io.home, io.platform);
  const program = { ...found, name: io.env['PLATFORMIO_CLI'] ?? found.name };
  await runProgram(program, ['run', '--project-dir', source, ...args], {
    cwd: io.cwd,
    env,
    platform: io.platform,
    signal: io.signal,
  });
}
