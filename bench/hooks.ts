import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, cpuSideBySide } from './measure.ts';
import type { Place } from './place.ts';

/** Cost of the hooks: CPU time of a complete run, as a multiple of an empty Node.js run. */
export function* benchHooks({ root, cli, folder, publicKey, privateKey }: Place, image: string) {
  const empty: Command = [process.execPath, '-e', '0'];
  const header = ['header', '--public-key', publicKey, '--out', join(folder, 'Updater_Signing.h')];
  yield row('header', [process.execPath, cli, ...header], empty, '<= 1.4x');
  yield row('hook of a sketch without keys, in an Arduino core', launcherCommand(root, folder), empty, '<= 1x');
  const sign = ['sign', '--private-key', privateKey, '--bin', image, '--out', join(folder, 'out.signed'), '--gzip'];
  yield row('sign --gzip of 500 KB', [process.execPath, cli, ...sign], empty, '<= 3x');
  const bare = fileURLToPath(new URL('bare-gzip.mjs', import.meta.url));
  yield row('for comparison: a script that only compresses with fflate', [process.execPath, bare, image], empty, '');
}

/** An Arduino core runs two hooks. The ratio of one hook to one empty run is the same as that of both hooks to two empty runs. */
function launcherCommand(root: string, folder: string): Command {
  const [sketch, build] = [join(folder, 'lamp'), join(folder, 'lamp-build')];
  for (const path of [sketch, build]) mkdirSync(path);
  writeFileSync(join(build, 'build.options.json'), JSON.stringify({ sketchLocation: sketch }));
  const launcher = ['python3', '-I', '-S', join(root, 'hooks', 'arduino.py')] as const;
  return [...launcher, join(folder, 'copy'), 'header', '--arduino-build', build];
}

function row(name: string, ours: Command, reference: Command, target: string): string[] {
  const cpu = cpuSideBySide(ours, reference);
  const ratio = cpu.ours / cpu.reference;
  return [
    `${name}, CPU`,
    `${milliseconds(cpu.ours)} = ${ratio.toFixed(2)}x`,
    `node -e 0: ${milliseconds(cpu.reference)}`,
    target,
  ];
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(0)} ms`;
}
