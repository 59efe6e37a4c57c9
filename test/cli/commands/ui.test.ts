import { chmod } from 'node:fs/promises';
import test from 'ava';
import { openerOf } from '../../../src/cli/commands/ui/open-browser.ts';
import { sectionsOf } from '../../docs/acts.ts';
import { fullDoor } from '../../support/built-sketch.ts';
import { listed, packedDoor, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { freePort } from '../../support/free-port.ts';
import { cardOf, type LocalPage, openLocalPage } from '../../support/local-page.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { assertDocument } from '../help/assert-document.ts';

const board = 'd1_mini';
/** Most tests do not wait for the restart of a device. */
const hasty = { board, upload: { confirm: 'none', hostIp: '127.0.0.1' } };

let count = 0;

/** A unique host name, because all tests on this machine share one loopback interface. */
function newHost(): string {
  return `local-${process.pid}-${++count}`;
}

/** Reads the page until it contains a text. */
async function untilShown(page: LocalPage, text: RegExp): Promise<string> {
  for (;;) {
    const { text: shown } = await page.get();
    if (text.test(shown)) return shown;
  }
}

test('ui lists a device of the inventory, updates it and shows the result', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { kitchen: listed(device, { board }) }, hasty);
  const page = await openLocalPage(t, folder);
  const { text } = await page.get();
  t.regex(cardOf(text, 'kitchen'), /unknown Runs unknown; .*Board d1_mini .*Update kitchen/);
  t.regex(text, /<title>Devices · ota-hooks<\/title>/);
  t.is((await page.submit('update', [['device', 'kitchen']])).status, 303);
  t.like(await page.ended('kitchen'), { outcome: 'updated' });
  t.deepEqual(updatesOf(device), ['accepted']);
  const after = cardOf((await page.get()).text, 'kitchen');
  t.regex(after, /up to date .*accepted; the device restarts.*Send again/);
  await page.stop();
  const { releases } = JSON.parse(await folder.text('.ota/released.json'));
  t.is(releases.length, 1, '`pack` compares the next build with this one');
  for (const line of page
    .shown()
    .split('\n')
    .filter((each) => each.startsWith('{"event"'))) {
    assertDocument(t, 'ui', line);
  }
});

test('docs/upload.md: the commands of "Update from the browser" serve the page', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { kitchen: listed(device, { board }) }, hasty);
  const section = sectionsOf('docs/upload.md').find(({ heading }) => heading === 'Update from the browser');
  const commands = section?.acts.flatMap((act) => (act.act === 'run' ? [act.command] : [])) ?? [];
  t.is(commands.length, 2);
  for (const command of commands) {
    const argv = command
      .replace('8300', String(await freePort()))
      .split(' ')
      .slice(2);
    const page = await openLocalPage(t, folder, argv);
    t.regex(cardOf((await page.get()).text, 'kitchen'), /Update door\.ino|Update build/);
    await page.stop();
  }
});

test('ui asks once for a password that serves several devices, and never shows it', async (t) => {
  const password = 'open sesame 4711';
  const locked = await Promise.all([1, 2].map(() => virtualDoor(t, { password })));
  const entries = locked.map((device) => listed(device, { board, password: { prompt: true } }));
  const folder = await packedDoor(t, { kitchen: entries[0] ?? {}, cellar: entries[1] ?? {} }, hasty);
  const page = await openLocalPage(t, folder);
  const wanted = [['device', 'kitchen']] as const;
  const asked = await page.submit('update', wanted);
  t.regex(asked.location ?? '', /password\?canary=&device=kitchen$/);
  const form = await page.get(asked.location);
  t.regex(form.text, /<input type="checkbox" name="for" value="kitchen" checked[^>]*>/);
  t.regex(form.text, /<input type="checkbox" name="for" value="cellar"(?! checked)[^>]*>/);
  t.deepEqual(locked.flatMap(updatesOf), [], 'nothing is sent before the password is known');

  const both = [
    ['for', 'kitchen'],
    ['for', 'cellar'],
  ] as const;
  const none = await page.submit('password', [...wanted, ...both, ['password', '']], asked.location);
  t.is(none.status, 422);
  await page.submit('password', [...wanted, ...both, ['password', password]], asked.location);
  t.like(await page.ended('kitchen'), { outcome: 'updated' });
  await page.submit('update', [['device', 'cellar']]);
  t.like(await page.ended('cellar'), { outcome: 'updated' });
  await page.get();
  await page.stop();
  t.false(page.shown().includes(password));
  const files = await Promise.all((await folder.list()).map((name) => folder.text(name)));
  t.false(files.join('').includes(password));
});

test('ui asks again for a password that the device rejected', async (t) => {
  const device = await virtualDoor(t, { password: 'right' });
  const entry = listed(device, { board, password: { env: 'OTA_DEVICE_KITCHEN' } });
  const folder = await packedDoor(t, { kitchen: entry }, hasty);
  const page = await openLocalPage(t, folder, [], { OTA_DEVICE_KITCHEN: 'wrong' });
  const wanted = [['device', 'kitchen']] as const;
  await page.submit('update', wanted);
  const rejected = await page.ended('kitchen');
  t.like(rejected, { outcome: 'failed', hint: 'Press Update to enter the password again.' });
  t.regex(cardOf((await page.get()).text, 'kitchen'), /failed .*Password asked before the update/);
  const { location } = await page.submit('update', wanted);
  t.regex(location ?? '', /password\?/);
  await page.submit('password', [...wanted, ['for', 'kitchen'], ['password', 'right']], location);
  t.like(await page.ended('kitchen'), { outcome: 'updated' });
});

test('ui updates no other device if the canary fails', async (t) => {
  const [broken, waiting] = await Promise.all([virtualDoor(t, { password: 'x' }), virtualDoor(t)]);
  const folder = await packedDoor(t, { kitchen: listed(broken, { board }), cellar: listed(waiting, { board }) }, hasty);
  const page = await openLocalPage(t, folder);
  const { text } = await page.get();
  t.regex(text, /Update all 2 devices/);
  await page.submit('update', [
    ['device', 'kitchen'],
    ['device', 'cellar'],
    ['canary', '1'],
  ]);
  t.like(await page.ended('kitchen'), { outcome: 'failed' });
  t.like(await page.ended('cellar'), { outcome: 'not started' });
  t.deepEqual(updatesOf(waiting), []);
});

test('ui shows the rule, the reason and the fix of a blocked device, and sends it nothing', async (t) => {
  const [old, bare] = await Promise.all([virtualDoor(t), virtualDoor(t)]);
  const facts = { core: '2.7.2', chipSizeBytes: 1024 * 1024, fsStart: 0x20000, fsEnd: 0x20000 };
  const folder = await packedDoor(t, { old: listed(old, { board, facts }), bare: listed(bare) }, hasty);
  const page = await openLocalPage(t, folder);
  const { text } = await page.get();
  const upload = await runCommand(['upload', '--host', 'old'], { cwd: folder.path });
  const card = cardOf(text, 'old');
  t.regex(card, /blocked/);
  const [rule = ''] = /flash-size/.exec(upload.error?.message ?? '') ?? [];
  t.true(rule !== '' && card.includes(rule), `${upload.error?.message}\n${card}`);
  t.regex(cardOf(text, 'bare'), /blocked .*no board .*Add "board"|blocked .*no board .*Add &quot;board&quot;/);
  t.notRegex(text, /<button[^>]*>(Update|Send)/);
  t.notRegex(text, /<form/, 'there is nothing to submit');
  t.deepEqual([...updatesOf(old), ...updatesOf(bare)], []);
});

test('ui only adds a discovered device, and updates it when it has a board', async (t) => {
  const hostname = newHost();
  const device = await virtualDoor(t, { hostname, mdns: { board: 'ESP8266_WEMOS_D1MINI', announcesSketchMd5: true } });
  const other = await virtualDoor(t);
  const folder = await packedDoor(t, { kitchen: listed(other, { board }) }, hasty);
  const page = await openLocalPage(t, folder);
  const host = `${hostname}.local`;
  const text = await untilShown(page, new RegExp(`<h3>${host}</h3>`));
  t.regex(cardOf(text, host), /ArduinoOTA Board ESP8266_WEMOS_D1MINI Add…/);
  for (const name of [host, hostname]) await page.submit('update', [['device', name]]);
  t.deepEqual(updatesOf(device), []);

  const at = `add?host=${host}`;
  const mismatch = await page.submit(
    'add',
    [
      ['host', host],
      ['name', 'porch'],
      ['board', 'nodemcuv2'],
    ],
    at,
  );
  t.is(mismatch.status, 422);
  t.regex(mismatch.text, /the device announces board ESP8266_WEMOS_D1MINI, not nodemcuv2/);
  t.regex(mismatch.text, /name="name" value="porch"/, 'the form keeps its values');
  for (const [name, problem] of [
    ['kitchen', /already has a device/],
    ['a,b', /name is not valid/],
  ] as const) {
    const refused = await page.submit(
      'add',
      [
        ['host', host],
        ['name', name],
        ['board', board],
      ],
      at,
    );
    t.regex(refused.text, problem);
  }
  const added = await page.submit(
    'add',
    [
      ['host', host],
      ['name', 'porch'],
      ['board', board],
    ],
    at,
  );
  t.is(added.status, 303, added.text);
  const { devices } = JSON.parse(await folder.text('ota.config.json'));
  t.deepEqual(devices.porch, { address: host, port: device.otaPort, board });
  const listedPage = (await page.get()).text;
  t.regex(listedPage, /porch was added to the configuration/);
  const runs = `Runs unknown build (sketch MD5 ${device.state.sketchMd5})`;
  while (!cardOf((await page.get()).text, 'porch').includes(runs)) await page.get();
  await page.submit('update', [['device', 'porch']]);
  t.like(await page.ended('porch'), { outcome: 'updated' });
  t.deepEqual(updatesOf(device), ['accepted']);
});

test('ui sends each device the build for its board', async (t) => {
  const [mini, mcu, mega] = await Promise.all([virtualDoor(t), virtualDoor(t), virtualDoor(t)]);
  const folder = await packedDoor(
    t,
    {
      mini: listed(mini, { board }),
      mcu: listed(mcu, { board: 'nodemcuv2' }),
      mega: listed(mega, { board: 'mega' }),
    },
    hasty,
  );
  await folder.write('other/door.ino.bin', fullDoor.bin);
  await folder.write('other/door.ino.elf', fullDoor.elf);
  await folder.write(
    'ota.config.json',
    (await folder.text('ota.config.json')).replace(/"board":"d1_mini"(?=,"upload")/, '"board":"nodemcuv2"'),
  );
  const packed = await runCommand(['pack', 'other/door.ino.bin', '--firmware-version', '2.0'], { cwd: folder.path });
  t.is(packed.error, undefined);
  const page = await openLocalPage(t, folder);
  const { text } = await page.get();
  t.regex(cardOf(text, 'mini'), /Update build\/door\.ino\.bin: door\.ino\.bin/);
  t.regex(cardOf(text, 'mcu'), /Update 2\.0: door\.ino\.bin/);
  t.regex(cardOf(text, 'mega'), /blocked .*Several builds fit board mega: 2\.0, build\/door\.ino\.bin/);

  const one = await openLocalPage(t, folder, ['build/door.ino.bin']);
  const card = cardOf((await one.get()).text, 'mcu');
  t.regex(card, /other-project the image is for board d1_mini, but the board of the device is nodemcuv2/);
});

test('ui shows a project without a build, and a configuration that is not valid', async (t) => {
  const folder = await testFolder(t, {
    'ota.config.json': JSON.stringify({ devices: { kitchen: { address: '127.0.0.1', board } } }),
  });
  const page = await openLocalPage(t, folder);
  t.regex(cardOf((await page.get()).text, 'kitchen'), /blocked .*no sketch manifest/i);
  await folder.write('ota.config.json', '{"devices": 1}');
  const broken = await page.get();
  t.is(broken.status, 500);
  t.regex(broken.text, /devices must be an object/);
});

test('ui reports changes as events without data', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { kitchen: listed(device, { board }) }, hasty);
  const page = await openLocalPage(t, folder);
  const events = await fetch(new URL('events', page.home), { headers: { cookie: page.cookie } });
  const reader = events.body?.getReader();
  const decoder = new TextDecoder();
  let received = '';
  const read = async () => {
    const { value } = (await reader?.read()) ?? {};
    received += decoder.decode(value);
  };
  await read();
  await page.submit('update', [['device', 'kitchen']]);
  while (!received.includes('event: change')) await read();
  t.regex(received, /^retry: 2000\n\n(?::\n\n)*event: change\ndata: ?\n\n/);
  await page.stop();
});

test('ui opens the browser with a code that is valid once, and keeps passwords from it', async (t) => {
  const folder = await testFolder(t, {});
  await folder.write(
    'bin/xdg-open',
    `#!/bin/sh\n/usr/bin/env > '${folder.at('env')}'\necho "$@" > '${folder.at('part')}'\n/bin/mv '${folder.at('part')}' '${folder.at('argv')}'\n`,
  );
  await chmod(folder.at('bin/xdg-open'), 0o755);
  const ctrlC = new AbortController();
  const env = { PATH: folder.at('bin'), DISPLAY: ':7', OTA_DEVICE_KITCHEN: 'secret of the kitchen' };
  let shown = '';
  const running = runCommand(['ui', '--interface', '127.0.0.1'], {
    cwd: folder.path,
    env,
    signal: ctrlC.signal,
    prompt: { confirm: async () => false },
    onOutput: (text) => {
      shown += text;
    },
  });
  while (!(await folder.list()).includes('argv')) await new Promise((resolve) => setImmediate(resolve));
  const opened = (await folder.text('argv')).trim();
  const [token = ''] = /(?<=token=)\w+/.exec(shown) ?? [];
  t.is(token.length, 64);
  t.false(opened.includes(token));
  t.regex(opened, /^http:\/\/127\.0\.0\.1:\d+\/\?once=\w{64}$/);
  const environment = await folder.text('env');
  t.regex(environment, /^DISPLAY=:7$/m);
  t.notRegex(environment, /OTA_DEVICE|secret/);
  const visit = () => fetch(opened, { redirect: 'manual' });
  const first = await visit();
  t.is(first.status, 303);
  const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const home = new URL(first.headers.get('location') ?? '', opened);
  const status = async () => (await fetch(home, { headers: { cookie } })).status;
  t.is(await status(), 200);
  t.is((await visit()).status, 403, 'a second visit is refused');
  t.is(await status(), 403, 'and ends the first session, because one of the two may be an attacker');
  ctrlC.abort();
  await running;
});

test('the opener depends on the platform and the desktop', (t) => {
  t.deepEqual(openerOf('linux', { DISPLAY: ':0' }), ['xdg-open']);
  t.deepEqual(openerOf('linux', { WAYLAND_DISPLAY: 'wayland-0' }), ['xdg-open']);
  t.is(openerOf('linux', { DISPLAY: '' }), undefined);
  t.deepEqual(openerOf('darwin', {}), ['open']);
  t.is(openerOf('win32', {})?.[0], 'rundll32.exe');
});

test('ui rejects a file together with --environment, and a port that is in use', async (t) => {
  const folder = await testFolder(t, {});
  const both = await runCommand(['ui', 'door.bin', '-e', 'd1_mini'], { cwd: folder.path });
  t.is(both.error?.code, 'OPTIONS_CONFLICT');
  const page = await openLocalPage(t, folder);
  const { port } = new URL(page.url);
  const second = await runCommand(['ui', '--no-open', '--port', port], { cwd: folder.path });
  t.is(second.error?.code, 'PAGE_LISTEN_FAILED');
  t.is(second.exitCode, 1);
});
