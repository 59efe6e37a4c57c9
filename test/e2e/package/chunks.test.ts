/** A hook runs in every build, so it must not load the server or the packages that only a server needs. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { repository } from '../../docs/pages.ts';
import { testFolder } from '../../support/test-folder.ts';

const dist = join(repository, 'dist');
const publicKey = join(repository, 'test/fixtures/keys/test-only-public.pem');

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

/** Files that a run of the CLI loads; V8's coverage lists every script. */
async function loadedBy(coverage: string, argv: readonly string[], cwd: string): Promise<readonly string[]> {
  await execa(process.execPath, [join(dist, 'cli.js'), ...argv], { cwd, env: { NODE_V8_COVERAGE: coverage } });
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(join(coverage, name), 'utf8')));
  const urls = reports.flatMap((text) => (JSON.parse(text) as Coverage).result.map(({ url }) => url));
  return urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
}

/** A chunk's name without its hash. */
function chunkName(path: string): string {
  return basename(path).replace(/-[\w-]{8}\.js$/, '');
}

/** A string that occurs only in the code of this package. */
const marks: Readonly<Record<string, string>> = {
  hono: 'HonoRequest',
  '@hono/node-server': 'x-hono-already-sent',
  kysely: 'SelectQueryBuilder',
  pino: 'pino.msgPrefix',
  'prom-client': 'process_cpu_user_seconds_total',
  'node-forge': 'pki.createCertificate',
};

test('bundles each server package', async (t) => {
  const chunks = await readdir(join(dist, 'chunks'));
  const texts = await Promise.all(chunks.map((name) => readFile(join(dist, 'chunks', name), 'utf8')));
  for (const [name, mark] of Object.entries(marks))
    t.true(
      texts.some((text) => text.includes(mark)),
      name,
    );
});

/** Asserts that none of these files contains a server package. */
async function assertNoServerPackage(t: ExecutionContext, loaded: readonly string[]): Promise<void> {
  t.true(loaded.length > 1);
  for (const path of loaded) {
    const text = await readFile(path, 'utf8');
    t.deepEqual(
      Object.keys(marks).filter((name) => text.includes(marks[name] ?? name)),
      [],
      path,
    );
  }
}

test('the header hook loads the configuration and the key, but no build, device or server code', async (t) => {
  const folder = await testFolder(t);
  const argv = ['header', '--public-key', publicKey, '--out', 'Updater_Signing.h'];
  const loaded = await loadedBy(folder.at('coverage'), argv, folder.path);
  await assertNoServerPackage(t, loaded);
  const chunks = loaded.map(chunkName);
  t.true(chunks.includes('project-settings'));
  t.deepEqual(
    chunks.filter((name) => /^(pack|build|elf|compress|preflight|delivery|discover|upload|connection)/.test(name)),
    [],
  );
});

const commands = ['header', 'pack', 'sign', 'signing', 'upload', 'ui', 'publish', 'serve', 'server'];
for (const command of commands) {
  test(`${command} --help loads no server package`, async (t) => {
    const folder = await testFolder(t);
    const loaded = await loadedBy(folder.at('coverage'), [command, '--help'], folder.path);
    await assertNoServerPackage(t, loaded);
  });
}
