import test from 'ava';
import { roles } from '../../../src/api/release.ts';
import { type Action, permits } from '../../../src/server/auth/permissions.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { testDashboard } from '../../server/dashboard/browsing.ts';
import { saveDevice } from '../../server/save-device.ts';

const mac = '18:FE:34:00:00:01';
/** All forms that change data, each with the action that a token must permit. */
const forms: readonly (readonly [path: string, action: Action])[] = [
  [`/projects/door/devices/${encodeURIComponent(mac)}/retry`, 'devices'],
  [`/projects/door/devices/${encodeURIComponent(mac)}/enroll`, 'devices'],
  [`/projects/door/devices/${encodeURIComponent(mac)}/save`, 'devices'],
  [`/projects/door/devices/${encodeURIComponent(mac)}/remove`, 'devices'],
  ['/projects/door/devices/bulk', 'devices'],
  ['/projects/door/devices/bulk/confirm', 'devices'],
  ['/projects/door/releases/new', 'draft'],
  ['/projects/door/releases/promote', 'promote'],
  ['/projects/door/releases/notes', 'notes'],
  ['/projects/door/releases/yank', 'yank'],
  ['/projects/door/rollouts', 'rollouts'],
  ['/projects/door/rollouts/1/pause', 'rollouts'],
  ['/projects/door/settings', 'projects'],
  ['/projects/door/devices/new', 'devices'],
  ['/projects/door/approvals/1/approve', 'rollouts'],
  ['/projects/door/approvals/1/decline', 'rollouts'],
];

test('lists every dashboard form that changes data', async (t) => {
  const { app } = await testDashboard(t);
  const posts = app.routes.filter(({ method, path }) => method === 'POST' && path.startsWith('/projects/'));
  const patterns = new Set(posts.filter(({ path }) => !path.endsWith('*')).map(({ path }) => path));
  t.is(patterns.size, forms.length);
});

for (const role of roles) {
  test(`rejects the dashboard forms that the role ${role} does not permit`, async (t) => {
    const { parts, browserOf } = await testDashboard(t);
    await saveDevice(parts, newRecord('door', mac));
    const user = await browserOf(role);
    const form = /name="form" value="([^"]+)"/.exec((await user.get('/')).text)?.[1] ?? '';
    for (const [path, action] of forms) {
      const { status } = await user.post(path, { form, version: '1.0', kind: 'sketch', board: '' });
      t.is(status === 403, !permits({ roles: [role] }, action), `${path}: ${status}`);
    }
  });
}
