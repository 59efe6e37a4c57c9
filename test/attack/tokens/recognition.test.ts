/** A publish token tries to change which build a running device is recognized as, and therefore which release it is sent. */
import test, { type ExecutionContext } from 'ava';
import type { ApiProblem } from '../../../src/api/api-problems.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { type BuildRecipe, sketchMd5Of, testBuild, testFilesystem, testSigner } from '../../server/builds.ts';
import { type DeviceWords, requestAsDevice } from '../../server/raw-device.ts';
import { type ApiResponse, startTestServer, type TestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';

const signer = testSigner();
const made = (version: string, recipe: BuildRecipe = {}) =>
  testBuild({
    version,
    project: 'door',
    board: 'd1_mini',
    signer,
    seed: Number(version.replace(/\D/g, '')),
    ...recipe,
  });
const old = await made('1.0.1');
const current = await made('1.0.3');
const ofOtherBoard = await made('1.0.4', { board: 'nodemcu' });
/** Build that devices run, although it was never published. */
const past = await made('0.9.0');

/** Server with releases for two boards; devices run 1.0.1 and the unpublished 0.9.0. */
async function startDoor(t: ExecutionContext): Promise<TestServer> {
  const server = await startTestServer(t);
  for (const build of [old, current, ofOtherBoard]) t.is((await server.publish(build)).status, 201);
  await server.api('PUT', '/projects/window', {});
  return server;
}

async function publisherOf(server: TestServer, project: string, channels: readonly string[] = []): Promise<string> {
  const { body } = await server.api('POST', '/tokens', { roles: ['publish'], channels, project });
  return String(body['token']);
}

function codeOf({ status, body }: ApiResponse): string | undefined {
  // Every non-2xx response has this type.
  return status < 300 ? 'accepted' : (body as unknown as Partial<ApiProblem>).error?.code;
}

/** Responses to devices that run each build: status, version and file. */
function responses({ port }: TestServer): Promise<readonly string[]> {
  const devices: readonly DeviceWords[] = [old, past].map(({ manifest }, index) => {
    return { sketchMd5: sketchMd5Of(manifest), mode: 'version', mac: `02:00:00:00:00:0${index}` };
  });
  return Promise.all(
    devices.map(async (device) => {
      const response = await requestAsDevice(port, '/update/door', device);
      return `${response.status} ${response.header('x-version')} ${response.header('x-md5')}`;
    }),
  );
}

/** Descriptions of the same bytes with which devices would receive different files or none. */
function retold({ manifest, files }: Build): Readonly<Record<string, Build>> {
  const with_ = (changes: object, image: object = {}): Build => {
    return { manifest: { ...manifest, ...changes, image: { ...manifest.image, ...image } }, files };
  };
  const layout = { fsStart: 0x100000, fsEnd: 0x101000 };
  return {
    'another board': with_({ board: 'nodemcu' }),
    'an invented board': with_({ board: 'pro_mini' }),
    'no board': with_({ board: undefined }),
    'another layout': with_({ board: 'pro_mini' }, { layout }),
    'proven enforcement': with_({ board: 'pro_mini', enforcement: 'elf' }),
    'unproven enforcement': with_({ board: 'pro_mini', enforcement: 'unproven' }),
  };
}

test('changes nothing for running devices when a publisher describes their bytes differently', async (t) => {
  const server = await startDoor(t);
  const before = await responses(server);
  const tokens = [await publisherOf(server, 'door'), await publisherOf(server, 'door', ['stable'])];
  let tried = 0;
  for (const token of tokens) {
    for (const request of [{ draft: true }, { purpose: 'reference' }, {}] as const) {
      for (const [how, build] of Object.entries({ ...retold(old), ...retold(past) })) {
        // The project has no build with the bytes of 0.9.0, so the server accepts them. The draft and the reference build must not change
        // responses.
        if (build.manifest.version === '0.9.0' && !('draft' in request) && !('purpose' in request)) continue;
        const code = codeOf(await server.publish(build, request, token));
        if (build.manifest.version === '1.0.1') t.not(code, 'accepted', `${how}: ${JSON.stringify(request)}`);
        t.deepEqual(await responses(server), before, `${how}: ${JSON.stringify(request)}`);
        tried++;
      }
    }
  }
  countAttacks({ kind: 'false descriptions of running builds', tried, withstood: tried });
});

test('recognizes devices by a draft of a publisher once it is rolled out, and by a reference build of an admin', async (t) => {
  const server = await startDoor(t);
  const publisher = await publisherOf(server, 'door');
  const next = await made('2.0.0');
  t.is((await server.publish(next, { draft: true }, publisher)).status, 201);
  t.is((await server.publish(past, { purpose: 'reference' })).status, 201);
  const mac = '02:00:00:00:00:07';
  await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true });
  const running = async (build: Build) => {
    await requestAsDevice(server.port, '/update/door', { mac, sketchMd5: sketchMd5Of(build.manifest) });
    return (await server.api('GET', `/projects/door/devices/${mac}`)).body['running'];
  };
  t.like(await running(past), { version: '0.9.0', by: 'md5' });
  t.is(await running(next), undefined, 'nobody but a publisher has described it');
  const { status } = await server.api('POST', '/projects/door/rollouts', {
    version: '2.0.0',
    stages: [{ share: 100 }],
  });
  t.is(status, 201);
  t.like(await running(next), { version: '2.0.0', by: 'md5' });
});

test('distinguishes the release that a device was sent from the same bytes under a different name', async (t) => {
  const server = await startTestServer(t);
  const mini = await made('1.0.0');
  const device = { mac: '02:00:00:00:00:01' };
  t.is((await server.publish(mini)).status, 201);
  t.is((await requestAsDevice(server.port, '/update/door', device)).header('x-version'), '1.0.0');
  const twin: Build = { ...mini, manifest: { ...mini.manifest, board: 'nodemcu' } };
  t.is((await server.publish(twin)).status, 201, 'an admin may');
  for (const build of [await made('1.1.0'), await made('1.2.0', { board: 'nodemcu' })]) await server.publish(build);
  const known = { ...device, sketchMd5: sketchMd5Of(mini.manifest) };
  t.is((await requestAsDevice(server.port, '/update/door', known)).header('x-version'), '1.1.0');
});

test('rejects old bytes for a different board, and a filesystem image that the board has replaced', async (t) => {
  const server = await startDoor(t);
  const publisher = await publisherOf(server, 'door', ['stable']);
  const onBoard = ({ manifest, files }: Build, board: string, version: string): Build => {
    return { manifest: { ...manifest, board, version }, files };
  };
  for (const version of ['1.0.1', '1.0.9']) {
    t.is(codeOf(await server.publish(onBoard(old, 'nodemcu', version), {}, publisher)), 'image-known');
  }
  const files = (text: string) =>
    testFilesystem({ version: '1', project: 'door', signer, content: Buffer.from(text), blockCount: 64 });
  const [first, second] = [await files('first'), await files('second')];
  const published = async (build: Build, board: string, version: string) =>
    codeOf(await server.publish(onBoard(build, board, version), {}, publisher));
  for (const version of ['1', '2']) {
    for (const board of ['d1_mini', 'nodemcu']) t.is(await published(first, board, version), 'accepted');
  }
  t.is(await published(second, 'nodemcu', '3'), 'accepted');
  t.is(await published(first, 'nodemcu', '4'), 'image-known', 'd1_mini still has these files');
  t.is(await published(first, 'd1_mini', '4'), 'accepted');
  countAttacks({ kind: 'rollbacks by publishers', tried: 3, withstood: 3 });
});

test('prevents a project from influencing devices of a different project and from disclosing its versions', async (t) => {
  const server = await startDoor(t);
  const before = await responses(server);
  const publisher = await publisherOf(server, 'window');
  const admin = (await server.api('POST', '/tokens', { roles: ['admin'], project: 'window' })).body['token'];
  const secret = await testBuild({ version: '7.7.7-secret', project: 'window', signer, seed: 77 });
  t.is((await server.publish(secret, { draft: true })).status, 201);
  let tried = 0;
  for (const token of [publisher, String(admin)]) {
    for (const request of [{ draft: true }, { purpose: 'reference' }] as const) {
      for (const build of [...Object.values(retold(past)), ...Object.values(retold(old))]) {
        const moved = { ...build, manifest: { ...build.manifest, project: 'window' } };
        await server.publish(moved, request, token);
        t.deepEqual(await responses(server), before);
        tried++;
      }
    }
  }
  const device = { sketchMd5: sketchMd5Of(secret.manifest), mode: 'version', mac: '02:00:00:00:00:05' };
  const response = await requestAsDevice(server.port, '/update/door', device);
  t.false((response.header('x-version') ?? '').includes('secret'));
  tried++;
  countAttacks({ kind: 'influence across projects', tried, withstood: tried });
});
