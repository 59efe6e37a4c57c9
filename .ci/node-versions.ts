/** Runs the demo, the unit tests that depend on Node.js and the newcomer's end-to-end tests with the other supported Node.js versions. */
import { delimiter, dirname } from 'node:path';
import { execa } from 'execa';
import { installNode } from '../test/e2e/provision/node.ts';

/**
 * The oldest supported version, and the newest of each release line. 22.13.0 itself, the first version with node:sqlite, is tested only in
 * test/e2e/package/serve.test.ts: its V8 occasionally aborts (AsyncModuleExecutionFulfilled) on modules with top-level await, which many
 * tests contain and the package does not.
 */
const versions = ['20.19.0', '22', '24', '26'];

/**
 * Folders with tests that use sockets, files, processes, keys and the database. The others only compute, which takes long and is the same
 * everywhere.
 */
const rooms = 'api,core/{keys,signing},delivery,files,project/{build,keys},publishing,server';
const unitTests = ['build/tests/files/cli/*.test.js', `build/tests/files/{${rooms}}/**`];

await execa('node', ['test/bundle.mjs', 'e2e'], { stdio: 'inherit' });
for (const version of versions) {
  const node = await installNode(version);
  const env = { PATH: [dirname(node), process.env['PATH']].join(delimiter) };
  const run = (...argv: string[]) => execa(node, argv, { env, stdio: 'inherit' });
  const ava = (...argv: string[]) => run('node_modules/ava/entrypoints/cli.mjs', ...argv);
  console.log(`\n--- Node.js ${(await execa(node, ['--version'])).stdout}`);
  await run('--import=tsx', 'test/demo/demo.ts');
  await ava(...unitTests);
  await ava('--config', 'ava.e2e.config.js', 'build/tests/files/e2e/newcomer/**');
}
