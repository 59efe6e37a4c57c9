import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { aptInstall } from './apt.ts';

/** The server extra of moto would install 60 packages for other services than S3. */
const packages = ['moto[s3]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5'];

const cache = process.env['OTA_HOOKS_CACHE'] ?? join(homedir(), '.cache', 'ota-hooks-e2e');
const folder = join(cache, 'moto-5.2.5');
const ready = join(folder, 'ready');

/** moto, an S3 server in memory for tests. */
export const moto = { isReady: () => existsSync(ready), program: join(folder, 'bin', 'moto_server') } as const;

/** Installs moto from PyPI into a virtual environment in the cache folder, once. */
export async function installMoto(): Promise<void> {
  if (moto.isReady()) return;
  await aptInstall(['python3', 'python3-venv', 'ca-certificates']);
  console.log(`Installing moto from PyPI into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await execa('/usr/bin/python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  await execa(join(folder, 'bin', 'python'), pip, { stdio: 'inherit' });
  // Written last, so that an interrupted installation is repeated.
  await writeFile(ready, '');
}
