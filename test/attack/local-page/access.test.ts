/** Attacks on the page of `ota-hooks ui` by other sites, other programs on this machine, and devices on the network. */
import test from 'ava';
import type { VirtualDeviceOptions } from '../../../src/simulator/options.ts';
import { sendRaw } from '../../server/raw-device.ts';
import { listed, packedDoor, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { openLocalPage } from '../../support/local-page.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { allHostileText, hostileIn } from '../terminal/hostile-text.ts';

const board = 'd1_mini';

test('acts only on requests with its host name, its origin, its cookie and its form token', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { kitchen: listed(device, { board }) }, { board, upload: { confirm: 'none' } });
  const page = await openLocalPage(t, folder);
  const { text } = await page.get();
  const [, form = ''] = /name="form" value="(\w+)"/.exec(text) ?? [];
  const { host, port } = new URL(page.origin);
  const { pathname } = new URL(page.home);
  const valid = {
    method: 'POST',
    path: `${pathname}update`,
    Host: host,
    Origin: page.origin,
    Cookie: page.cookie,
    'Content-Type': 'application/x-www-form-urlencoded',
    form,
  };
  const send = async (changes: Partial<Record<string, string | undefined>>) => {
    const { method, path, form: token, ...headers } = { ...valid, ...changes };
    const body = method === 'POST' ? new URLSearchParams({ form: token ?? '', device: 'kitchen' }).toString() : '';
    const lines = Object.entries({ ...headers, 'Content-Length': String(body.length), Connection: 'close' })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    const response = (
      await sendRaw(Number(port), `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
    ).toString();
    return { status: Number(response.split(' ')[1]), response };
  };
  const attacks: readonly Partial<Record<string, string | undefined>>[] = [
    // DNS rebinding, and Host headers that look like this machine.
    ...[
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil.example`,
      `0.0.0.0:${port}`,
    ].map((name) => ({ Host: name, Origin: `http://${name}` })),
    { Host: undefined },
    { Host: `${host}\r\nHost: evil.example` },
    // Other sites, and other programs on this machine.
    ...['https://evil.example', 'null', 'http://127.0.0.1:1', `https://${host}`, `http://localhost:${port}`, ''].map(
      (origin) => ({ Origin: origin }),
    ),
    { Origin: undefined },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    // Without access.
    ...[undefined, '', 'ota-ui=', `ota-ui=${'0'.repeat(64)}`, 'ota-ui=__proto__'].map((cookie) => ({ Cookie: cookie })),
    { form: '' },
    { form: '0'.repeat(64) },
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'multipart/form-data; boundary=x' },
    { method: 'GET' },
    // The first part of the path is not enough, and other paths lead nowhere.
    { path: '/update' },
    ...[
      '..%2fupdate',
      '%2e%2e/%2e%2e/etc/passwd',
      '..\\update',
      'assets/../../update',
      'assets/%2e%2e%2fota.config.json',
    ].map((path) => ({ path: pathname + path })),
  ];
  for (const attack of attacks) {
    const { status, response } = await send(attack);
    t.true([400, 403, 404, 421].includes(status), `${JSON.stringify(attack)}: ${response}`);
    t.notRegex(response, /kitchen|root:|private/i);
  }
  t.deepEqual(updatesOf(device), []);
  for (const address of [
    '/',
    '/?token=',
    `/?token=${'0'.repeat(64)}`,
    '/?once=',
    '/?token=a&token=b',
    '/?once=constructor',
  ]) {
    const { status, response } = await send({ method: 'GET', path: address, Cookie: undefined });
    t.is(status, 403, address);
    t.notRegex(response, /set-cookie/i);
  }
  t.is(
    (await send({ 'Content-Type': valid['Content-Type'], Cookie: page.cookie, form: `${form}${'&'.repeat(70_000)}` }))
      .status,
    413,
  );
  const endless = Object.entries(valid)
    .filter(([name]) => /^[A-Z]/.test(name))
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const chunked = `POST ${valid.path} HTTP/1.1\r\n${endless.join('')}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`;
  t.regex((await sendRaw(Number(port), chunked)).toString(), /^HTTP\/1\.1 411 /);
  t.is((await send({})).status, 303, 'the same request without a change is accepted');
  t.like(await page.ended('kitchen'), { outcome: 'updated' });
  countAttacks({ kind: 'requests to the local page', tried: attacks.length + 7, withstood: attacks.length + 7 });
});

test('allows the page neither content from elsewhere nor to be part of another page', async (t) => {
  const page = await openLocalPage(t, await testFolder(t));
  const first = await fetch(page.url, { redirect: 'manual' });
  t.regex(first.headers.get('set-cookie') ?? '', /^ota-ui=\w{64}; Path=\/\w{32}\/; HttpOnly; SameSite=Strict$/);
  t.is(first.headers.get('cache-control'), 'no-store');
  const { headers } = await fetch(page.home, { headers: { cookie: page.cookie } });
  const policy = headers.get('content-security-policy') ?? '';
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]) {
    t.true(policy.includes(rule), policy);
  }
  t.notRegex(policy, /unsafe|https?:|\*/);
  t.like(Object.fromEntries(headers), {
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  const { text } = await page.get();
  for (const [, target = ''] of text.matchAll(/(?:src|href|action)="([^"]*)"/g)) t.notRegex(target, /^(?:\w+:|\/)/);
  t.notRegex(text, /<[^>]*\s(?:on\w+|style)=|<style|<script>/);
});

test('shows announced names as text on the page and in the terminal', async (t) => {
  const hostname = `evil-${process.pid}`;
  const html = `"><script>alert(1)</script><img src=x onerror=alert(1)>' --`;
  const txt = { board: html + allHostileText.slice(0, 60), auth_upload: allHostileText.slice(60, 120) };
  const options: VirtualDeviceOptions = { hostname, mdns: { txt } };
  await virtualDoor(t, options);
  const folder = await packedDoor(t, {}, { board });
  const page = await openLocalPage(t, folder);
  let { text } = await page.get();
  while (!text.includes(hostname)) ({ text } = await page.get());
  const add = await page.get(`add?host=${hostname}.local`);
  for (const shown of [text, add.text]) {
    t.is(hostileIn(shown), undefined);
    t.notRegex(shown, /<script>alert|<img|<b>/);
    t.true(shown.includes('&lt;script&gt;'), 'the name is shown');
  }
  const host = `${hostname}.local`;
  for (const name of ['<b>x</b>', '__proto__', '../x', 'a'.repeat(500), '', 'x\ny']) {
    const { status, text: refused } = await page.submit(
      'add',
      [
        ['host', host],
        ['name', name],
        ['board', board],
      ],
      `add?host=${host}`,
    );
    t.is(status, 422, name);
    t.notRegex(refused, /<b>x/);
  }
  t.notRegex(await folder.text('ota.config.json'), /evil|<b>|proto/);
  await page.stop();
  t.is(hostileIn(page.shown()), undefined);
});
