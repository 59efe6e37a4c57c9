/** Attacks on rollouts of devices with credentials, by a client that knows their MACs but not their secrets. */
import test, { type ExecutionContext } from 'ava';
import type { Build } from '../../../src/core/pack/build.ts';
import { receiptsNoted, type TestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import {
  attackerAddresses,
  basic,
  checkIn,
  createSecrets,
  draft,
  macOf,
  maintained,
  running,
  startFleet,
  startRollout,
} from './fleet.ts';

const devices = 20;

/** Fleet whose devices have used their secrets. */
async function startSecuredFleet(t: ExecutionContext) {
  const server = await startFleet(t, devices);
  const { headers, response } = await createSecrets(server, devices);
  t.is(response.created.length, devices);
  for (const [index, authorization] of headers.entries()) await checkIn(server, index, running, { authorization });
  return { server, headers };
}

/** Authorization headers that a client without the secret can invent. */
function forgedHeaders(index: number, headers: readonly string[]): readonly (string | undefined)[] {
  const user = macOf(index).replaceAll(':', '');
  const another = Buffer.from(headers[(index + 1) % devices]?.slice('Basic '.length) ?? '', 'base64').toString();
  return [
    undefined,
    basic(user, ''),
    basic(user, 'guess'),
    basic(user, another.split(':')[1] ?? ''),
    headers[(index + 1) % devices],
    basic(macOf(index), 'guess'),
    `${headers[index]?.slice(0, -4)}AAAA`,
    headers[index]?.replace('Basic', 'Bearer'),
    'Basic ',
  ];
}

/** Sends reports that would complete the rollout, downloads that would fail, and reports that would halt it. */
async function forgeAll(server: TestServer, headers: readonly string[], addresses: readonly string[]): Promise<number> {
  const file = draft.manifest.artifacts[0]?.file;
  const paths = ['/update/door', '/update/door/beta', `/files/door/2.0/${file}`, `/files/door/@stable/${file}`];
  let forged = 0;
  const forge = async (index: number, build: Build, path: string, authorization: string | undefined) => {
    const from = addresses[forged++ % addresses.length];
    return (await checkIn(server, index, build, { path, authorization, from })).status;
  };
  for (let index = 0; index < devices; index++) {
    for (const authorization of forgedHeaders(index, headers)) {
      for (const path of paths) {
        for (const build of [running, draft, running]) {
          const status = await forge(index, build, path, authorization);
          if (status !== 401) throw new Error(`${path} with ${authorization}: ${status}`);
        }
      }
    }
  }
  return forged;
}

for (const addresses of [1, 50]) {
  test(`prevents a forger without secrets from completing or halting a rollout from ${addresses} addresses`, async (t) => {
    const { server, headers } = await startSecuredFleet(t);
    // With the default of 90%, the server completes the rollout, and keeps its numbers, as soon as it sees 18 updated devices.
    const gate = { runningPercent: 100, soakMs: 0 };
    const { id } = await startRollout(server, { gate, halt: { failures: 1, notConfirmed: 1 } });
    const before = await maintained(server, id);
    t.like(before.tally, { members: devices, pending: devices, withCredentials: devices });
    const tried = await forgeAll(server, headers, attackerAddresses(addresses));
    const after = await maintained(server, id);
    t.deepEqual(after, before);
    countAttacks({ kind: 'forged update checks of devices with credentials', tried, withstood: tried });

    for (const [index, authorization] of headers.entries()) {
      t.is((await checkIn(server, index, running, { authorization })).header('x-version'), '2.0');
      t.is((await checkIn(server, index, draft, { authorization })).status, 304);
    }
    const { state, tally, unproven } = await maintained(server, id);
    t.is(state, 'complete');
    t.like(tally, { running: devices, unproven: 0 });
    t.is(unproven, undefined);
  });
}

test('halts a rollout on failures that devices report with their secrets, after any number of resumptions', async (t) => {
  const { server, headers } = await startSecuredFleet(t);
  const { id } = await startRollout(server, { halt: { failures: 2, minimumSample: 20 } });
  for (let index = 0; index < devices; index += 2) {
    for (const failing of [index, index + 1]) {
      const authorization = headers[failing];
      for (let downloads = 0; downloads < 4; downloads++) await checkIn(server, failing, running, { authorization });
    }
    const { state, reason } = await maintained(server, id);
    t.is(state, 'halted');
    t.is(reason, '2 devices failed to update to 2.0 (limit: 2)');
    await server.api('POST', `/projects/door/rollouts/${id}/resume`, { acceptFailures: true });
  }
});

test('a forged download before the first use of a secret does not count once the device requires it', async (t) => {
  const server = await startFleet(t, 2);
  const { headers } = await createSecrets(server, 2);
  const { id } = await startRollout(server);
  const [attacker] = attackerAddresses(1);
  await checkIn(server, 0, running, { from: attacker });
  await checkIn(server, 0, draft, { from: attacker });
  t.like((await maintained(server, id)).tally, { running: 1, unproven: 1 });
  const [authorization] = headers;
  await checkIn(server, 0, running, { authorization });
  t.like((await maintained(server, id)).tally, { running: 0, withCredentials: 1 });
});

test('serves a device without its secret until it has used the secret, and never afterwards', async (t) => {
  const server = await startFleet(t, 1);
  const [authorization] = (await createSecrets(server, 1)).headers;
  t.is((await checkIn(server, 0, running)).status, 304);
  t.is((await checkIn(server, 0, running, { authorization: basic('020000000000', 'guess') })).status, 304);
  t.is((await checkIn(server, 0, running, { authorization })).status, 304);
  for (let repeated = 0; repeated < 3; repeated++) {
    t.is((await checkIn(server, 0, running)).status, 401, 'not even a repeated request');
    t.is((await checkIn(server, 0, running, { authorization })).status, 304);
  }
  const restarted = await server.restart();
  t.is((await checkIn(restarted, 0, running)).status, 401);
  t.is((await checkIn(restarted, 0, running, { authorization })).status, 304);
});

test('accepts the old secret after a rotation until the device has used the new one', async (t) => {
  const server = await startFleet(t, 1);
  const [old] = (await createSecrets(server, 1)).headers;
  await checkIn(server, 0, running, { authorization: old });
  t.deepEqual((await createSecrets(server, 1)).response, { created: [], skipped: [{ mac: macOf(0), state: 'used' }] });
  const [fresh] = (await createSecrets(server, 1, { rotate: true })).headers;
  const again = await createSecrets(server, 1, { rotate: true });
  t.deepEqual(again.response.skipped, [{ mac: macOf(0), state: 'rotating' }]);
  t.is((await checkIn(server, 0, running, { authorization: again.headers[0] })).status, 401);
  for (let repeated = 0; repeated < 2; repeated++) {
    t.is((await checkIn(server, 0, running, { authorization: old })).status, 304);
    t.is((await checkIn(server, 0, running)).status, 401);
  }
  t.is((await checkIn(server, 0, running, { authorization: fresh })).status, 304);
  t.is((await checkIn(server, 0, running, { authorization: old })).status, 401);
});

test('replaces an unused secret, and keeps the one in use valid', async (t) => {
  const server = await startFleet(t, 1);
  const [first] = (await createSecrets(server, 1)).headers;
  const [used] = (await createSecrets(server, 1, { replaceUnused: true })).headers;
  t.is((await checkIn(server, 0, running, { authorization: used })).status, 304);
  t.is((await checkIn(server, 0, running, { authorization: first })).status, 401);
  const [lost] = (await createSecrets(server, 1, { rotate: true })).headers;
  const [fresh] = (await createSecrets(server, 1, { rotate: true, replaceUnused: true })).headers;
  t.is((await checkIn(server, 0, running, { authorization: lost })).status, 401);
  t.is((await checkIn(server, 0, running, { authorization: used })).status, 304);
  t.is((await checkIn(server, 0, running, { authorization: fresh })).status, 304);
});

test('rejects a device whose secrets are revoked until it uses a new one, and serves it if they are forgotten', async (t) => {
  const server = await startFleet(t, 2);
  const { headers } = await createSecrets(server, 2);
  await checkIn(server, 0, running, { authorization: headers[0] });
  const path = '/projects/door/devices/credentials/revoke';
  const macs = [macOf(0), macOf(1), '02:00:00:00:00:FF'];
  const { body } = await server.api('POST', path, { macs });
  t.deepEqual(body['revoked'], [macOf(0), macOf(1)]);
  t.is((await checkIn(server, 0, running, { authorization: headers[0] })).status, 401);
  t.is((await checkIn(server, 0, running)).status, 401);
  t.is((await checkIn(server, 1, running)).status, 304, 'it never used a secret');
  const [fresh] = (await createSecrets(server, 1)).headers;
  t.is((await checkIn(server, 0, running, { authorization: fresh })).status, 304);
  await server.api('POST', path, { macs, forget: true });
  t.is((await checkIn(server, 0, running)).status, 304);
});

test('accepts the project password until the device has used its secret', async (t) => {
  const server = await startFleet(t, 1);
  const credential = { user: 'esp', password: 'open sesame' };
  await server.api('PUT', '/projects/door', { credential });
  const [authorization] = (await createSecrets(server, 1)).headers;
  const shared = basic('esp', 'open sesame');
  t.is((await checkIn(server, 0, running)).status, 401);
  t.is((await checkIn(server, 0, running, { authorization: shared })).status, 304);
  t.is((await checkIn(server, 0, running, { authorization })).status, 304);
  t.is((await checkIn(server, 0, running, { authorization: shared })).status, 401);
});

test('neither stores nor shows a secret', async (t) => {
  const server = await startFleet(t, 1);
  const [header = ''] = (await createSecrets(server, 1)).headers;
  const [, secret = ''] = Buffer.from(header.slice('Basic '.length), 'base64').toString().split(':');
  await checkIn(server, 0, running, { authorization: header });
  const responses = [
    await server.api('GET', '/projects/door/devices'),
    await server.api('GET', '/audit'),
    await (await fetch(`${server.url}/api/v1/backup`, { headers: { authorization: `Bearer ${server.token}` } })).text(),
    server.logged,
  ];
  const text = JSON.stringify(responses);
  t.false(text.includes(secret));
  t.regex(text, /device\.credentials-created/);
});

test('counts a completed download with a secret as proven', async (t) => {
  const server = await startFleet(t, 1);
  const [authorization] = (await createSecrets(server, 1)).headers;
  await checkIn(server, 0, running, { authorization });
  const { id } = await startRollout(server);
  await checkIn(server, 0, running, { authorization });
  await receiptsNoted(server, macOf(0), 1);
  t.like((await maintained(server, id)).tally, { updating: 1 });
  await checkIn(server, 0, draft, { authorization });
  t.like((await maintained(server, id)).tally, { running: 1, unproven: 0 });
});
