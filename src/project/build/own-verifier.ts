import { join } from 'node:path';
import glob from 'fast-glob';
import { textOrNothing } from '../../files/read.ts';

/** Call of `Update.installSignature`, which replaces the verifier that the generated header installs. */
export interface OwnVerifier {
  readonly path: string;
  /** Line number, from 1. */
  readonly line: number;
}

const sources = '**/*.{ino,pde,c,cc,cpp,cxx,h,hh,hpp}';
/** Build outputs and files that builds do not compile. */
const ignored = ['**/node_modules/**', '**/.git/**', '.pio/build/**', 'build/**', '**/examples/**', '**/test/**'];

/**
 * Searches sources for calls of `Update.installSignature`. The function is inline, so that no file of a build shows the call.
 *
 * @param folders sketches and libraries; PlatformIO's libraries in `.pio/libdeps` belong to the folder of the project
 */
export async function findOwnVerifiers(folders: readonly string[]): Promise<readonly OwnVerifier[]> {
  const options = { ignore: ignored, dot: true, suppressErrors: true, followSymbolicLinks: false };
  const found = await Promise.all(
    folders.map(async (cwd) => (await glob(sources, { ...options, cwd })).map((path) => join(cwd, path))),
  );
  const paths = [...new Set(found.flat())].sort();
  return (await Promise.all(paths.map(callsIn))).flat();
}

async function callsIn(path: string): Promise<readonly OwnVerifier[]> {
  const text = await textOrNothing(path);
  // Most files do not contain the name.
  if (!text.includes('installSignature')) return [];
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => (/\.\s*installSignature\s*\(/.test(line) ? [{ path, line: index + 1 }] : []));
}

/** Removes comments and the content of strings, and keeps the lines. */
function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (part) => part.replace(/[^\n]/g, ' '));
}
