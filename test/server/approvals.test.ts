/** Rollouts and promotions that a second person must approve. */
import test from 'ava';
import type { AuditInfo } from '../../src/api/admin-info.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { testBuild, testSigner } from './builds.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const builds = [
  await testBuild({ version: '1.0', project: 'door', signer }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2 }),
];
const mac = '18:FE:34:AA:BB:CC';
const approvals = '/projects/door/approvals';

interface People {
  readonly server: TestServer;
  /** Tokens of two operators and of a publisher for the channel beta. */
  readonly one: string;
  readonly two: string;
  readonly publisher: string;
}

async function projectWithApproval(t: Parameters<typeof startTestServer>[0]): Promise<People> {
  const server = await startTestServer(t);
  const tokenOf = async (name: string, request: object) =>
    String((await server.api('POST', '/tokens', { name, ...request })).body['token']);
  for (const build of builds) await server.publish(build, { draft: true });
  await server.api('PUT', `/projects/door/devices/${mac}`, { name: 'front door' });
  const { body } = await server.api('PUT', '/projects/door', { approval: 'second-person' });
  t.is(body['approval'], 'second-person');
  return {
    server,
    one: await tokenOf('one', { roles: ['operate'] }),
    two: await tokenOf('two', { roles: ['operate'] }),
    publisher: await tokenOf('ci', { roles: ['publish'], channels: ['beta'] }),
  };
}

async function newest({ api }: TestServer, action: string): Promise<AuditInfo | undefined> {
  const { body } = await api('GET', `/audit?limit=1&action=${action}`);
  return (body['entries'] as AuditInfo[])[0];
}

const idOf = (token: string) => token.split('_')[1];
const codeOf = (body: object) => (body as { error?: { code: string } }).error?.code;

test('starts a rollout only after a second person has approved it, and records both', async (t) => {
  const { server, one, two } = await projectWithApproval(t);
  const request = { version: '2.0', stages: [{ share: 100 }], perHour: 7 };
  const refused = await server.api('POST', '/projects/door/rollouts', request, one);
  t.is(refused.status, 409);
  t.regex(
    JSON.stringify(refused.body),
    /a second person must approve rollouts and promotions of door.*--request-approval/,
  );
  const { status, body } = await server.api('POST', `${approvals}/rollouts`, request, one);
  t.is(status, 201);
  t.like(body, {
    change: 'rollout',
    version: '2.0',
    channel: 'stable',
    requestedBy: idOf(one),
    requestedByName: 'one',
  });
  const id = String(body['id']);
  t.is((await server.api('POST', `${approvals}/rollouts`, request, two)).status, 409, 'one request for each channel');
  const own = await server.api('POST', `${approvals}/${id}/approve`, undefined, one);
  t.is(own.status, 403);
  t.regex(JSON.stringify(own.body), /the person who requested a change may not approve it/);
  t.deepEqual((await server.api('GET', '/projects/door/rollouts')).body['rollouts'], []);
  const approved = await server.api('POST', `${approvals}/${id}/approve`, undefined, two);
  t.deepEqual(approved.body, { id, decision: 'approved', rollout: 1 });
  t.like((await server.api('GET', '/projects/door/rollouts/1')).body, {
    state: 'active',
    perHour: 7,
    startedBy: idOf(one),
  });
  t.like(await newest(server, 'rollout.started'), { actor: idOf(one), detail: { approvedBy: idOf(two) } });
  t.like(await newest(server, 'approval.granted'), { actor: idOf(two), detail: { requestedBy: idOf(one) } });
  t.deepEqual((await server.api('GET', approvals)).body['approvals'], []);
  t.is((await server.api('POST', `${approvals}/${id}/approve`, undefined, two)).status, 404);
});

test('promotes a release only after a second person has approved it', async (t) => {
  const { server, one, two, publisher } = await projectWithApproval(t);
  t.is((await server.api('PUT', '/projects/door/channels/beta', { version: '1.0' }, one)).status, 409);
  const published = await server.publish(builds[0] ?? t.fail(), { channel: 'beta' });
  t.is(published.status, 409, 'a publication to a channel is a promotion');
  t.regex(JSON.stringify(published.body), /Publish a draft/);
  const promotion = { version: '1.0', channel: 'beta' };
  const stable = await server.api('POST', `${approvals}/promotions`, { ...promotion, channel: 'stable' }, publisher);
  t.is(codeOf(stable.body), 'channel-not-permitted', 'a request needs the same role as the promotion');
  const { body } = await server.api('POST', `${approvals}/promotions`, promotion, publisher);
  const id = String(body['id']);
  t.is((await server.api('POST', `${approvals}/${id}/approve`, undefined, publisher)).status, 403);
  t.is((await server.api('POST', `${approvals}/${id}/approve`, undefined, two)).status, 200);
  t.like(await newest(server, 'release.promoted'), {
    actor: idOf(publisher),
    detail: { channel: 'beta', approvedBy: idOf(two) },
  });
  const declined = await server.api('POST', `${approvals}/promotions`, { version: '2.0', channel: 'beta' }, one);
  const other = String(declined.body['id']);
  t.is(
    (await server.api('POST', `${approvals}/${other}/decline`, undefined, one)).status,
    200,
    'cancels the own request',
  );
  t.is((await server.api('POST', `${approvals}/${other}/approve`, undefined, two)).status, 404);
  t.is((await server.api('POST', `${approvals}/nothing/decline`, undefined, two)).status, 404);
});

test('tells webhooks that a change waits for approval, and how it was decided', async (t) => {
  const { server, one, two } = await projectWithApproval(t);
  const events = ['approval.requested', 'approval.granted', 'approval.declined'];
  const webhook = { url: 'http://127.0.0.1:9/x', events, allowPrivate: true };
  t.is((await server.api('POST', '/webhooks', webhook)).status, 201);
  for (const decision of ['decline', 'approve']) {
    const promotion = { version: '1.0', channel: 'beta' };
    const { body } = await server.api('POST', `${approvals}/promotions`, promotion, one);
    await server.api('POST', `${approvals}/${body['id']}/${decision}`, undefined, two);
  }
  const deliveries = await server.parts.store.webhooks.deliveries(1, { limit: 10 });
  t.deepEqual(deliveries.map(({ event }) => event).reverse(), [
    'approval.requested',
    'approval.declined',
    'approval.requested',
    'approval.granted',
  ]);
});

test('rejects the approval of a request whose author or release has changed', async (t) => {
  const { server, one, two } = await projectWithApproval(t);
  const request = async (version: string) =>
    String((await server.api('POST', `${approvals}/promotions`, { version, channel: 'beta' }, one)).body['id']);
  const first = await request('1.0');
  const board = await testBuild({ version: '1.0', project: 'door', signer, seed: 3, board: 'nodemcu' });
  t.is((await server.publish(board, { draft: true })).status, 201);
  const changed = await server.api('POST', `${approvals}/${first}/approve`, undefined, two);
  t.is(changed.status, 409);
  t.regex(JSON.stringify(changed.body), /the images of 1\.0 have changed since the request/);
  t.is((await server.api('POST', `${approvals}/${first}/decline`, undefined, two)).status, 200);
  const second = await request('2.0');
  t.is((await server.api('DELETE', `/tokens/${idOf(one)}`)).status, 200);
  const revoked = await server.api('POST', `${approvals}/${second}/approve`, undefined, two);
  t.is(revoked.status, 409);
  t.regex(JSON.stringify(revoked.body), /no longer has the required role/);
  t.is(
    (await server.restart()).parts.catalog.view('door')?.project.approvals?.length,
    1,
    'a request survives a restart',
  );
});

test('requests, lists and approves changes with commands', async (t) => {
  const { server, one, two } = await projectWithApproval(t);
  const { path: cwd } = await testFolder(t);
  const run = async (token: string, ...argv: string[]) => {
    const env = { OTA_SERVER: server.url, OTA_TOKEN: token };
    const { stdout, error } = await runCommand(['server', ...argv], { cwd, env });
    return { stdout, error };
  };
  const refused = await run(one, 'releases', 'promote', 'door', '1.0');
  t.regex(String(refused.error), /a second person must approve/);
  const requested = await run(one, 'releases', 'promote', 'door', '1.0', '--request-approval');
  const [, id = ''] = /server approvals approve door ([0-9a-f]{12})/.exec(requested.stdout) ?? [];
  t.regex((await run(two, 'approvals', 'list', 'door')).stdout, new RegExp(`${id} +promotion +1\\.0 +stable +one`));
  t.regex((await run(two, 'approvals', 'approve', 'door', id)).stdout, /was approved/);
  const rollout = await run(one, 'rollouts', 'start', 'door', '2.0', '--stage', '100', '--request-approval', '--json');
  const { id: second } = JSON.parse(rollout.stdout);
  t.regex((await run(two, 'approvals', 'approve', 'door', second)).stdout, /was approved; rollout 1 was started/);
  t.regex((await run(one, 'projects', 'show', 'door')).stdout, /approval +second-person/);
});
