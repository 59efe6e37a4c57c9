import { toolVersion } from '../version.ts';
import type { Io } from './io.ts';
import { emptyProgram } from './verb.ts';

/** Every verb, one file each; a file is loaded when its verb is run, or when help lists them all. */
const verbs = {
  keygen: () => import('./keygen.ts'),
  header: () => import('./header.ts'),
  sign: () => import('./sign.ts'),
  pack: () => import('./pack.ts'),
  verify: () => import('./verify.ts'),
  inspect: () => import('./inspect.ts'),
  preflight: () => import('./preflight.ts'),
  init: () => import('./init.ts'),
  doctor: () => import('./doctor.ts'),
  build: () => import('./build.ts'),
  install: () => import('./install.ts'),
  uninstall: () => import('./uninstall.ts'),
  upload: () => import('./upload.ts'),
  publish: () => import('./publish.ts'),
  discover: () => import('./discover.ts'),
  signing: () => import('./signing.ts'),
  espota: () => import('./espota.ts'),
  simulate: () => import('./simulate.ts'),
  serve: () => import('./serve.ts'),
  server: () => import('./server.ts'),
} as const;

/**
 * The program with the verb that the command line names, or with all of them where it names none: a hook must not pay for the
 * declarations of twenty verbs.
 */
export async function makeProgram(io: Io, argv: readonly string[]) {
  const program = emptyProgram(io, toolVersion);
  const [first] = argv;
  const wanted = isVerb(first) ? [first] : Object.keys(verbs).filter(isVerb);
  for (const name of wanted) (await verbs[name]()).declare({ program, io });
  return program;
}

function isVerb(name: string | undefined): name is keyof typeof verbs {
  return name !== undefined && Object.hasOwn(verbs, name);
}
