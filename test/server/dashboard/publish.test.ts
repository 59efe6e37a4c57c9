import test from 'ava';
import { formatManifest } from '../../../src/core/model/manifest.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { testBuild } from '../builds.ts';
import { testDashboard } from './browsing.ts';

const page = '/projects/door/releases/new';

type Files = Readonly<Record<string, Uint8Array | string>>;

function filesOf({ manifest, files }: Build): Files {
  return { 'door.ota.json': formatManifest(manifest), ...Object.fromEntries(files) };
}

function formOf(form: string, files: Files, fields: Readonly<Record<string, string>> = {}): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries({ form, channel: '', version: '', ...fields })) data.append(name, value);
  for (const [name, bytes] of Object.entries(files)) data.append('files', new Blob([Buffer.from(bytes)]), name);
  return data;
}

const formTokenIn = (text: string) => /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '';
const alertIn = (text: string) => /role="alert">(.*?)<\/div>/s.exec(text)?.[1]?.replace(/<[^>]+>/g, ' ') ?? '';

test('publishes the manifest and the artifacts of a form as a draft, and records the actor', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  const { id, token } = await tokenOf('publish');
  const user = browser();
  await user.post('/login', { token });
  const build = await testBuild({ version: '1.0', project: 'door' });
  t.regex((await user.get('/projects/door/releases')).text, /href="\/projects\/door\/releases\/new"/);
  const form = formTokenIn((await user.get(page)).text);
  const response = await user.post(page, formOf(form, filesOf(build)));
  t.is(response.status, 303, alertIn(response.text));
  const [release] = await parts.store.catalog.releases('door', { limit: 10 });
  t.like(release, { version: '1.0', kind: 'sketch', purpose: 'serve' });
  t.deepEqual(await parts.store.catalog.currentReleases('door'), []);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'release.published' });
  const list = await user.get(response.headers.get('location') ?? '');
  t.regex(list.text, /role="status">Published\./);
  const again = await user.post(page, formOf(form, filesOf(build)));
  t.is(again.headers.get('location'), '/projects/door/release?version=1.0&done=unchanged');
});

test('publishes to a channel with the version of the form if the role permits it', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const build = await testBuild({ project: 'door' });
  const publisher = await browserOf('publish');
  const form = formTokenIn((await publisher.get(page)).text);
  const unnamed = await publisher.post(page, formOf(form, filesOf(build)));
  t.is(unnamed.status, 422);
  t.regex(alertIn(unnamed.text), /The manifest contains no version\. {2}Enter the version/);
  const fields = { channel: 'stable', version: '2.0' };
  const refused = await publisher.post(page, formOf(form, filesOf(build), fields));
  t.is(refused.status, 403);
  t.regex(alertIn(refused.text), /may not promote releases to stable/);
  t.regex(refused.text, /name="channel" value="stable"/, 'keeps the content of the form');
  t.regex(refused.text, /<title>Not published /);
  const admin = await browserOf('admin');
  const word = formTokenIn((await admin.get(page)).text);
  t.is((await admin.post(page, formOf(word, filesOf(build), fields))).status, 303);
  t.like((await parts.store.catalog.currentReleases('door'))[0], { channel: 'stable', release: { version: '2.0' } });
});

test('explains why files are not a release, and stores nothing', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const user = await browserOf('publish');
  const form = formTokenIn((await user.get(page)).text);
  const build = await testBuild({ version: '1.0', project: 'door' });
  const whole = filesOf(build);
  const [artifact = ''] = [...build.files.keys()];
  const other = await testBuild({ version: '1.0', project: 'window', seed: 2 });
  const { [artifact]: _, ...incomplete } = whole;
  const cases: readonly (readonly [what: string, files: Files, status: number, expected: RegExp])[] = [
    ['no manifest', { 'notes.txt': 'hello' }, 422, /None of the files is a manifest \(\*\.json\)\./],
    ['no file', {}, 422, /None of the files is a manifest/],
    ['a document', { 'package.json': '{"name":"door"}' }, 422, /package\.json is not a manifest: /],
    ['a newer manifest', { 'a.json': '{"manifest":2}' }, 422, /manifest format 2 is newer than 1.*Update ota-hooks/],
    ['two manifests', { ...whole, 'b.json': formatManifest(build.manifest) }, 422, /Several manifests were selected/],
    ['a stray file', { ...whole, 'cat.jpg': 'meow' }, 422, /cat\.jpg is not an artifact of door\.ota\.json/],
    ['another project', filesOf(other), 422, /The manifest is for project window, not door/],
    ['a missing file', incomplete, 409, new RegExp(`Missing artifacts: ${artifact}\\. {2}Select these files as well`)],
    [
      'other bytes',
      { ...whole, [artifact]: 'x' },
      422,
      /The content of .* is not the one that door\.ota\.json describes/i,
    ],
    ['a private key', { ...whole, 'key.pem': rsaPems().privatePem }, 422, /key\.pem is a private key/],
    ['a long name', { ...whole, [`${'x'.repeat(500)}.bin`]: 'x' }, 422, /is not an artifact of/],
  ];
  for (const [what, files, status, expected] of cases) {
    const response = await user.post(page, formOf(form, files));
    t.is(response.status, status, `${what}: ${alertIn(response.text)}`);
    t.regex(alertIn(response.text), expected, what);
  }
  const long = await user.post(page, formOf(form, whole, { version: '1'.repeat(500) }));
  t.regex(alertIn(long.text), /must be 1 to 64 visible ASCII characters/);
  t.deepEqual(await parts.store.catalog.releases('door', { limit: 10 }), []);
  t.deepEqual(await parts.blobs.olderThan(Number.POSITIVE_INFINITY), []);
});

test('rejects files that are too large before reading them, and forms of a reader', async (t) => {
  const { browserOf, browser } = await testDashboard(t);
  const user = await browserOf('publish');
  const huge = { 'content-length': String(64 * 1024 * 1024), origin: 'http://localhost' };
  const response = await user.post(page, { form: 'any' }, huge);
  t.is(response.status, 413);
  t.regex(response.text, /The files are larger than 32 MiB\./);
  const reader = await browserOf('read');
  t.is((await reader.get(page)).status, 403);
  t.notRegex((await reader.get('/projects/door/releases')).text, /releases\/new/);
  t.is((await reader.post(page, { form: 'any' }, huge)).status, 403);
  t.is((await browser().post(page, { form: 'any' }, huge)).status, 303, 'requires a login first');
});
