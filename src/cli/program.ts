import { toolVersion } from '../version.ts';
import { type Declaration, emptyProgram, plumbing } from './command.ts';
import type { Io } from './io.ts';
import { nameOptionsInErrors } from './shared/option-values.ts';

/**
 * All commands by the heading that lists them in the help. Each command is a separate module, which is loaded only when the command runs or
 * the help lists all commands.
 */
const commandGroups = {
  'Start a project:': {
    init: async () => (await import('./commands/init/index.ts')).declareInit,
    doctor: async () => (await import('./commands/doctor/index.ts')).declareDoctor,
    keygen: async () => (await import('./commands/keygen/index.ts')).declareKeygen,
  },
  'Build and sign:': {
    build: async () => (await import('./commands/build/index.ts')).declareBuild,
    pack: async () => (await import('./commands/pack/index.ts')).declarePack,
    sign: async () => (await import('./commands/sign/index.ts')).declareSign,
    verify: async () => (await import('./commands/verify/index.ts')).declareVerify,
    keys: async () => (await import('./commands/keys/index.ts')).declareKeys,
    inspect: async () => (await import('./commands/inspect/index.ts')).declareInspect,
  },
  'Deliver updates:': {
    preflight: async () => (await import('./commands/preflight/index.ts')).declarePreflight,
    discover: async () => (await import('./commands/discover/index.ts')).declareDiscover,
    upload: async () => (await import('./commands/upload/index.ts')).declareUpload,
    ui: async () => (await import('./commands/ui/index.ts')).declareUi,
    publish: async () => (await import('./commands/publish/index.ts')).declarePublish,
    simulate: async () => (await import('./commands/simulate/index.ts')).declareSimulate,
  },
  'Operate a server:': {
    serve: async () => (await import('./commands/serve/index.ts')).declareServe,
    login: async () => (await import('./commands/login/index.ts')).declareLogin,
    logout: async () => (await import('./commands/logout/index.ts')).declareLogout,
    whoami: async () => (await import('./commands/whoami/index.ts')).declareWhoami,
    server: async () => (await import('./commands/server/index.ts')).declareServer,
  },
  [plumbing]: {
    header: async () => (await import('./commands/header/index.ts')).declareHeader,
    signing: async () => (await import('./commands/signing/index.ts')).declareSigning,
    espota: async () => (await import('./commands/espota/index.ts')).declareEspota,
    install: async () => (await import('./commands/install/index.ts')).declareInstall,
    completion: async () => (await import('./commands/completion/index.ts')).declareCompletion,
    uninstall: async () => (await import('./commands/uninstall/index.ts')).declareUninstall,
  },
} as const;

/** Loads a command's declaration. */
type LoadCommand = () => Promise<(declaration: Declaration) => unknown>;

/** Commands by name, and the headings that list them. */
const commands: ReadonlyMap<string, { readonly heading: string; readonly load: LoadCommand }> = new Map(
  Object.entries(commandGroups).flatMap(([heading, group]) =>
    Object.entries<LoadCommand>(group).map(([name, load]) => [name, { heading, load }] as const),
  ),
);

/**
 * Returns the program with only the command named on the command line, because declaring all twenty commands would slow down every hook.
 * Without a command, all commands are declared, because the help lists them; `--version` alone needs none of them.
 */
export async function makeProgram(io: Io, argv: readonly string[]) {
  const program = emptyProgram(io, toolVersion);
  const [first = ''] = argv;
  const all = [...commands.values()];
  const named = commands.get(first);
  // A completion script contains all commands.
  const wanted = named !== undefined && first !== 'completion' ? [named] : isVersionOnly(argv) ? [] : all;
  for (const { heading, load } of wanted) {
    (await load())({ program, io });
    program.commands.at(-1)?.helpGroup(heading);
  }
  nameOptionsInErrors(program);
  return program;
}

const isVersionOnly = (argv: readonly string[]) => argv.length === 1 && argv[0] === '--version';
