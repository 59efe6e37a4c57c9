import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';

const script = fileURLToPath(new URL('../../src/cli/require-node.js', import.meta.url));
const { engines } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));

/** Runs the check in a process that reports a different Node.js version. */
function runAs(version: string) {
  const versions = `{ ...process.versions, node: '${version}' }`;
  const disguise = `Object.defineProperty(process, 'versions', { value: ${versions} })`;
  return execa(process.execPath, [`--import=data:text/javascript,${disguise}`, script], { reject: false });
}

for (const version of ['0.12.18', '18.20.8', '19.9.0', '20.18.3']) {
  test(`rejects Node.js ${version} with one line`, async (t) => {
    const { exitCode, stderr } = await runAs(version);
    t.is(exitCode, 2);
    t.is(stderr, `ota-hooks needs Node.js ${engines.node.slice(2)} or newer; this is ${version}.`);
  });
}

for (const version of ['20.19.0', '20.100.0', '21.0.0', '22.13.0', '100.0.0']) {
  test(`accepts Node.js ${version}`, async (t) => {
    const { exitCode, stderr } = await runAs(version);
    t.is(exitCode, 0);
    t.is(stderr, '');
  });
}
