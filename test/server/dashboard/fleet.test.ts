import test from 'ava';
import type { ServerParts } from '../../../src/server/parts.ts';
import { saveProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt, BlockedUpdate, DeviceRecord } from '../../../src/server/storage/records.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

function macOf(index: number): string {
  return `18:FE:34:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`.toUpperCase();
}

async function addDevices(
  parts: ServerParts,
  count: number,
  more: (index: number) => Partial<DeviceRecord> = () => ({}),
) {
  const devices = Array.from({ length: count }, (_, index) => index);
  await Promise.all(devices.map((index) => saveDevice(parts, { ...newRecord('door', macOf(index)), ...more(index) })));
}

function macsOf(text: string): string[] {
  return [...text.matchAll(/devices\/((?:[0-9A-F]{2}%3A){5}[0-9A-F]{2})"/g)].map(([, mac]) =>
    decodeURIComponent(mac ?? ''),
  );
}

function linkOf(text: string, rel: string): string | undefined {
  return new RegExp(`rel="${rel}" href="([^"]+)"`).exec(text)?.[1]?.replaceAll('&amp;', '&');
}

test('shows 100 devices per page, with links to the next and previous pages', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  await addDevices(parts, 250);
  const user = await browserOf('read');
  const seen: string[][] = [];
  let text = '';
  for (let page: string | undefined = '/projects/door/devices'; page !== undefined; page = linkOf(text, 'next')) {
    text = (await user.get(page)).text;
    seen.push(macsOf(text));
  }
  t.deepEqual(
    seen.map(({ length }) => length),
    [100, 100, 50],
  );
  t.is(new Set(seen.flat()).size, 250);
  text = (await user.get(linkOf(text, 'prev') ?? '')).text;
  t.deepEqual(macsOf(text), seen[1]);
  text = (await user.get(linkOf(text, 'prev') ?? '')).text;
  t.deepEqual(macsOf(text), seen[0]);
  t.is(linkOf(text, 'prev'), undefined);
});

test('keeps the device filter on every page and shows the filter in the form', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const blocked = { sketch: { action: 'none', code: 'blocked x', text: 'it would be unsafe', at: 1 } } as const;
  await addDevices(parts, 260, (index) => (index % 2 === 0 ? { decisions: blocked, name: `hall ${index}` } : {}));
  const user = await browserOf('read');
  const first = (await user.get('/projects/door/devices?state=blocked&q=HALL')).text;
  t.is(macsOf(first).length, 100);
  t.regex(first, /value="HALL"/);
  t.regex(first, /<option value="blocked" selected/);
  t.regex(first, /it would be unsafe/);
  const second = (await user.get(linkOf(first, 'next') ?? '')).text;
  t.is(macsOf(second).length, 30);
  t.regex(second, /value="HALL"/);
  t.is(macsOf((await user.get('/projects/door/devices?q=hall+7')).text).length, 5);
  t.regex((await user.get('/projects/door/devices?q=nobody')).text, /No matching devices\./);
  t.is(macsOf((await user.get('/projects/door/devices?state=nonsense')).text).length, 100);
});

test('escapes values from devices and users on every page', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`;
  const decision = { action: 'send', code: evil, text: evil, version: evil, at: 1 } as const;
  const mac = macOf(1);
  await saveDevice(
    parts,
    {
      ...newRecord('door', mac),
      name: evil,
      board: evil,
      channel: evil,
      running: { by: 'version', version: evil },
      decisions: { sketch: decision, filesystem: decision },
      attempts: [
        {
          releaseId: 1,
          version: evil,
          kind: 'sketch',
          state: 'sent',
          sends: 1,
          receipts: 0,
          interruptions: 0,
          lastSentAt: 1,
          dueMs: 1,
          sentMs: 1,
        },
      ],
    },
    { by: evil },
  );
  await parts.store.devices.touch([
    { project: 'door', mac, at: 1, report: { version: evil, sdkVersion: evil, sketchMd5: evil } },
  ]);
  const user = await browserOf('admin');
  t.regex(
    (await user.get('/projects/door/devices')).text,
    /<time datetime="1970-01-01T00:00Z" title="1970-01-01 00:00 UTC">/,
  );
  const query = encodeURIComponent(evil);
  for (const page of [
    '/projects/door/devices',
    `/projects/door/devices?q=${query}&runs=${query}&after=${query}`,
    `/projects/door/devices/${mac}`,
    `/projects/${query}/devices`,
    `/projects/door/devices/${query}`,
    `/login?next=${query}`,
  ]) {
    const { text } = await user.get(page);
    t.notRegex(text, /<script>|<img|onerror=alert\(2\)>'[^&]/, page);
    t.is(text.split('<script').length - 1 <= 2, true);
  }
  t.regex((await user.get(`/projects/door/devices/${mac}`)).text, /&lt;script&gt;/);
});

test('shows the artifact, the rules and the fixes of a blocked update on the page of the device', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const mac = macOf(1);
  const findings: BlockedUpdate['findings'] = [
    {
      rule: 'fs-moved',
      message: 'the files would be lost',
      fixes: [{ action: 'allow', rule: 'fs-moved', options: [] }],
    },
    { rule: 'no-space', message: '4096 bytes too many', fixes: [{ action: 'serial' }] },
  ];
  const blocked = { artifact: 'door.bin.signed', findings };
  const decision = {
    action: 'none',
    code: 'blocked fs-moved no-space',
    text: '1.5.0 blocked',
    version: '1.5.0',
  } as const;
  await saveDevice(parts, { ...newRecord('door', mac), decisions: { sketch: { ...decision, blocked, at: 1 } } });
  const user = await browserOf('read');
  const { text } = await user.get(`/projects/door/devices/${mac}`);
  t.regex(text, /1\.5\.0 blocked in <code>door\.bin\.signed<\/code>/);
  t.regex(text, /<code>fs-moved<\/code>: the files would be lost\./);
  t.regex(text, /run `ota-hooks server devices set door \S+ --allow fs-moved`\./);
  t.regex(text, /<code>no-space<\/code>: 4096 bytes too many\.<\/dt><dd>Fix: no fix over the air: flash the device/);
});

test('shows the identity, last decision and attempts of a device on its page', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const mac = macOf(1);
  await saveDevice(parts, {
    ...newRecord('door', mac),
    enrolled: true,
    name: 'front door',
    running: { by: 'md5', version: '1.4.2', releaseId: 1 },
    decisions: {
      sketch: { action: 'send', code: 'update', text: 'Update to 1.5.0 (door.bin) sent.', version: '1.5.0', at: 1 },
    },
    attempts: [
      {
        releaseId: 2,
        version: '1.5.0',
        kind: 'sketch',
        state: 'failed',
        failure: 'not-confirmed',
        sends: 2,
        receipts: 1,
        interruptions: 0,
        lastSentAt: 1,
        dueMs: 1,
        sentMs: 1,
      },
    ],
  });
  const user = await browserOf('read');
  const { text } = await user.get(`/projects/door/devices/${mac}`);
  t.regex(text, /<h1>front door<\/h1>/);
  t.regex(text, /failed<\/span>[\s\S]*1\.5\.0 not confirmed: no update check since the download\./);
  t.regex(text, /1\.4\.2 \(identified by sketch MD5\)/);
  t.regex(text, /Update to 1\.5\.0 \(door\.bin\) sent\./);
  t.regex(text, /2 downloads/);
  for (const path of ['/projects/door/devices/18:FE:34:FF:FF:FF', '/projects/door/devices/x']) {
    t.true([404, 422].includes((await user.get(path)).status), path);
  }
});

test('links every count on the card of a project to the devices that it counts', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const failed = { action: 'none', code: 'failed', text: 'not installed', version: '2.0', at: 1 } as const;
  await addDevices(parts, 3, (index) => (index === 0 ? { decisions: { sketch: failed } } : {}));
  const user = await browserOf('read');
  const { text } = await user.get('/');
  const links = [...text.matchAll(/<a href="([^"]+)" aria-label="door: ([^"]+)">/g)];
  t.deepEqual(
    links.map(([, , count]) => count),
    ['3 devices', '1 failed', '2 unknown'],
  );
  for (const [, path = '', count] of links) {
    t.is(macsOf((await user.get(path.replaceAll('&amp;', '&'))).text).length, Number(count?.split(' ')[0]), path);
  }
});

test('lists devices on a shared alias that are not enrolled on the overview, and enrolls them', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const mac = '18:FE:AA:AA:AA:BB';
  for (const name of ['door', 'window']) {
    const project = parts.catalog.view(name)?.project;
    if (project === undefined) throw new Error('no project');
    const aliases = [{ path: '/esp/x.php', channel: 'stable' }];
    await saveProject(parts, parts.catalog.view(name), { ...project, aliases }, 'test');
  }
  const seen = { mac, path: '/esp/x.php', projects: ['door', 'window'], knownIn: [], version: '<b>1</b>' };
  parts.notEnrolled.add({ ...seen, address: '192.0.2.7', lastSeenAt: Date.now() });
  const reader = (await (await browserOf('read')).get('/')).text;
  t.regex(reader, /Not enrolled[\s\S]*18:FE:AA:AA:AA:BB[\s\S]*&lt;b&gt;1&lt;\/b&gt;/);
  t.notRegex(reader, /Enroll in/);
  const ofWindow = (await (await browserOf('operate', 'window')).get('/')).text;
  t.regex(ofWindow, /Enroll in window/);
  t.notRegex(ofWindow, /door/);
  const user = await browserOf('operate');
  const { status } = await user.send('/', `/projects/window/devices/${encodeURIComponent(mac)}/enroll`);
  t.is(status, 303);
  t.true((await parts.records.find('window', mac))?.enrolled);
  t.notRegex((await user.get('/')).text, /Not enrolled/);
});

test('shows interrupted downloads and allowed rules on the page of a device, with a retry button', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const mac = '18:FE:34:00:00:09';
  const attempt: Attempt = {
    releaseId: 7,
    version: '2.0',
    kind: 'sketch',
    state: 'interrupted',
    sends: 2,
    receipts: 1,
    interruptions: 1,
    lastInterrupted: 2,
    lastSentAt: 1,
    dueMs: 1,
    sentMs: 1,
  };
  await saveDevice(parts, { ...newRecord('door', mac), allow: ['fs-moved'], attempts: [attempt] });
  const user = await browserOf('operate');
  const page = `/projects/door/devices/${encodeURIComponent(mac)}`;
  const { text } = await user.get(page);
  t.regex(text, />interrupted<\/td>\s*<td data-label="Downloads">2 downloads, 1 interrupted<\/td>/);
  t.regex(text, /Allowed rules[\s\S]*fs-moved/);
  t.is((await user.send(page, `${page}/retry`)).status, 303);
  t.deepEqual((await parts.records.find('door', mac))?.attempts, []);
});

test('filters, sorts and exports the device list by the parameters of its URL', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const now = parts.clock.now().wallMs;
  await addDevices(parts, 6, (index) => ({
    name: ['=1+1', 'b, "c"', 'd', 'e', 'f', undefined][index],
    board: index % 2 === 0 ? 'd1_mini' : 'nodemcu',
    labels: index < 3 ? ['indoor'] : undefined,
    channel: index === 4 ? 'beta' : undefined,
    enrolled: true,
  }));
  const seen = [0, 40, 10, 5, 1];
  await parts.store.devices.touch(
    seen.map((days, index) => ({ project: 'door', mac: macOf(index), at: now - days * 86_400_000, report: {} })),
  );
  const user = await browserOf('read');
  const listed = async (query: string) => macsOf((await user.get(`/projects/door/devices?${query}`)).text);
  const macs = (...indices: readonly number[]) => indices.map(macOf);
  t.deepEqual(await listed('board=d1_mini'), macs(0, 2, 4));
  t.deepEqual(await listed('board=d1_mini&label=indoor'), macs(0, 2));
  t.deepEqual(await listed('channel=beta'), macs(4));
  t.deepEqual(await listed('channel=stable'), macs(0, 1, 2, 3, 5));
  t.deepEqual(await listed('core=3.1.2'), []);
  t.deepEqual(await listed('days=7'), macs(1, 2, 5), 'a device that was never seen is in the list');
  t.deepEqual(await listed('sort=seen'), macs(1, 2, 3, 4, 0, 5));
  t.deepEqual(await listed('sort=-seen'), macs(0, 4, 3, 2, 1, 5));
  t.deepEqual(await listed('sort=-name&board=nodemcu'), macs(3, 1, 5));
  const { text } = await user.get('/projects/door/devices?column=board&column=labels&sort=name');
  t.regex(text, /<td data-label="Board">d1_mini<\/td><td data-label="Labels">indoor<\/td>/);
  t.notRegex(text, /data-label="Status"/);
  t.regex(text, /aria-sort="ascending"/);
  const link = /href="([^"]+)">\s*Export this list/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const csv = await user.get(link);
  t.is(csv.headers.get('content-type'), 'text/csv; charset=utf-8');
  const lines = csv.text.split('\r\n');
  t.is(lines.length, 8);
  t.regex(lines[1] ?? '', /^18:FE:34:00:00:00,'=1\+1,unknown,/, 'a spreadsheet must not run a name');
  t.regex(lines[2] ?? '', /^18:FE:34:00:00:01,"b, ""c""",unknown,/);
  const filtered = (await user.get('/projects/door/devices.csv?label=indoor&days=7')).text;
  t.is(filtered.split('\r\n').length, 4);
});

test('keeps the order of a sorted list on all pages', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  await addDevices(parts, 230, (index) => ({ name: `door ${String(999 - index)}` }));
  const user = await browserOf('read');
  const seen: string[] = [];
  for (let page: string | undefined = '/projects/door/devices?sort=name'; page !== undefined; ) {
    const { text } = await user.get(page);
    seen.push(...macsOf(text));
    page = linkOf(text, 'next');
  }
  t.deepEqual(
    seen,
    Array.from({ length: 230 }, (_, index) => macOf(229 - index)),
  );
});

test('the page of a device shows why its guard rejected an update', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const attempt: Attempt = {
    ...{ releaseId: 1, version: '2.0', kind: 'sketch', state: 'failed', failure: 'not-installed', rejection: 3 },
    ...{ sends: 1, receipts: 1, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 0 },
  };
  await addDevices(parts, 1, () => ({ attempts: [attempt] }));
  const { text } = await (await browserOf('read')).get(`/projects/door/devices/${encodeURIComponent(macOf(0))}`);
  t.regex(text, /rejected by the guard of the device \(the update is for another product \(rejection 3\)\)/);
});
