import test from 'ava';
import type { AuditInfo } from '../../src/api/admin-info.ts';
import { apiRoot } from '../../src/api/release.ts';
import { makeApi } from '../../src/server/http/api/app.ts';
import { signingLogEntries } from '../support/signing-log-entries.ts';
import { testBuild, testSigner } from './builds.ts';
import { releaseRequest, startTestServer, type TestServer, upload } from './running-server.ts';

const signer = testSigner();
const [first, second] = [
  await testBuild({ version: '1.0', project: 'door', signer }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2 }),
];
const mac = '18:FE:34:AA:BB:CC';
const device = `/projects/door/devices/${mac}`;
const retry = '/projects/door/devices/retry';

type Change = readonly [method: string, path: string, body: unknown, action: string, detail: object];

/** All requests that change data, in an order in which each request succeeds. */
const changes: readonly Change[] = [
  [
    'POST',
    '/webhooks',
    { url: 'http://127.0.0.1:9/secret', events: ['release.published'], allowPrivate: true },
    'webhook.added',
    { webhook: 1, origin: 'http://127.0.0.1:9', allowPrivate: true },
  ],
  ['POST', '/projects/door/releases', releaseRequest(first.manifest), 'release.published', { version: '1.0' }],
  ['POST', '/webhooks/1/deliveries/1/redeliver', undefined, 'webhook.redelivered', { webhook: 1, delivery: 1 }],
  ['DELETE', '/webhooks/1', undefined, 'webhook.removed', { webhook: 1 }],
  [
    'POST',
    '/projects/door/releases',
    releaseRequest(second.manifest, { draft: true }),
    'release.published',
    { version: '2.0' },
  ],
  ['PUT', '/projects/door', { access: 'closed' }, 'project.changed', { access: 'closed' }],
  [
    'PUT',
    device,
    { name: 'front door', group: 'hall', pin: '1.0' },
    'device.enrolled',
    { mac, group: 'hall', pin: '1.0' },
  ],
  ['POST', `${device}/retry`, undefined, 'device.retried', { mac }],
  ['POST', retry, { devices: { status: 'failed' } }, 'device.retried', { mac, versions: ['2.0'] }],
  [
    'POST',
    '/projects/door/devices/import',
    { devices: [{ mac: '18:FE:AA:AA:AA:AA', name: 'lamp' }] },
    'device.enrolled',
    { enrolled: true, name: 'lamp' },
  ],
  [
    'PATCH',
    '/projects/door/devices',
    { devices: { macs: [mac] }, change: { group: 'lobby' } },
    'device.edited',
    { mac, group: 'lobby' },
  ],
  [
    'POST',
    '/projects/door/devices/credentials',
    { credentials: [{ mac, hash: 'a'.repeat(64) }] },
    'device.credentials-created',
    { mac },
  ],
  ['POST', '/projects/door/devices/credentials/revoke', { macs: [mac] }, 'device.credentials-revoked', { mac }],
  ['DELETE', device, undefined, 'device.removed', { mac }],
  [
    'PUT',
    '/projects/door/releases/notes',
    { version: '1.0', notes: '# First release' },
    'release.notes-changed',
    { version: '1.0', length: 15 },
  ],
  [
    'POST',
    '/projects/door/signatures',
    { entries: signingLogEntries({ count: 2 }) },
    'signatures.recorded',
    { entries: signingLogEntries({ count: 2 }) },
  ],
  ['PUT', '/projects/door/channels/beta', { version: '1.0' }, 'release.promoted', { channel: 'beta' }],
  [
    'POST',
    '/projects/door/approvals/promotions',
    { version: '1.0', channel: 'night' },
    'approval.requested',
    { change: 'promotion', version: '1.0', channel: 'night' },
  ],
  [
    'POST',
    '/projects/door/approvals/rollouts',
    { version: '2.0', stages: [{ share: 100 }] },
    'approval.requested',
    { change: 'rollout', version: '2.0', channel: 'stable' },
  ],
  ['POST', '/projects/door/approvals/APPROVAL/decline', undefined, 'approval.declined', { channel: 'night' }],
  ['POST', '/projects/door/approvals/APPROVAL/approve', undefined, 'approval.granted', { channel: 'cellar' }],
  [
    'POST',
    '/projects/door/rollouts',
    { version: '2.0', stages: [{ share: 100 }] },
    'rollout.started',
    { version: '2.0' },
  ],
  ['POST', '/projects/door/rollouts/1/pause', {}, 'rollout.paused', { channel: 'stable' }],
  [
    'POST',
    '/projects/door/releases/yank',
    { version: '2.0', reason: 'it smokes' },
    'release.yanked',
    { reason: 'it smokes' },
  ],
  ['POST', '/tokens', { roles: ['read'], name: 'ci' }, 'token.created', { roles: ['read'], name: 'ci' }],
  ['DELETE', '/tokens/ID', undefined, 'token.revoked', { id: 'ID' }],
];

async function entries({ api }: TestServer): Promise<readonly AuditInfo[]> {
  const { body } = await api('GET', '/audit?limit=1000');
  // The type assertion is safe, because the endpoint returns this type.
  return (body as unknown as { entries: AuditInfo[] }).entries;
}

/** Makes the device fail to install an update, so that there is something to retry. */
async function failUpdate({ parts }: TestServer): Promise<void> {
  const [kind, state, failure] = ['sketch', 'failed', 'not-installed'] as const;
  const counts = { sends: 1, receipts: 1, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 };
  const attempt = { releaseId: 2, version: '2.0', kind, state, failure, ...counts };
  const decision = { action: 'none', code: 'failed', text: 'not installed', at: 1 } as const;
  const failed = { attempts: [attempt], decisions: { sketch: decision } };
  await parts.records.change('door', mac, (record) => record && { ...record, ...failed });
}

/** Requests a promotion with another token, because no token may approve its own request. */
async function requestAsOther({ api }: TestServer): Promise<void> {
  const { body } = await api('POST', '/tokens', { roles: ['operate'] });
  const promotion = { version: '1.0', channel: 'cellar' };
  await api('POST', '/projects/door/approvals/promotions', promotion, String(body['token']));
}

/** Returns the ID of the first request or, for an approval, of the last one. */
async function waitingApproval({ api }: TestServer, path: string): Promise<string> {
  const { body } = await api('GET', '/projects/door/approvals');
  const approvals = body['approvals'] as readonly { readonly id: string }[];
  return approvals.at(path.endsWith('/approve') ? -1 : 0)?.id ?? '';
}

test('records every change in the audit log with the ID of the token that made the change', async (t) => {
  const server = await startTestServer(t);
  for (const { files } of [first, second]) {
    for (const bytes of files.values()) await upload(server.url, bytes, server.token);
  }
  const own = server.token.split('_')[1];
  let made = 'none yet';
  for (const [method, path, body, action, detail] of changes) {
    if (path.endsWith('/approve')) await requestAsOther(server);
    const before = (await entries(server)).length;
    if (path === retry) await failUpdate(server);
    const approval = path.includes('APPROVAL') ? await waitingApproval(server, path) : '';
    const response = await server.api(method, path.replace('ID', made).replace('APPROVAL', approval), body);
    t.true(response.status < 300, `${method} ${path}: ${JSON.stringify(response.body)}`);
    if (action === 'token.created') made = String(response.body['id']);
    const found = await entries(server);
    const fresh = found.slice(0, found.length - before);
    const entry = fresh.find((each) => each.action === action);
    t.is(entry?.actor, own, `${method} ${path}: ${JSON.stringify(fresh)}`);
    t.like(JSON.parse(JSON.stringify(entry?.detail).replace(made, 'ID')), detail, `${method} ${path}`);
  }
});

test('every endpoint that changes data, except blob uploads, has an audit test', async (t) => {
  const { parts } = await startTestServer(t);
  const known = changes.map(([method, path]) => `${method} ${apiRoot}${path}`);
  const isKnown = (method: string, path: string) => {
    const pattern = new RegExp(`^${method} ${path.replaceAll(/:\w+/g, '[^/]+')}$`);
    return known.some((each) => pattern.test(each));
  };
  const changing = makeApi(parts)
    .routes.filter(({ method, path }) => path.startsWith(`${apiRoot}/`) && !['GET', 'ALL'].includes(method))
    .map(({ method, path }) => [method, path] as const);
  t.true(changing.length > 10);
  const unknown = changing.filter(([method, path]) => !isKnown(method, path)).map((each) => each.join(' '));
  // Blob uploads need no audit entry, because uploaded bytes are not visible until they are published. A preview changes nothing.
  t.deepEqual(
    [...new Set(unknown)],
    [`POST ${apiRoot}/projects/:project/devices/preview`, `PATCH ${apiRoot}/uploads/:sha256`],
  );
});
