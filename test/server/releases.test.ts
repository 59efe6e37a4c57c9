/** Releases with several images, which are listed, yanked and promoted as one version. */
import test, { type ExecutionContext } from 'ava';
import type { AuditInfo } from '../../src/api/admin-info.ts';
import type { ReleaseInfo } from '../../src/api/release-info.ts';
import { makeApi } from '../../src/server/http/api/app.ts';
import { serverCommands } from '../support/server-commands.ts';
import { testBuild, testFilesystem, testSigner } from './builds.ts';
import { browserAt } from './dashboard/browsing.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const boards = ['d1_mini', 'esp8266:esp8266:nodemcu'] as const;

/** Two sketches and two filesystems of version 1.3.0. */
const images = await Promise.all([
  ...boards.map((board, index) =>
    testBuild({
      ...{ version: '1.3.0', project: 'door', compression: 'none', sizeBytes: 8192 },
      signer,
      board,
      seed: index,
    }),
  ),
  ...boards.map((board, index) =>
    testFilesystem({
      ...{ version: '1.3.0', project: 'door', compression: 'none' },
      ...{ signer, board, content: Buffer.from(`page ${index}`) },
    }),
  ),
]);
const older = await testBuild({
  version: '1.2.0',
  project: 'door',
  signer,
  board: 'd1_mini',
  seed: 9,
  sizeBytes: 8192,
});

async function published(t: ExecutionContext): Promise<TestServer> {
  const server = await startTestServer(t);
  const [first, ...others] = images;
  if (first === undefined) throw new Error('no image');
  // The images of a version are listed together, although a different version was published in the meantime.
  t.is((await server.publish(first)).status, 201);
  t.is((await server.publish(older, { channel: 'old' })).status, 201);
  for (const build of others) t.is((await server.publish(build)).status, 201);
  return server;
}

async function list({ api }: TestServer, query = ''): Promise<{ releases: ReleaseInfo[]; next?: number }> {
  return (await api('GET', `/projects/door/releases${query}`)).body as unknown as { releases: ReleaseInfo[] };
}

/** Returns the images of the releases, each with its state. */
async function states(server: TestServer): Promise<string[]> {
  const { releases } = await list(server);
  return releases.flatMap(({ version, images: found }) =>
    found.map(({ kind, board, channels, yanked }) => `${version} ${kind} ${board}: ${yanked ?? channels.join()}`),
  );
}

async function yankEntries({ api }: TestServer): Promise<readonly AuditInfo[]> {
  const { entries } = (await api('GET', '/audit')).body as unknown as { entries: AuditInfo[] };
  return entries.filter(({ action }) => action === 'release.yanked');
}

test('lists a version with all of its images, and pages by version', async (t) => {
  const server = await published(t);
  t.deepEqual(await states(server), [
    '1.2.0 sketch d1_mini: old',
    ...boards.flatMap((board) => [`1.3.0 sketch ${board}: stable`, `1.3.0 filesystem ${board}: stable`]),
  ]);
  const first = await list(server, '?limit=1');
  t.deepEqual(
    first.releases.map(({ version }) => version),
    ['1.2.0'],
  );
  const second = await list(server, `?limit=1&before=${first.next}`);
  t.deepEqual(
    second.releases.map(({ version, images: found }) => [version, found.length]),
    [['1.3.0', 4]],
  );
  t.is(second.next, undefined);
  const { run } = serverCommands(server, server.folder);
  const lines = (await run('releases', 'list', 'door')).stdout.trimEnd().split('\n');
  t.regex(lines[2] ?? '', /^1\.3\.0 +sketch +d1_mini +stable +declared/);
  t.regex(lines[3] ?? '', /^ +filesystem +d1_mini +stable/);
  t.is(lines.length, 6);
});

test('yanks all images of a version in one step, with one audit entry', async (t) => {
  const server = await published(t);
  const { run, json } = serverCommands(server, server.folder);
  const { stdout, stderr } = await run('releases', 'yank', 'door', '1.3.0', '--yes', '--reason', 'it smokes');
  t.regex(stdout + stderr, /^Yanked 1\.3\.0 \(4 images\)\./m);
  t.deepEqual(
    (await states(server)).map((state) => state.replace(/^.*: /, '')),
    ['old', 'it smokes', 'it smokes', 'it smokes', 'it smokes'],
  );
  const entries = await yankEntries(server);
  t.deepEqual(
    entries.map(({ detail }) => (detail['releases'] as readonly unknown[]).length),
    [4],
  );
  const again = await run('releases', 'yank', 'door', '1.3.0', '--yes');
  t.is(again.exitCode, 1);
  t.regex(again.error?.message ?? '', /door 1\.3\.0 was yanked \(it smokes\)/);
  t.is((await json('releases', 'list', 'door', '--limit', '1')).length, 1);
});

test('yanks and promotes the selected images, or none of them if one does not exist', async (t) => {
  const server = await published(t);
  const { run, json } = serverCommands(server, server.folder);
  const parts = [{ board: 'd1_mini' }, { kind: 'sketch', board: 'd1' }];
  for (const [method, path] of [
    ['POST', 'releases/yank'],
    ['PUT', 'channels/beta'],
  ] as const) {
    const { status, body } = await server.api(method, `/projects/door/${path}`, { version: '1.3.0', parts });
    t.is(status, 404);
    t.like(body, { error: { message: 'door 1.3.0 has no sketch image for d1' } });
    t.regex(
      JSON.stringify(body),
      /sketch image for d1_mini, sketch image for esp8266:esp8266:nodemcu, filesystem image/,
    );
  }
  t.deepEqual(await yankEntries(server), []);
  t.notRegex((await states(server)).join(), /beta/);

  const promoted: ReleaseInfo = await json(
    'releases',
    'promote',
    'door',
    '1.3.0',
    '--channel',
    'beta',
    '--kind',
    'sketch',
  );
  t.deepEqual(
    promoted.images.map(({ kind, board, channels }) => [kind, board, channels]),
    boards.map((board) => ['sketch', board, ['beta', 'stable']]),
  );
  const names = ['--board', 'd1_mini', '--board', boards[1]];
  const yanked = await run('releases', 'yank', 'door', '1.3.0', '--kind', 'filesystem', ...names, '--yes');
  t.regex(yanked.stdout + yanked.stderr, /^Yanked 1\.3\.0 \(2 images\)\./m);
  t.deepEqual((await states(server)).slice(1), [
    ...boards.flatMap((board) => [`1.3.0 sketch ${board}: beta,stable`, `1.3.0 filesystem ${board}: no reason`]),
  ]);
  for (const text of ['[]', '[{"kind":"sketch","size":1}]', '[{"board":1}]']) {
    const { status } = await server.api('POST', '/projects/door/releases/yank', {
      version: '1.3.0',
      parts: JSON.parse(text),
    });
    t.is(status, 422, text);
  }
});

test('also yanks an image that is published while the version is yanked', async (t) => {
  const server = await startTestServer(t);
  const [first, second] = images;
  if (first === undefined || second === undefined) throw new Error('no images');
  t.is((await server.publish(first)).status, 201);
  const { catalog } = server.parts.store;
  const { yank } = catalog;
  let published: number | undefined;
  Object.assign(catalog, {
    async yank(...input: Parameters<typeof yank>) {
      if (published === undefined) published = (await server.publish(second)).status;
      return yank(...input);
    },
  });
  const { body } = await server.api('POST', '/projects/door/releases/yank', { version: '1.3.0' });
  t.is(published, 201);
  t.is((body['release'] as ReleaseInfo).images.length, 2);
  t.notRegex((await states(server)).join(), /stable/);
});

test('shows one card for a version, and yanks all of its images or the selected ones', async (t) => {
  const server = await published(t);
  const browser = browserAt(makeApi(server.parts));
  await browser.post('/login', { token: server.token });
  const page = '/projects/door/releases';
  const { text } = await browser.get(page);
  t.is([...text.matchAll(/<article/g)].length, 2);
  t.regex(text, /1\.3\.0<\/a> <span class="quiet">4 images<\/span>/);
  t.regex(text, /<summary>Yank 1\.3\.0 \(4 images\)…<\/summary>/);
  t.is([...text.matchAll(/type="checkbox"[^>]* checked/g)].length, 5);

  const [, form = ''] = text.split('Yank 1.3.0 (4 images)');
  const fields = new Map(
    [...form.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const none = Object.fromEntries([...fields].filter(([name]) => !name.startsWith('part-')));
  t.regex((await browser.post(`${page}/yank`, none)).text, /No image is selected\./);
  t.deepEqual(await yankEntries(server), []);
  const sketches = Object.fromEntries([...fields].filter(([, value]) => !value.startsWith('filesystem')));
  t.is((await browser.post(`${page}/yank`, { ...sketches, reason: 'it smokes' })).status, 303);
  t.regex((await browser.get(page)).text, /<summary>Yank 1\.3\.0 \(2 images\)…<\/summary>/);
  const rest = Object.fromEntries([...fields].filter(([, value]) => !value.startsWith('sketch')));
  t.is((await browser.post(`${page}/yank`, { ...rest, images: '2' })).status, 303);
  t.deepEqual((await states(server)).slice(1), [
    ...boards.flatMap((board) => [`1.3.0 sketch ${board}: it smokes`, `1.3.0 filesystem ${board}: no reason`]),
  ]);
  t.is((await yankEntries(server)).length, 2);
});

test('does not make a yanked version available again with an image for another board or of another kind', async (t) => {
  const server = await startTestServer(t);
  const [sketch, otherSketch, filesystem] = images;
  if (sketch === undefined || otherSketch === undefined || filesystem === undefined) throw new Error('no image');
  t.is((await server.publish(sketch)).status, 201);
  t.is((await server.publish(older, { purpose: 'reference' })).status, 201);
  await server.api('POST', '/projects/door/releases/yank', { version: '1.3.0', reason: 'it smokes' });
  for (const [image, request] of [
    [otherSketch, {}],
    [otherSketch, { draft: true }],
    [filesystem, { channel: 'beta' }],
  ] as const) {
    const { status, body } = await server.publish(image, request);
    t.is(status, 409);
    t.like(body, {
      error: {
        code: 'conflict',
        message: 'door 1.3.0 was yanked (it smokes), so no further image of it can be published',
      },
    });
  }
  t.is((await server.publish(sketch)).status, 200, 'a repeated request changes nothing');
  for (const [method, path, request, message] of [
    ['PUT', 'channels/stable', { version: '1.3.0' }, /door 1\.3\.0 was yanked \(it smokes\)"/],
    ['POST', 'rollouts', { version: '1.3.0' }, /1\.3\.0 was yanked \(it smokes\) and cannot be rolled out/],
    [
      'PUT',
      'devices/18:FE:34:00:00:01',
      { pin: '1.3.0' },
      /1\.3\.0 was yanked \(it smokes\), so no device can be pinned/,
    ],
  ] as const) {
    const { status, body } = await server.api(method, `/projects/door/${path}`, request);
    t.is(status, 404);
    t.regex(JSON.stringify(body), message);
  }
  t.deepEqual(await states(server), ['1.2.0 sketch d1_mini: ', '1.3.0 sketch d1_mini: it smokes']);
  t.is((await server.publish(otherSketch, { purpose: 'reference' })).status, 201, 'a reference build is never sent');
});

test('accepts an image for another board while an image of the version is available', async (t) => {
  const server = await startTestServer(t);
  const [first, second, filesystem] = images;
  if (first === undefined || second === undefined || filesystem === undefined) throw new Error('no image');
  for (const image of [first, second]) t.is((await server.publish(image)).status, 201);
  const part = { version: '1.3.0', parts: [{ board: 'd1_mini' }] };
  t.is((await server.api('POST', '/projects/door/releases/yank', part)).status, 200);
  t.is((await server.publish(filesystem)).status, 201);
});

test('lists the versions that have an image with a status, and one version', async (t) => {
  const server = await published(t);
  const [first] = images;
  if (first === undefined) throw new Error('no image');
  const build = (version: string, seed: number) =>
    testBuild({ version, project: 'door', signer, board: 'd1_mini', seed, sizeBytes: 8192 });
  t.is((await server.publish(await build('1.4.0', 21), { draft: true })).status, 201);
  t.is((await server.publish(await build('1.5.0', 22), { purpose: 'reference' })).status, 201);
  t.is((await server.publish(await build('1.1.0', 23), { channel: 'old' })).status, 201);
  await server.api('POST', '/projects/door/releases/yank', { version: '1.3.0', parts: [{ board: 'd1_mini' }] });
  const { json, run } = serverCommands(server, server.folder);
  const versions = async (...options: readonly string[]) =>
    ((await json('releases', 'list', 'door', ...options)) as ReleaseInfo[]).map(({ version }) => version);
  t.deepEqual(await versions('--status', 'current'), ['1.1.0', '1.3.0']);
  t.deepEqual(await versions('--status', 'draft'), ['1.4.0']);
  t.deepEqual(await versions('--status', 'replaced'), ['1.2.0']);
  t.deepEqual(await versions('--status', 'yanked'), ['1.3.0']);
  t.deepEqual(await versions('--status', 'reference'), ['1.5.0']);
  t.deepEqual(await versions('--status', 'current', '--limit', '1'), ['1.1.0']);
  t.deepEqual(await versions('--version', '1.3.0'), ['1.3.0']);
  t.deepEqual(await versions('--version', '1.3.0', '--status', 'draft'), []);
  t.is((await run('releases', 'list', 'door', '--status', 'lost')).exitCode, 2);
  const misspelled = await run('releases', 'promote', 'door', '1.4.0', '--board', 'd1_mni');
  t.regex(misspelled.error?.hint ?? '', /Did you mean d1_mini\? Select images that are not yanked/);
});
