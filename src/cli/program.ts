import { toolVersion } from '../version.ts';
import { emptyProgram } from './command.ts';
import type { Io } from './io.ts';

/** All commands, one module each. A module is loaded when its command runs, or when the help lists all commands. */
const commands = {
  keygen: () => import('./commands/keygen/index.ts'),
  header: () => import('./commands/header/index.ts'),
  sign: () => import('./commands/sign/index.ts'),
  pack: () => import('./commands/pack/index.ts'),
  verify: () => import('./commands/verify/index.ts'),
  inspect: () => import('./commands/inspect/index.ts'),
  preflight: () => import('./commands/preflight/index.ts'),
  init: () => import('./commands/init/index.ts'),
  doctor: () => import('./commands/doctor/index.ts'),
  build: () => import('./commands/build/index.ts'),
  install: () => import('./commands/install/index.ts'),
  uninstall: () => import('./commands/uninstall/index.ts'),
  upload: () => import('./commands/upload/index.ts'),
  publish: () => import('./commands/publish/index.ts'),
  discover: () => import('./commands/discover/index.ts'),
  signing: () => import('./commands/signing/index.ts'),
  espota: () => import('./commands/espota/index.ts'),
  simulate: () => import('./commands/simulate/index.ts'),
  serve: () => import('./commands/serve/index.ts'),
  server: () => import('./commands/server/index.ts'),
} as const;

/**
 * Returns the program with the command that the command line names, or with all commands if it names none. A hook must not pay for the
 * declarations of twenty commands.
 */
export async function makeProgram(io: Io, argv: readonly string[]) {
  const program = emptyProgram(io, toolVersion);
  const [first] = argv;
  const wanted = isCommand(first) ? [first] : Object.keys(commands).filter(isCommand);
  for (const name of wanted) (await commands[name]()).declare({ program, io });
  return program;
}

function isCommand(name: string | undefined): name is keyof typeof commands {
  return name !== undefined && Object.hasOwn(commands, name);
}
