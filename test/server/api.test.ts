import test, { type ExecutionContext } from 'ava';
import { apiRoot, type Role, roles } from '../../src/api/release.ts';
import { type Action, permits, rolesFor } from '../../src/server/auth/permissions.ts';
import { makeToken } from '../../src/server/auth/tokens.ts';
import { makeParts, openData } from '../../src/server/compose.ts';
import { makeApi } from '../../src/server/http/api/app.ts';
import { newProject } from '../../src/server/services/releases/project.ts';
import { firstToken } from '../../src/server/services/tokens.ts';
import { testFolder } from '../support/test-folder.ts';
import { auditBy } from './audit-by.ts';

const nobodyListens = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** API app that tests call directly, without a listening server. */
async function testApi(t: ExecutionContext) {
  const data = await openData({ data: (await testFolder(t)).at('data') }, 'a test');
  const { store } = data;
  t.teardown(() => store.close());
  await store.catalog.saveProject(newProject('door', []), auditBy('test'));
  await store.catalog.saveProject(newProject('window', []), auditBy('test'));
  const stopping = new AbortController();
  const parts = await makeParts(data, { log: nobodyListens, limits: { failuresPerSecond: 0 } }, stopping.signal);
  const api = makeApi(parts);
  const tokenOf = async (held: Role | readonly Role[], project?: string): Promise<string> => {
    const { record, token } = makeToken({ roles: [held].flat(), project, name: String(held) });
    await store.tokens.create(record, auditBy('test'));
    return token;
  };
  const request = async (method: string, path: string, token?: string, body?: unknown) => {
    const response = await api.request(path.startsWith('/') ? path : `${apiRoot}/${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { parts, store, stopping, tokenOf, request, routes: api.routes };
}

const mac = '18:FE:34:AA:BB:CC';

/** All endpoints, each with the action that a token must permit. */
const endpoints: readonly (readonly [method: string, path: string, action: Action, body?: unknown])[] = [
  ['GET', 'server', 'view'],
  ['GET', 'token', 'view'],
  ['GET', 'projects', 'view'],
  ['GET', 'projects/door', 'view'],
  ['PUT', 'projects/door', 'projects', {}],
  ['GET', 'projects/door/keys', 'view'],
  ['GET', 'projects/door/releases', 'view'],
  ['POST', 'projects/door/releases', 'draft', {}],
  ['POST', 'projects/door/releases/yank', 'yank', {}],
  ['PUT', 'projects/door/releases/notes', 'notes', {}],
  ['GET', 'projects/door/signatures', 'signatures'],
  ['POST', 'projects/door/signatures', 'signatures', {}],
  ['PUT', 'projects/door/channels/stable', 'promote', {}],
  ['GET', 'projects/door/channels/stable', 'view'],
  ['GET', 'projects/door/devices', 'view'],
  ['GET', `projects/door/devices/${mac}`, 'view'],
  ['PUT', `projects/door/devices/${mac}`, 'devices', {}],
  ['POST', `projects/door/devices/${mac}/retry`, 'devices'],
  ['DELETE', `projects/door/devices/${mac}`, 'devices'],
  ['PATCH', 'projects/door/devices', 'devices', {}],
  ['POST', 'projects/door/devices/retry', 'devices', {}],
  ['POST', 'projects/door/devices/import', 'devices', {}],
  ['POST', 'projects/door/devices/credentials', 'devices', {}],
  ['POST', 'projects/door/devices/credentials/revoke', 'devices', {}],
  ['POST', 'projects/door/devices/preview', 'view', { macs: [] }],
  ['GET', 'devices/not-enrolled', 'view'],
  ['GET', 'projects/door/rollouts', 'view'],
  ['POST', 'projects/door/rollouts', 'rollouts', {}],
  ['GET', 'projects/door/rollouts/1', 'view'],
  ['GET', 'projects/door/rollouts/1/devices', 'view'],
  ['POST', 'projects/door/rollouts/1/pause', 'rollouts', {}],
  ['GET', 'projects/door/approvals', 'view'],
  ['POST', 'projects/door/approvals/rollouts', 'rollouts', {}],
  ['POST', 'projects/door/approvals/promotions', 'promote', {}],
  ['POST', 'projects/door/approvals/x/approve', 'rollouts'],
  ['POST', 'projects/door/approvals/x/decline', 'rollouts'],
  ['GET', `uploads/${'0'.repeat(64)}`, 'upload'],
  ['PATCH', `uploads/${'0'.repeat(64)}`, 'upload'],
  ['GET', 'tokens', 'administer'],
  ['POST', 'tokens', 'administer', {}],
  ['DELETE', 'tokens/abc', 'administer'],
  ['GET', 'webhooks', 'administer'],
  ['POST', 'webhooks', 'administer', {}],
  ['DELETE', 'webhooks/1', 'administer'],
  ['GET', 'webhooks/1/deliveries', 'administer'],
  ['POST', 'webhooks/1/deliveries/1/redeliver', 'administer'],
  ['GET', 'audit', 'administer'],
  ['GET', 'audit/lines', 'administer'],
  ['GET', 'backup', 'administer'],
  ['GET', '/metrics', 'view'],
];
/** Every set of roles that a token can have. */
const roleSets = Array.from({ length: 2 ** roles.length }, (_, set) =>
  roles.filter((_, bit) => (set >> bit) % 2 === 1),
);

for (const [method, path, action, body] of endpoints) {
  test(`${method} ${path} requires the role ${rolesFor(action).join(' or ')}`, async (t) => {
    const { request, tokenOf } = await testApi(t);
    const good = await tokenOf('admin');
    t.is((await request(method, path, undefined, body)).status, 401);
    for (const bad of ['x', good.slice(0, -1), `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`, `${good}A`]) {
      t.is((await request(method, path, bad, body)).status, 401, bad);
    }
    for (const held of roleSets.filter((set) => set.length > 0)) {
      const { status } = await request(method, path, await tokenOf(held), body);
      t.is([401, 403].includes(status), !permits({ roles: held }, action), `${held.join('+')}: ${status}`);
      t.true(status < 500);
    }
  });
}

test('tests the required role of every API route', async (t) => {
  const { routes } = await testApi(t);
  const received = new Set(endpoints.map(([method, path]) => `${method} ${path.replace(/^\/?/, '/')}`));
  const isTested = ({ method, path }: (typeof routes)[number]) => {
    const [, ...names] = path.replace(apiRoot, '').split('/');
    const pattern = new RegExp(
      `^${method} ${names.map((name) => `/${name.startsWith(':') ? '[^/]+' : name}`).join('')}$`,
    );
    return [...received].some((each) => pattern.test(each));
  };
  const ofTheApi = routes.filter(({ method, path }) => path.startsWith(`${apiRoot}/`) && method !== 'ALL');
  t.true(ofTheApi.length >= endpoints.length - 1);
  t.deepEqual(
    ofTheApi.filter((route) => !isTested(route)).map(({ method, path }) => `${method} ${path}`),
    [],
  );
});

test('rejects a project token on other projects and on server administration endpoints', async (t) => {
  const { request, tokenOf } = await testApi(t);
  const token = await tokenOf('admin', 'window');
  for (const [method, path, , body] of endpoints) {
    const { status, text } = await request(method, path, token, body);
    const isShared =
      ['server', 'token', 'projects', 'devices/not-enrolled', '/metrics'].includes(path) || path.startsWith('uploads');
    t.is(status === 403, !isShared, `${method} ${path}: ${status}`);
    if (path === 'projects') t.notRegex(text, /door/);
  }
  t.is((await request('GET', 'projects/window', token)).status, 200);
});

test('returns a token only on creation, stores only its hash and rejects the token after revocation', async (t) => {
  const { request, store, tokenOf } = await testApi(t);
  const admin = await tokenOf('admin');
  const made = await request('POST', 'tokens', admin, { roles: ['publish'], project: 'door', name: 'ci' });
  t.is(made.status, 201);
  const { token, id }: { token: string; id: string } = JSON.parse(made.text);
  // The secret may contain underscores.
  const secret = token.slice(`ota_${id}_`.length);
  const lines = [];
  for await (const line of store.dump()) lines.push(JSON.stringify(line));
  t.notRegex(lines.join('\n'), new RegExp(secret));
  t.notRegex((await request('GET', 'tokens', admin)).text, new RegExp(secret));
  t.is((await request('GET', 'projects/door/releases', token)).status, 200);
  t.is((await request('DELETE', `tokens/${id}`, admin)).status, 200);
  t.is((await request('GET', 'projects/door/releases', token)).status, 401);
  t.is((await request('DELETE', `tokens/${id}`, admin)).status, 404);
});

test('creates the first admin token only once', async (t) => {
  const { parts } = await testApi(t);
  const kept: string[] = [];
  const keep = async (text: string) => void kept.push(text);
  const token = await firstToken(parts, keep);
  t.truthy(token);
  t.is(await firstToken(parts, keep), undefined);
  t.deepEqual(kept, [token]);
});

test('rejects malformed and invalid bodies with a hint, and oversized bodies with 413', async (t) => {
  const { request, tokenOf } = await testApi(t);
  const admin = await tokenOf('admin');
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"roles":["root"]}',
    '{"roles":["admin"],"more":1}',
    '\u0000',
    '[[[[[',
  ]) {
    const { status, text } = await request('POST', 'tokens', admin, body);
    t.true([400, 422].includes(status), `${body}: ${status}`);
    t.truthy(JSON.parse(text).error.hint);
  }
  const huge = await request(
    'POST',
    'tokens',
    admin,
    JSON.stringify({ roles: ['admin'], name: 'x'.repeat(3_000_000) }),
  );
  t.is(huge.status, 413);
});

test('rejects JSON nested more than 16 levels deep before parsing the JSON', async (t) => {
  const { request, tokenOf } = await testApi(t);
  const admin = await tokenOf('admin');
  const deep = await request('POST', 'tokens', admin, '['.repeat(1_000_000));
  t.is(deep.status, 400);
  t.is(JSON.parse(deep.text).error.message, 'the body has more than 16 levels of nesting');
  const brackets = JSON.stringify({ roles: ['read'], name: `\\"${'['.repeat(50)}` });
  t.is((await request('POST', 'tokens', admin, brackets)).status, 201, 'brackets in a text are no levels');
});

test('returns only the first validation problem for a large body', async (t) => {
  const { request, tokenOf } = await testApi(t);
  const admin = await tokenOf('admin');
  const problemsOf = async (count: number) => {
    const allow = Array.from({ length: count }, () => 1);
    const body = JSON.stringify({ version: '1.0', manifest: '{}', allow });
    return JSON.parse((await request('POST', 'projects/door/releases', admin, body)).text).error.problems;
  };
  t.is((await problemsOf(3)).length, 3);
  t.is((await problemsOf(900_000)).length, 1);
});

test('rejects invalid project settings, invalid project names and an alias that is already in use', async (t) => {
  const { request, tokenOf } = await testApi(t);
  const admin = await tokenOf('admin');
  const settings = [
    { access: 'half' },
    { aliases: [{ path: '/api/v1/tokens' }] },
    { aliases: [{ path: '/update/x' }] },
    { aliases: [{ path: 'no-slash' }] },
    { aliases: [{ path: ':not-a-port' }] },
    { aliases: [{ path: '/x?y' }] },
    { aliases: [{ path: '/x y' }] },
    { aliases: [{ path: '/x', channel: '../y' }] },
    { credential: { user: 'a:b', password: 'long enough' } },
    { credential: { user: 'a', password: 'short' } },
    { confirmWithinMs: 0 },
    { mostSends: 0 },
    { mostSends: 1.5 },
    { publicKeys: ['no key'] },
  ];
  for (const body of settings)
    t.is((await request('PUT', 'projects/door', admin, body)).status, 422, JSON.stringify(body));
  t.is((await request('PUT', 'projects/door', admin, { aliases: [{ path: '/esp/x.php' }] })).status, 200);
  const ofWindow = await tokenOf('admin', 'window');
  t.is((await request('PUT', 'projects/window', ofWindow, { aliases: [{ path: '/esp/x.php' }] })).status, 409);
  t.is((await request('PUT', 'projects/window', admin, { aliases: [{ path: '/esp/x.php' }] })).status, 200);
  for (const name of ['..', '.hidden', 'a b', 'x'.repeat(65), '%00']) {
    t.true([404, 422].includes((await request('PUT', `projects/${encodeURIComponent(name)}`, admin, {})).status), name);
  }
});

test('pages through the device list, and rejects an invalid limit', async (t) => {
  const { request, tokenOf } = await testApi(t);
  const admin = await tokenOf('admin');
  const macs = Array.from({ length: 7 }, (_, index) => `18:FE:34:00:00:0${index}`);
  for (const each of macs) t.is((await request('PUT', `projects/door/devices/${each}`, admin, {})).status, 200);
  const seen: string[] = [];
  for (let after = ''; ; ) {
    const page = JSON.parse((await request('GET', `projects/door/devices?limit=3&after=${after}`, admin)).text);
    seen.push(...page.devices.map((device: { mac: string }) => device.mac));
    if (page.next === undefined) break;
    after = page.next;
  }
  t.deepEqual(seen, macs);
  t.is((await request('GET', 'projects/door/devices?limit=99999', admin)).status, 422);
  t.is((await request('GET', 'projects/door/devices?limit=x', admin)).status, 422);
});

test('returns 429 to an address that sends too many invalid tokens', async (t) => {
  const { request } = await testApi(t);
  const statuses = new Set<number>();
  for (let count = 0; count < 150; count++) statuses.add((await request('GET', 'server', 'wrong')).status);
  t.deepEqual([...statuses], [401, 429]);
});

test('serves health and metrics, and returns 404 for unknown paths and 503 while stopping', async (t) => {
  const { request, stopping, tokenOf } = await testApi(t);
  t.is((await request('GET', '/healthz')).status, 200);
  const metrics = await request('GET', '/metrics', await tokenOf('read'));
  t.regex(metrics.text, /^ota_downloads_active 0$/m);
  for (const path of ['/api/v1', '/api/v1/nothing', '/api/v2/server', '/..%2f..%2fetc/passwd']) {
    const { status, headers } = await request('GET', path);
    t.is(status, 404, path);
    t.is(headers.get('x-content-type-options'), 'nosniff');
  }
  stopping.abort();
  t.is((await request('GET', '/healthz')).status, 503);
  t.is((await request('POST', 'tokens', await tokenOf('admin'), {})).status, 503);
});

test('allows a rule for one device, and rejects rules that are not about the files of the device', async (t) => {
  const { request, tokenOf, store } = await testApi(t);
  const operator = await tokenOf('operate');
  const path = 'projects/door/devices/18:FE:34:00:00:01';
  t.is(JSON.parse((await request('PUT', path, operator, { allow: ['fs-moved'] })).text).allow[0], 'fs-moved');
  const [entry] = await store.audit.list({ limit: 1 });
  t.deepEqual(entry?.detail['allow'], ['fs-moved']);
  for (const rule of ['wrong-key', 'unsigned-to-signed', 'flash-mode-gz', 'everything']) {
    t.is((await request('PUT', path, operator, { allow: [rule] })).status, 422, rule);
  }
  t.deepEqual((await store.devices.get('door', '18:FE:34:00:00:01'))?.record.allow, ['fs-moved']);
  t.is(JSON.parse((await request('PUT', path, operator, { allow: [] })).text).allow, undefined);
});
