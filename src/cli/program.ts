import { toolVersion } from '../version.ts';
import { emptyProgram } from './command.ts';
import type { Io } from './io.ts';
import { nameOptionsInErrors } from './shared/option-values.ts';

/** All commands. Each command is a separate module, which is loaded only when the command runs or the help lists all commands. */
const commands = {
  keygen: async () => (await import('./commands/keygen/index.ts')).declareKeygen,
  header: async () => (await import('./commands/header/index.ts')).declareHeader,
  sign: async () => (await import('./commands/sign/index.ts')).declareSign,
  pack: async () => (await import('./commands/pack/index.ts')).declarePack,
  verify: async () => (await import('./commands/verify/index.ts')).declareVerify,
  inspect: async () => (await import('./commands/inspect/index.ts')).declareInspect,
  preflight: async () => (await import('./commands/preflight/index.ts')).declarePreflight,
  init: async () => (await import('./commands/init/index.ts')).declareInit,
  doctor: async () => (await import('./commands/doctor/index.ts')).declareDoctor,
  build: async () => (await import('./commands/build/index.ts')).declareBuild,
  install: async () => (await import('./commands/install/index.ts')).declareInstall,
  uninstall: async () => (await import('./commands/uninstall/index.ts')).declareUninstall,
  upload: async () => (await import('./commands/upload/index.ts')).declareUpload,
  publish: async () => (await import('./commands/publish/index.ts')).declarePublish,
  discover: async () => (await import('./commands/discover/index.ts')).declareDiscover,
  signing: async () => (await import('./commands/signing/index.ts')).declareSigning,
  espota: async () => (await import('./commands/espota/index.ts')).declareEspota,
  simulate: async () => (await import('./commands/simulate/index.ts')).declareSimulate,
  serve: async () => (await import('./commands/serve/index.ts')).declareServe,
  server: async () => (await import('./commands/server/index.ts')).declareServer,
} as const;

/**
 * Returns the program with only the command named on the command line, because declaring all twenty commands would slow down every hook.
 * Without a command, all commands are declared, because the help lists them; `--version` alone needs none of them.
 */
export async function makeProgram(io: Io, argv: readonly string[]) {
  const program = emptyProgram(io, toolVersion);
  const [first] = argv;
  const wanted = isCommand(first) ? [first] : isVersionOnly(argv) ? [] : Object.keys(commands).filter(isCommand);
  for (const name of wanted) (await commands[name]())({ program, io });
  nameOptionsInErrors(program);
  return program;
}

const isVersionOnly = (argv: readonly string[]) => argv.length === 1 && argv[0] === '--version';

function isCommand(name: string | undefined): name is keyof typeof commands {
  return name !== undefined && Object.hasOwn(commands, name);
}
