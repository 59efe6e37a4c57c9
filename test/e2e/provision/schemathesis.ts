import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { aptInstall } from './apt.ts';

/** Hypothesis generates the data. A different version generates different data from the same seed. */
const packages = ['schemathesis==4.32.5', 'hypothesis==6.170.17'];

const cache = process.env['OTA_HOOKS_CACHE'] ?? join(homedir(), '.cache', 'ota-hooks-e2e');
const folder = join(cache, 'schemathesis-4.32.5');
const ready = join(folder, 'ready');

/** schemathesis, which generates requests from an OpenAPI document and checks the responses. */
export const schemathesis = {
  isReady: () => existsSync(ready),
  program: join(folder, 'bin', 'schemathesis'),
} as const;

/** Installs schemathesis from PyPI into a virtual environment in the cache folder, once. */
export async function installSchemathesis(): Promise<void> {
  if (schemathesis.isReady()) return;
  await aptInstall(['python3', 'python3-venv', 'ca-certificates']);
  console.log(`Installing schemathesis from PyPI into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await execa('/usr/bin/python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  await execa(join(folder, 'bin', 'python'), pip, { stdio: 'inherit' });
  // Written last, so that an interrupted installation is repeated.
  await writeFile(ready, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await installSchemathesis();
