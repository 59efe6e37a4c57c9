import test from 'ava';
import { testDashboard } from './browsing.ts';

const page = '/projects/door/devices/new';

test('enrolls devices that have never checked in, and records who did it', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  const { id, token } = await tokenOf('operate');
  const user = browser();
  await user.post('/login', { token });
  t.regex((await user.get('/projects/door/devices')).text, /href="\/projects\/door\/devices\/new"/);
  const devices = '18:fe:34:00:00:01 front door\r\n\r\n18:FE:34:00:00:02\r\n';
  const added = await user.send(page, page, { devices, group: 'hall', board: '', labels: 'indoor, test' });
  t.is(added.headers.get('location'), '/projects/door/devices?done=changed-all&devices=2');
  const first = await parts.records.find('door', '18:FE:34:00:00:01');
  t.like(first, { enrolled: true, name: 'front door', group: 'hall', labels: ['indoor', 'test'] });
  t.true((await parts.records.find('door', '18:FE:34:00:00:02'))?.enrolled);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'device.enrolled', project: 'door' });
  const again = await user.send(page, page, { devices: '18:FE:34:00:00:01', group: 'cellar' });
  t.is(again.status, 303);
  t.like(await parts.records.find('door', '18:FE:34:00:00:01'), { name: 'front door', group: 'cellar' });
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ devices: ' ' }, /No device is listed/],
    [{ devices: 'front door' }, /does not begin with a MAC address/],
    [{ devices: `18:FE:34:00:00:03 ${'x'.repeat(500)}` }, /must be at most 64 characters/],
    [{ devices: '18:FE:34:00:00:03 <script>', group: 'a b' }, /group/],
  ];
  for (const [fields, reason] of cases) {
    const refused = await user.send(page, page, fields);
    t.is(refused.status, 422);
    t.regex(refused.text, reason);
    t.notRegex(refused.text, /<script>[^<]/);
  }
  t.is(await parts.records.find('door', '18:FE:34:00:00:03'), undefined);
});
