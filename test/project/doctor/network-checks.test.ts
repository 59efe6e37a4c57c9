import { createServer } from 'node:net';
import test from 'ava';
import { callBack } from '../../../src/project/doctor/checks/call-back.ts';
import { mdns } from '../../../src/project/doctor/checks/mdns.ts';
import { firewallOf } from '../../../src/project/doctor/firewall.ts';
import { findingsOf, setUpCheck } from './check-setup.ts';

const local = (upload: object) => ({
  'project/project.ino': '',
  'project/ota.config.json': JSON.stringify({ upload: { hostIp: '127.0.0.1', ...upload } }),
});

test('callBack accepts an address that a virtual device can reach', async (t) => {
  const { context } = await setUpCheck(t, { files: local({}) });
  t.deepEqual((await findingsOf(callBack, context)).slice(0, 1), ['ok: A virtual device connected back to 127.0.0.1']);
});

test('callBack reports a port that is in use', async (t) => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const { context } = await setUpCheck(t, { files: local({ hostPort: address.port }) });
  t.regex((await findingsOf(callBack, context))[0] ?? '', new RegExp(`^error: .*${address.port}`));
});

test('callBack reports an address that belongs to a different machine', async (t) => {
  const { context } = await setUpCheck(t, { files: local({ hostIp: '198.51.100.7' }) });
  t.regex((await findingsOf(callBack, context))[0] ?? '', /^error: .*198\.51\.100\.7/);
});

test('callBack warns inside WSL and suggests a fix', async (t) => {
  const { context } = await setUpCheck(t, { files: local({}), env: { WSL_DISTRO_NAME: 'Debian' } });
  const found = (await callBack(context)).find(({ message }) => message.includes('WSL'));
  t.is(found?.level, 'warning');
  t.regex(found?.fix ?? '', /mirrored.*--method web/);
});

test('firewallOf detects firewalls on Linux, macOS and Windows', async (t) => {
  const responses: [NodeJS.Platform, string, string, RegExp | undefined][] = [
    ['linux', 'firewall-cmd --state', 'running', /firewall-cmd .*--add-port=8267\/tcp/],
    ['linux', 'firewall-cmd --state', 'not running', undefined],
    [
      'darwin',
      '/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate',
      'Firewall is enabled. (State = 1)',
      /System Settings/,
    ],
    [
      'darwin',
      '/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate',
      'Firewall is disabled. (State = 0)',
      undefined,
    ],
    [
      'win32',
      'netsh advfirewall show currentprofile state',
      'Private Profile Settings:\r\n----------\r\nState                                 ON\r\nOk.\r\n',
      /localport=8267/,
    ],
    [
      'win32',
      'netsh advfirewall show currentprofile state',
      'Private Profile Settings:\r\n----------\r\nState                                 OFF\r\nOk.\r\n',
      undefined,
    ],
    ['freebsd', '', '', undefined],
  ];
  for (const [platform, command, printed, expected] of responses) {
    const { context } = await setUpCheck(t, { platform, programs: { [command]: printed } });
    const found = await firewallOf(context);
    if (expected === undefined) t.is(found, undefined);
    else t.regex(found?.howToAllow(8267) ?? '', expected);
  }
});

test('callBack warns about an active firewall, or adds a note when a fixed port is set', async (t) => {
  const programs = { 'netsh advfirewall show currentprofile state': 'State   ON\r\n' };
  const open = await setUpCheck(t, { files: local({}), platform: 'win32', programs });
  t.regex((await findingsOf(callBack, open.context)).join('\n'), /^warning: The Windows firewall is on/m);
  const fixed = await setUpCheck(t, { files: local({ hostPort: 48_267 }), platform: 'win32', programs });
  t.regex((await findingsOf(callBack, fixed.context)).join('\n'), /^note: The Windows firewall is on/m);
});

test('mdns reports a fix for each problem', async (t) => {
  const findings = await mdns((await setUpCheck(t)).context);
  t.true(findings.length > 0);
  for (const { level, fix, message } of findings) {
    if (level !== 'ok') t.true(fix !== undefined || message.includes('no network address'));
  }
});
