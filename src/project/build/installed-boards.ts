import { execa } from 'execa';
import * as v from 'valibot';
import { buildEnvironment } from './child-environment.ts';
import { programHere } from './find-program.ts';
import type { RunOptions } from './run-program.ts';

/** Output of `arduino-cli board listall --json`. A board that is only listed in a package index has no FQBN. */
const listing = v.object({ boards: v.array(v.object({ fqbn: v.optional(v.string()) })) });

/**
 * Returns the boards of the installed cores, such as `esp8266:esp8266:d1_mini`. Empty if arduino-cli cannot list them.
 *
 * @param program arduino-cli, as for {@link file://./run-program.ts}
 */
export async function installedBoards(program: string, options: RunOptions): Promise<readonly string[]> {
  const path = programHere(program, options);
  if (path === undefined) return [];
  const { stdout } = await execa(path, ['board', 'listall', '--json'], {
    cwd: options.cwd,
    env: buildEnvironment(options.env, options.platform),
    extendEnv: false,
    cancelSignal: options.signal,
    reject: false,
  });
  const found = v.safeParse(v.pipe(v.string(), v.parseJson(), listing), stdout);
  return found.success ? found.output.boards.flatMap(({ fqbn }) => fqbn ?? []) : [];
}

/** Returns the board in the arguments of arduino-cli, without its options: `esp8266:esp8266:d1_mini`. Undefined if it has another form. */
export function boardIn(args: readonly string[]): string | undefined {
  const at = args.findLastIndex((arg) => /^(--fqbn|-b)(=|$)/.test(arg));
  const text = args[at]?.includes('=') === true ? args[at]?.replace(/^[^=]*=/, '') : args[at + 1];
  return at < 0 ? undefined : /^[^:]+:[^:]+:[^:]+/.exec(text ?? '')?.[0];
}
