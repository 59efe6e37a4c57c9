/** Signing logs that `publish` sends to a server, and that `keys log verify --server` compares with its receipts. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { recordSignatures } from '../../../src/project/record/signing-log.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { door } from '../../support/built-sketch.ts';
import { renamedLog } from '../../support/renamed-log.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

interface Place {
  readonly folder: TestFolder;
  readonly server: TestServer;
  run(argv: string, env?: Readonly<Record<string, string>>): ReturnType<typeof runCommand>;
  /** Packs and publishes a version. */
  release(version: string, project?: string): ReturnType<typeof runCommand>;
}

async function place(t: Parameters<typeof testFolder>[0]): Promise<Place> {
  const folder = await testFolder(t, {
    'private.key': door.privatePem,
    'public.key': door.publicPem,
    'sketch.bin': door.bin,
    'sketch.elf': door.elf,
  });
  const server = await startTestServer(t);
  const run: Place['run'] = (argv, env = {}) =>
    runCommand(argv.split(' '), {
      cwd: folder.path,
      env: { OTA_SIGNING_LOG: 'log.jsonl', OTA_TOKEN: server.token, ...env },
    });
  const release: Place['release'] = async (version, project = 'door') => {
    const { error } = await run(`pack sketch.bin --project ${project} --firmware-version ${version}`);
    t.is(error, undefined);
    return run(`publish sketch.bin --to ${server.url} --draft`);
  };
  return { folder, server, run, release };
}

const linesIn = async (folder: TestFolder) => (await folder.text('log.jsonl')).trimEnd().split('\n');
const lastIn = async (folder: TestFolder) => JSON.parse((await linesIn(folder)).at(-1) ?? '');

test('publish sends the entries of its project, and prints the receipt of the server', async (t) => {
  const { folder, server, run, release } = await place(t);
  t.is((await run('pack sketch.bin --project window --firmware-version 9')).error, undefined);
  const published = await release('1.0');
  t.is(published.error, undefined);
  const { entry, hash } = await lastIn(folder);
  t.true(published.stderr.includes(`Signatures recorded: entry ${entry}:${hash}\n`), published.stderr);
  const { body } = await server.api('GET', '/audit?action=signatures.recorded');
  const [{ detail }] = body['entries'] as [{ detail: { entries: { project: string; version: string }[] } }];
  t.deepEqual(
    detail.entries.map(({ project, version }) => [project, version]),
    [
      ['door', '1.0'],
      ['door', '1.0'],
    ],
  );
  const again = await run(`publish sketch.bin --to ${server.url} --draft --json`);
  t.like(JSON.parse(again.stdout).receipt, { entry, hash });
  t.notRegex(again.stderr, /recorded/);
  t.is((await server.api('GET', '/audit?action=signatures.recorded')).body['next'], undefined);
  t.is((await run(`keys log verify --head ${entry}:${hash}`)).error, undefined, 'the receipt is a head');
});

test('keys log verify --server accepts a log that continues its receipts', async (t) => {
  const { folder, server, run, release } = await place(t);
  const verify = `keys log verify --project door --server ${server.url}`;
  t.is((await run(verify)).error?.code, 'SIGNING_LOG_UNRECORDED');
  await release('1.0');
  await release('1.1');
  t.is((await run('sign --bin sketch.bin')).error, undefined);
  const { error, stdout } = await run(verify);
  t.is(error, undefined);
  t.regex(
    stdout,
    /log\.jsonl: 5 entries, head 5:[0-9a-f]{64}\n.*: 2 receipts up to entry 4, all of which the log matches\n/,
  );
  t.is(JSON.parse((await run(`${verify} --json`)).stdout).recorded.entry, 4);
  t.is((await linesIn(folder)).length, 5);
});

test('keys log verify --server finds a log that was rewritten as a whole', async (t) => {
  const { folder, server, run, release } = await place(t);
  await release('1.0');
  const [first = ''] = await linesIn(folder);
  const { log } = JSON.parse(first);
  const rewrite = async () => {
    // A new log of the same length and name, whose chain is valid in itself.
    await folder.write('log.jsonl', '');
    await run('pack sketch.bin --project door --firmware-version 6.6.6');
    await folder.write('log.jsonl', renamedLog(await folder.text('log.jsonl'), log));
  };
  await rewrite();
  t.is((await run('keys log verify')).error, undefined, 'the rewritten chain is valid in itself');
  const { error } = await run(`keys log verify --server ${server.url}`);
  t.is(error?.code, 'SIGNING_LOG_REWRITTEN');
  t.regex(error?.message ?? '', /entry 2 has a different hash$/);

  const published = await run(`publish sketch.bin --to ${server.url} --draft`);
  t.is(published.error?.code, 'SIGNING_LOG_REWRITTEN', 'publish finds it too');
  const { body } = await server.api('GET', '/projects/door/releases');
  t.is((body['releases'] as readonly object[]).length, 1, 'nothing was published');
});

test('receipts that were added for a rewritten log do not hide it', async (t) => {
  const { folder, server, run, release } = await place(t);
  await release('1.0');
  const { log } = await lastIn(folder);
  await folder.write('log.jsonl', '');
  for (const version of ['6.6.6', '6.6.7']) await run(`pack sketch.bin --project door --firmware-version ${version}`);
  await folder.write('log.jsonl', renamedLog(await folder.text('log.jsonl'), log));
  // Entry 4 contradicts no receipt, so that the server accepts it.
  const entries = [await lastIn(folder)];
  t.is((await server.api('POST', '/projects/door/signatures', { entries })).status, 200);
  const { error } = await run(`keys log verify --server ${server.url}`);
  t.is(error?.code, 'SIGNING_LOG_REWRITTEN');
});

test('keys log verify --server finds a log that was cut off or replaced', async (t) => {
  const { folder, server, run, release } = await place(t);
  await release('1.0');
  await release('1.1');
  const lines = await linesIn(folder);
  await folder.write('log.jsonl', `${lines.slice(0, 3).join('\n')}\n`);
  const cut = await run(`keys log verify --server ${server.url}`);
  t.regex(cut.error?.message ?? '', /it has no entry 4$/);

  await folder.write('log.jsonl', '');
  await run('pack sketch.bin --project door --firmware-version 2.0');
  const replaced = await run(`keys log verify --server ${server.url}`);
  t.is(replaced.error?.code, 'SIGNING_LOG_UNRECORDED');
  t.is((await run(`publish sketch.bin --to ${server.url} --draft`)).error, undefined);
  const { error, stderr } = await run(`keys log verify --server ${server.url}`);
  t.is(error, undefined);
  t.regex(stderr, /the server also has receipts for a different log of \S+@\S+ \([0-9a-f-]{36}, entry 4, just now\)/);
});

test('the commands of docs/keys.md about the record print what the page shows', async (t) => {
  const { folder, server, run, release } = await place(t);
  const page = await readFile(new URL('../../../docs/keys.md', import.meta.url), 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith('Record of signatures\n')) ?? '';
  t.is((await release('1.0')).error, undefined);
  const shown = (text: string) =>
    text
      .replaceAll(server.url, 'https://ota.example.com')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'HASH')
      .replaceAll(/^\S*log\.jsonl:/gm, 'LOG:');
  let command = '';
  let compared = 0;
  for (const [, language, body = ''] of section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (language === 'sh')
      command = body.trim().replace('ota-hooks ', '').replace('https://ota.example.com', server.url);
    else if (language === 'text') {
      t.is(shown((await run(command)).stdout), shown(body), command);
      compared += 1;
    }
  }
  t.is(compared, 2);
  t.is((await linesIn(folder)).length, 2);
});

test('publish sends many entries in several requests', async (t) => {
  const { folder, server, run, release } = await place(t);
  const facts = { file: 'door.bin', sha256: 'ab'.repeat(32), project: 'door', key: 'cd'.repeat(32) };
  await recordSignatures(
    folder.at('log.jsonl'),
    Array.from({ length: 205 }, () => facts),
    'ada@desk',
  );
  t.is((await release('1.0')).error, undefined);
  const { stdout } = await run(`keys log verify --server ${server.url}`);
  t.regex(stdout, /3 receipts up to entry 207/);
});

test('without a log, with the log turned off and at a folder, publish records nothing', async (t) => {
  const { folder, server, run } = await place(t);
  const off = { OTA_SIGNING_LOG: 'off' };
  t.is((await run('pack sketch.bin --project door --firmware-version 1.0', off)).error, undefined);
  for (const env of [{}, off]) {
    const { error, stdout } = await run(`publish sketch.bin --to ${server.url} --draft --json`, env);
    t.is(error, undefined);
    t.is(JSON.parse(stdout).receipt, null);
  }
  await folder.write('www/index.html', '');
  t.is(JSON.parse((await run('publish sketch.bin --to ./www --json')).stdout).receipt, null);
  t.deepEqual((await server.api('GET', '/projects/door/signatures')).body, { receipts: [] });
});
