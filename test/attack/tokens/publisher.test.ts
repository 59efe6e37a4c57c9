import test, { type ExecutionContext } from 'ava';
import type { ApiProblem } from '../../../src/api/api-problems.ts';
import type { Role } from '../../../src/api/release.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { digests } from '../../../src/core/pack/digests.ts';
import { testBuild, testFilesystem, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { type ApiResponse, startTestServer, type TestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';

const signer = testSigner();
const old = await testBuild({ version: '1.0', project: 'door', signer });
const young = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });
const files = (version: string, text: string) =>
  testFilesystem({ version, project: 'door', signer, content: Buffer.from(text), blockCount: 64 });

function codeOf({ body }: ApiResponse): string | undefined {
  // Every non-2xx response has this type.
  return (body as unknown as Partial<ApiProblem>).error?.code;
}

async function tokenOf(server: TestServer, roles: readonly Role[], channels: readonly string[] = []): Promise<string> {
  const { body } = await server.api('POST', '/tokens', { roles, channels, project: 'door', name: 'a test' });
  return String(body['token']);
}

/** Server whose channel stable has served 1.0 and now serves 2.0, and a token that may publish to stable. */
async function updatedDoor(t: ExecutionContext) {
  const server = await startTestServer(t);
  for (const build of [old, young]) t.is((await server.publish(build)).status, 201);
  return { server, publisher: await tokenOf(server, ['publish'], ['stable']) };
}

function renamed({ manifest, files }: Build, version: string): Build {
  return { manifest: { ...manifest, version }, files };
}

/** The same filesystem with erased blocks at its end, which the signature of a cut image covers as well. */
function padded({ manifest, files }: Build): Build {
  const { file } = manifest.image;
  const longer = Buffer.concat([files.get(file) ?? Buffer.alloc(0), Buffer.alloc(4096, 0xff)]);
  const facts = digests(longer);
  const artifacts = manifest.artifacts.map((each) =>
    each.file === file ? { ...each, ...facts, payloadBytes: longer.length } : each,
  );
  const image = { ...manifest.image, ...facts, contentBytes: longer.length };
  return { manifest: { ...manifest, image, artifacts }, files: new Map([...files, [file, longer]]) };
}

test('rejects old signed bytes under a new version, however they are published', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const attempts: Readonly<Record<string, object>> = {
    'on its channel': { channel: 'stable' },
    'as a draft': { draft: true },
  };
  for (const [how, request] of Object.entries(attempts)) {
    t.is(codeOf(await server.publish(renamed(old, '9.9.9'), request, publisher)), 'image-known', how);
  }
  t.is(codeOf(await server.publish(renamed(old, '9.9.9'), { purpose: 'reference' }, publisher)), 'role-missing');
  await server.api('POST', '/projects/door/releases/yank', { version: '1.0' });
  t.is(codeOf(await server.publish(renamed(old, '9.9.9'), {}, publisher)), 'image-known', 'after it was yanked');
  const past = await testBuild({ version: '0.9', project: 'door', signer, seed: 9 });
  t.is((await server.publish(past, { purpose: 'reference' })).status, 201);
  t.is(codeOf(await server.publish(renamed(past, '9.9.9'), {}, publisher)), 'image-known', 'a reference build');
  t.is((await requestAsDevice(server.port, '/update/door')).header('x-version'), '2.0');
  t.is((await server.publish(renamed(old, '9.9.9'))).status, 201, 'an admin may');
});

test('accepts an unchanged filesystem image with a new version, but rejects a filesystem image that was replaced before', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const first = await files('2.0', 'first');
  t.is((await server.publish(first, {}, publisher)).status, 201);
  t.is((await server.publish(renamed(first, '3.0'), {}, publisher)).status, 201, 'it replaces the same bytes');
  t.is((await server.publish(await files('4.0', 'second'), {}, publisher)).status, 201);
  for (const build of [renamed(first, '5.0'), padded(renamed(first, '5.0'))]) {
    t.is(codeOf(await server.publish(build, {}, publisher)), 'image-known');
  }
});

test('rejects a yanked filesystem draft of a board while a channel serves the same bytes to other boards', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const shared = await files('2.0', 'first');
  const forBoard = (version: string): Build => {
    const build = renamed(shared, version);
    return { ...build, manifest: { ...build.manifest, board: 'd1' } };
  };
  t.is((await server.publish(shared, {}, publisher)).status, 201);
  t.is((await server.publish(forBoard('3.0'), { draft: true }, publisher)).status, 201);
  t.is((await server.publish(forBoard('3.1'), { draft: true }, publisher)).status, 201, 'not yanked yet');
  for (const version of ['3.0', '3.1']) {
    t.is((await server.api('POST', '/projects/door/releases/yank', { version })).status, 200);
  }
  t.is(codeOf(await server.publish(forBoard('4.0'), { draft: true }, publisher)), 'image-known');
  t.is((await server.publish(renamed(shared, '4.0'), {}, publisher)).status, 201, 'the release that is served');
});

test('rejects a release that allows rules, except rules that the project permits publishers to allow', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const unproven = await testBuild({ version: '3.0', project: 'door', signer, seed: 3, unproven: true });
  const allow = ['enforcement-unproven'];
  t.is(codeOf(await server.publish(unproven, {}, publisher)), 'blocked');
  t.is(codeOf(await server.publish(unproven, { allow }, publisher)), 'role-missing');
  t.is((await server.api('PUT', '/projects/door', { publisherRules: ['no-such-rule'] })).status, 422);
  const opened = await server.api('PUT', '/projects/door', { publisherRules: allow });
  t.like(opened, { status: 200, body: { publisherRules: allow } });
  const more = await server.publish(unproven, { allow: [...allow, 'private-key-inside'] }, publisher);
  t.is(codeOf(more), 'role-missing');
  t.is((await server.publish(unproven, { allow }, publisher)).status, 201);
});

test('rejects actions of operators and admins', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const mac = '/projects/door/devices/18:FE:34:00:00:01';
  await server.api('PUT', mac, { channel: 'beta' });
  const stages = [{ canaries: ['18:FE:34:00:00:01'] }, { share: 100 }];
  const rollout = await server.api('POST', '/projects/door/rollouts', { version: '1.0', channel: 'beta', stages });
  t.is(rollout.status, 201, JSON.stringify(rollout.body));
  const requests: readonly (readonly [method: string, path: string, body?: object])[] = [
    ['POST', '/projects/door/releases/yank', { version: '2.0' }],
    ['POST', '/projects/door/rollouts', { version: '1.0' }],
    ...['pause', 'resume', 'advance', 'abort', 'rollback'].map(
      (action) => ['POST', `/projects/door/rollouts/${rollout.body['id']}/${action}`, {}] as const,
    ),
    ['PUT', mac, { pin: '1.0' }],
    ['POST', `${mac}/retry`],
    ['DELETE', mac],
    ['POST', '/projects/door/devices/import', {}],
    ['PUT', '/projects/door', { access: 'open' }],
    ['PUT', '/projects/new', {}],
    ['POST', '/tokens', { roles: ['admin'] }],
    ['GET', '/tokens'],
    ['GET', '/audit'],
    ['GET', '/audit/lines'],
    ['GET', '/backup'],
  ];
  for (const [method, path, body] of requests) {
    t.is(codeOf(await server.api(method, path, body, publisher)), 'role-missing', `${method} ${path}`);
  }
});

test('promotes releases only to the channels of the token, and only forward', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const none = await tokenOf(server, ['publish']);
  const next = await testBuild({ version: '3.0', project: 'door', signer, seed: 3 });
  t.is(codeOf(await server.publish(next, {}, none)), 'channel-not-permitted');
  t.is(codeOf(await server.publish(next, { channel: 'beta' }, publisher)), 'channel-not-permitted');
  t.like(await server.publish(next, { draft: true }, none), { status: 201, body: { release: { channels: [] } } });
  const promote = (token: string, channel: string, version: string) =>
    server.api('PUT', `/projects/door/channels/${channel}`, { version }, token);
  t.is(codeOf(await promote(none, 'stable', '3.0')), 'channel-not-permitted');
  t.is(codeOf(await promote(publisher, 'beta', '3.0')), 'channel-not-permitted');
  t.is((await promote(publisher, 'stable', '3.0')).status, 200);
  t.is((await promote(publisher, 'stable', '3.0')).status, 200, 'repeated');
  t.is(codeOf(await promote(publisher, 'stable', '1.0')), 'role-missing', 'a downgrade');
  t.is((await requestAsDevice(server.port, '/update/door')).header('x-version'), '3.0');
  const operator = await tokenOf(server, ['operate']);
  t.is((await promote(operator, 'stable', '1.0')).status, 200);
  t.is(codeOf(await server.publish(next, { draft: true }, operator)), 'role-missing');
});

test('does not promote a release whose rollout an operator has aborted or rolled back', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const mac = '18:FE:34:00:00:01';
  await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true });
  for (const [seed, action] of ['abort', 'rollback'].entries()) {
    const version = `3.${seed}`;
    const next = await testBuild({ version, project: 'door', signer, seed: 30 + seed });
    t.is((await server.publish(next, { draft: true }, publisher)).status, 201);
    const request = { version, stages: [{ share: 100 }] };
    const { body } = await server.api('POST', '/projects/door/rollouts', request);
    t.is((await server.api('POST', `/projects/door/rollouts/${body['id']}/${action}`, {})).status, 200);
    const promoted = await server.api('PUT', '/projects/door/channels/stable', { version }, publisher);
    t.is(codeOf(promoted), 'role-missing', action);
    t.is(codeOf(await server.publish(next, {}, publisher)), 'role-missing', `published again after ${action}`);
    t.is((await requestAsDevice(server.port, '/update/door', { mac })).header('x-version'), '2.0');
  }
  const operator = await tokenOf(server, ['operate']);
  t.is((await server.api('PUT', '/projects/door/channels/stable', { version: '3.0' }, operator)).status, 200);
});

test('does not promote a filesystem draft whose bytes were yanked or replaced under a different version', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const promote = (version: string, token?: string) =>
    server.api('PUT', '/projects/door/channels/stable', { version }, token);
  const first = await files('2.0', 'first');
  t.is((await server.publish(first)).status, 201);
  for (const version of ['2.5', '2.6', '2.7']) {
    t.is((await server.publish(renamed(first, version), { draft: true }, publisher)).status, 201, version);
  }
  t.is((await promote('2.5', publisher)).status, 200, 'the same bytes are served');
  t.is((await server.publish(await files('4.0', 'second'))).status, 201);
  t.is(codeOf(await promote('2.6', publisher)), 'image-known', 'replaced');
  t.is((await promote('2.6')).status, 200, 'an admin may');
  for (const version of ['2.0', '2.5', '2.6']) {
    t.is((await server.api('POST', '/projects/door/releases/yank', { version })).status, 200, version);
  }
  t.is(codeOf(await promote('2.7', publisher)), 'image-known', 'yanked');
  t.is(codeOf(await server.publish(renamed(first, '2.7'), {}, publisher)), 'image-known', 'published again');
  const operator = await tokenOf(server, ['operate']);
  t.is((await promote('2.7', operator)).status, 200, 'an operator may');
  countAttacks({ kind: 'old bytes under a new version', tried: 3, withstood: 3 });
});

test('does not promote a sketch draft whose bytes an admin has published under a different version and yanked', async (t) => {
  const { server, publisher } = await updatedDoor(t);
  const next = await testBuild({ version: '3.0', project: 'door', signer, seed: 3 });
  t.is((await server.publish(next, { draft: true }, publisher)).status, 201);
  t.is((await server.publish(renamed(next, '3.1'))).status, 201);
  await server.api('POST', '/projects/door/releases/yank', { version: '3.1' });
  const promoted = await server.api('PUT', '/projects/door/channels/stable', { version: '3.0' }, publisher);
  t.is(codeOf(promoted), 'image-known');
  countAttacks({ kind: 'old bytes under a new version', tried: 1, withstood: 1 });
});

test('does not return a channel to replaced bytes that a different channel still serves', async (t) => {
  const { server } = await updatedDoor(t);
  const publisher = await tokenOf(server, ['publish'], ['stable', 'beta']);
  const first = await files('2.0', 'first');
  t.is((await server.publish(first)).status, 201);
  t.is((await server.publish(renamed(first, '2.5'), { channel: 'beta' }, publisher)).status, 201);
  t.is((await server.publish(await files('3.0', 'second'))).status, 201);
  const promoted = await server.api('PUT', '/projects/door/channels/stable', { version: '2.5' }, publisher);
  t.is(codeOf(promoted), 'role-missing');
  for (const version of ['2.5', '2.6']) {
    t.is(codeOf(await server.publish(renamed(first, version), {}, publisher)), 'role-missing', version);
  }
  countAttacks({ kind: 'old bytes under a new version', tried: 3, withstood: 3 });
});

test('does not promote a release on a different channel after its rollout was stopped', async (t) => {
  const { server } = await updatedDoor(t);
  const publisher = await tokenOf(server, ['publish'], ['stable', 'beta']);
  const operator = await tokenOf(server, ['operate']);
  await server.api('PUT', '/projects/door/devices/18:FE:34:00:00:01', { enrolled: true });
  const promote = (version: string, channel: string, token: string) =>
    server.api('PUT', `/projects/door/channels/${channel}`, { version }, token);
  for (const [seed, action] of ['abort', 'rollback'].entries()) {
    const version = `3.${seed}`;
    const next = await testBuild({ version, project: 'door', signer, seed: 30 + seed });
    t.is((await server.publish(next, { draft: true }, publisher)).status, 201);
    const { body } = await server.api('POST', '/projects/door/rollouts', { version, stages: [{ share: 100 }] });
    t.is((await server.api('POST', `/projects/door/rollouts/${body['id']}/${action}`, {})).status, 200);
    t.is(codeOf(await promote(version, 'beta', publisher)), 'role-missing', action);
    t.is(
      codeOf(await server.publish(next, { channel: 'beta' }, publisher)),
      'role-missing',
      `published after ${action}`,
    );
    t.is((await promote(version, 'canary', operator)).status, 200);
    t.is((await promote(version, 'beta', publisher)).status, 200, 'after an operator promoted it');
  }
  countAttacks({ kind: 'promotions of stopped releases', tried: 4, withstood: 4 });
});
