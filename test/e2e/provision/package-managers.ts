import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const cache = process.env['OTA_HOOKS_CACHE'] ?? join(homedir(), '.cache', 'ota-hooks-e2e');
const folder = join(cache, 'package-managers');
const packages = ['pnpm@10', 'yarn@1.22', '@yarnpkg/cli-dist@4', '@oven/bun-linux-x64@1'];

/** Package managers besides npm, each as the beginning of a command. Yarn 1 and Yarn 4 are different programs. */
export const packageManagers = {
  pnpm: [process.execPath, join(folder, 'node_modules/pnpm/bin/pnpm.cjs')],
  yarn1: [process.execPath, join(folder, 'node_modules/yarn/bin/yarn.js')],
  yarn4: [process.execPath, join(folder, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js')],
  bun: [join(folder, 'node_modules/@oven/bun-linux-x64/bin/bun')],
} as const;

/** Installs the package managers from the npm registry into the cache folder, once. No package script runs. */
export async function installPackageManagers(): Promise<void> {
  if (Object.values(packageManagers).every((command) => existsSync(command.at(-1) ?? ''))) return;
  await mkdir(folder, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
  await execa('npm', ['install', ...quiet, '--prefix', folder, ...packages]);
}

/**
 * Returns the environment in which all package managers use the registry and the certificates of npm, and keep what they downloaded in the
 * cache folder.
 */
export async function packageManagerSettings(): Promise<Readonly<Record<string, string>>> {
  const { stdout: registry } = await execa('npm', ['config', 'get', 'registry']);
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  return {
    npm_config_registry: registry,
    npm_config_store_dir: join(folder, 'pnpm-store'),
    npm_config_update_notifier: 'false',
    YARN_CACHE_FOLDER: join(folder, 'yarn-cache'),
    YARN_GLOBAL_FOLDER: join(folder, 'yarn-global'),
    YARN_NPM_REGISTRY_SERVER: registry.replace(/\/$/, ''),
    YARN_UNSAFE_HTTP_WHITELIST: new URL(registry).hostname,
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: 'false',
    BUN_INSTALL_CACHE_DIR: join(folder, 'bun-cache'),
    ...(certificates === undefined ? {} : { YARN_HTTPS_CA_FILE_PATH: certificates }),
  };
}
