import { knownError } from '../../src/cli/known-error.ts';
import { startTestServer } from '../server/running-server.ts';
import { door } from '../support/built-sketch.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { inFolder, type Provocation } from './provocation.ts';

const toServer = '--server https://ota.example.com';
const env = { OTA_TOKEN: 'token-of-the-tests' };

/** Provokes each error about commands and their options. */
export const commandErrors = {
  OPEN_FILES_LIMIT: async () => ({ error: knownError(Object.assign(new Error('open'), { code: 'EMFILE' })) }),
  URL_PASSWORD_EXPOSED: inFolder('serve --data data --database postgres://ota:secret@db.example.com/ota'),
  USAGE: inFolder('pack --color red'),
  OPTION_INVALID: inFolder('keygen --bits 512'),
  OPTION_MISSING: inFolder('sign --private-key private.key'),
  OPTIONS_CONFLICT: inFolder('upload door.bin --host kitchen --all'),
  OUTPUT_CONFLICT: inFolder('sign --private-key private.key --bin door.bin --out private.key', {
    'private.key': door.privatePem,
    'door.bin': door.bin,
  }),
  CONFIRMATION_UNASKED: inFolder('init --source door', { 'door/door.ino': '' }),
  CONFIRMATION_DECLINED: async (t) => {
    const { path: cwd } = await testFolder(t);
    return runCommand(['server', 'tokens', 'revoke', '4f6a0c12b7de'], { cwd, prompt: { confirm: async () => false } });
  },
  INIT_NOT_INSTALLED: async (t) => {
    const folder = await testFolder(t, { 'door/door.ino': '' });
    const cli = folder.at('_npx/5c0ffee/node_modules/ota-hooks/dist/cli.js');
    return runCommand(['init', '--source', 'door', '--yes'], { cwd: folder.path, cli });
  },
  SIMULATOR_LISTEN_FAILED: inFolder('simulate --host 192.0.2.1'),
  ROLLOUT_NOT_FOUND: async (t) => {
    const { url, token, folder } = await startTestServer(t);
    const world = { cwd: folder, env: { OTA_SERVER: url, OTA_TOKEN: token } };
    await runCommand(['server', 'projects', 'set', 'door'], world);
    return runCommand(['server', 'rollouts', 'show', 'door'], world);
  },
  DEVICE_PROJECT_UNKNOWN: async (t) => {
    const { url, token } = await startTestServer(t);
    const folder = await testFolder(t, { 'table.csv': '18:FE:AA:AA:AA:BB,TEMP-1.0.0.bin' });
    const world = { cwd: folder.path, env: { OTA_SERVER: url, OTA_TOKEN: token } };
    return runCommand(['server', 'devices', 'migrate', 'table.csv'], world);
  },
  DEVICE_TABLE_INVALID: inFolder(`server devices import door table.json ${toServer}`, { 'table.json': '[1' }, env),
} as const satisfies Record<string, Provocation>;
