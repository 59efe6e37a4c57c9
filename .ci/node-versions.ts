/** Runs the demo, the unit tests that depend on Node.js and the newcomer's end-to-end tests with the other supported Node.js versions. */
import { delimiter, dirname } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import pMap from 'p-map';
import { installNode } from '../test/e2e/provision/node.ts';

/**
 * The oldest supported version, and the newest of each release line. 22.13.0 itself, the first version with node:sqlite, is tested only in
 * test/e2e/package/serve.test.ts: its V8 occasionally aborts (AsyncModuleExecutionFulfilled) on modules with top-level await, which many
 * tests contain and the package does not.
 */
const versions = ['20.19.0', '22', '24', '26'];

/**
 * Folders with tests that use sockets, files, processes, keys and the database. The tests in other folders only compute, which takes
 * long and has the same result everywhere. The newest version runs all tests in these folders. The other versions run only the tests of
 * Node.js interfaces that changed between releases: the database, keys and files. CI itself runs every test with Node.js 20.
 */
const rooms = ['core/{keys,signing}', 'files', 'project/{build,keys}', 'server/{storage,tls,auth}'];
const moreRooms = ['api', 'delivery', 'publishing', 'server'];

function unitTestsOf(version: string): readonly string[] {
  const folders = version === versions.at(-1) ? [...rooms, ...moreRooms] : rooms;
  return ['cli/*.test.js', ...folders.map((folder) => `${folder}/**`)].map((path) => `build/tests/files/${path}`);
}

/** The newcomer's tests run alone: their virtual devices announce the same names over mDNS. */
const alone = pLimit(1);

/** Runs all tests with one version, and prints their output at the end, because two versions run at the same time. */
async function testWith(version: string): Promise<void> {
  const node = await installNode(version);
  const env = { PATH: [dirname(node), process.env['PATH']].join(delimiter) };
  const output: string[] = [];
  const run = async (...argv: string[]) => {
    const { all, failed } = await execa(node, argv, { env, all: true, reject: false });
    output.push(all);
    if (failed) throw new Error(`the tests failed with Node.js ${version}`);
  };
  const ava = (...argv: string[]) => run('node_modules/ava/entrypoints/cli.mjs', ...argv);
  try {
    await run('--version');
    await run('--import=tsx', 'test/demo/demo.ts');
    await ava(...unitTestsOf(version));
    await alone(() => ava('--config', 'ava.e2e.config.js', 'build/tests/files/e2e/newcomer/**'));
  } finally {
    console.log(`\n--- Node.js ${output.join('\n')}`);
  }
}

await execa('node', ['test/bundle.mjs', 'e2e'], { stdio: 'inherit' });
// One version alone leaves a core idle for about a third of the time: its tests wait for processes, installations and sockets.
await pMap(versions, testWith, { concurrency: 2, stopOnError: false });
