import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { aptInstall } from './apt.ts';
import { installXtensaCompiler } from './xtensa.ts';

const versions = { platformio: '6.1.18', scons: '4.8.1' };

const cache = process.env['OTA_HOOKS_CACHE'] ?? join(homedir(), '.cache', 'ota-hooks-e2e');
const folder = join(cache, `platformio-${versions.platformio}-scons-${versions.scons}`);
const ready = join(folder, 'ready');

/** A real PlatformIO Core: command, Python, and a core folder to copy, including the SCons that PlatformIO would otherwise download. */
export const platformIo = {
  isReady: () => existsSync(ready),
  pio: join(folder, 'venv', 'bin', 'pio'),
  python: join(folder, 'venv', 'bin', 'python'),
  coreTemplate: join(folder, 'core'),
} as const;

/**
 * Installs PlatformIO Core and SCons from PyPI into a virtual environment in the cache folder, once.
 * The compiler and Python are Debian packages; PlatformIO's own registry is never used.
 */
export async function installPlatformIo(): Promise<void> {
  await aptInstall(['python3', 'python3-venv', 'ca-certificates']);
  await installXtensaCompiler();
  if (platformIo.isReady()) return;
  console.log(`Installing PlatformIO Core ${versions.platformio} and SCons ${versions.scons} from PyPI into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await execa('/usr/bin/python3', ['-m', 'venv', join(folder, 'venv')], { stdio: 'inherit' });
  const packages = [`platformio==${versions.platformio}`, `scons==${versions.scons}`];
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  await execa(platformIo.python, pip, { stdio: 'inherit' });
  await placeScons();
  // Written last, so that an interrupted installation is repeated.
  await writeFile(ready, '');
}

/** PlatformIO requires SCons as a package from its registry. This package runs the SCons in the virtual environment. */
async function placeScons(): Promise<void> {
  const query = 'from platformio.dependencies import get_core_dependencies as d; print(d()["tool-scons"].lstrip("~"))';
  const { stdout: version } = await execa(platformIo.python, ['-c', query]);
  const name = 'tool-scons';
  const spec = { owner: 'platformio', id: null, name, requirements: null, uri: null };
  const tool = join(platformIo.coreTemplate, 'packages', name);
  await mkdir(tool, { recursive: true });
  await writeFile(join(tool, 'package.json'), JSON.stringify({ name, version }));
  await writeFile(join(tool, '.piopm'), JSON.stringify({ type: 'tool', name, version, spec }));
  await writeFile(join(tool, 'scons.py'), 'from SCons.Script.Main import main\n\nmain()\n');
}
