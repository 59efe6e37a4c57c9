import test, { type ExecutionContext } from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt } from '../../../src/server/storage/records.ts';
import { auditBy } from '../audit-by.ts';
import { sketchMd5Of, testBuild } from '../builds.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

const macOf = (index: number) => `18:FE:34:00:00:0${index}`;
const page = '/projects/door/rollouts/new';
const fields = {
  version: '2.0',
  channel: 'stable',
  stages: 'canary=hall\r\ngroup=cellar\r\n100',
  running: '80',
  soak: '0.5',
  failures: '3',
  percent: '10',
  sample: '10',
  unconfirmed: '2',
};

function checked(more: Readonly<Record<string, string>> = {}): string {
  return `${page}?${new URLSearchParams({ check: 'yes', ...fields, ...more })}`;
}

const textOf = (html: string) => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

/** Attempt that is not repeated yet. */
const failed: Attempt = {
  ...{ releaseId: 2, version: '2.0', kind: 'sketch', state: 'failed', failure: 'not-installed' },
  ...{ sends: 3, receipts: 3, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 },
};

/** Five enrolled devices: two run 1.0, one has failed to install 2.0, one has never checked in, and one is on another channel. */
async function fleet(t: ExecutionContext) {
  const dashboard = await testDashboard(t);
  const { store, catalog } = dashboard.parts;
  const builds = [
    await testBuild({ project: 'door', version: '1.0' }),
    await testBuild({ project: 'door', seed: 2, sizeBytes: 65_536, compression: 'none' }),
  ];
  for (const [index, { manifest }] of builds.entries()) {
    const version = `${index + 1}.0`;
    await store.catalog.publish({
      release: { project: 'door', version, kind: 'sketch', board: '', purpose: 'serve', publishedAt: 1, manifest },
      channel: index === 0 ? 'stable' : undefined,
      isTrusted: true,
      project: undefined,
      audit: () => [auditBy('test')],
    });
  }
  await catalog.update();
  const [first] = builds;
  if (first === undefined) throw new Error('no build');
  const healthy = {
    sketchMd5: sketchMd5Of(first.manifest),
    chipSizeBytes: 4_194_304,
    sketchSizeBytes: first.manifest.image.contentBytes,
    freeSpaceBytes: 3_000_000,
  };
  const devices = [
    { name: 'hall', report: healthy },
    { name: 'stairs', group: 'cellar', report: healthy },
    { name: 'tiny', report: healthy, attempts: [failed] },
    { name: 'new' },
    { name: 'beta', channel: 'beta', report: healthy },
  ];
  for (const [index, { report, ...settings }] of devices.entries()) {
    const mac = macOf(index);
    await saveDevice(dashboard.parts, { ...newRecord('door', mac), enrolled: true, ...settings });
    if (report !== undefined) await store.devices.touch([{ project: 'door', mac, at: 1, report }]);
  }
  return dashboard;
}

test('shows the devices of each stage and those that cannot take the release, then starts the rollout', async (t) => {
  const { parts, browser, tokenOf } = await fleet(t);
  const { id, token } = await tokenOf('operate');
  const user = browser();
  await user.post('/login', { token });
  t.regex((await user.get('/projects/door/rollouts')).text, /href="\/projects\/door\/rollouts\/new"/);
  const empty = (await user.get(`${page}?version=2.0`)).text;
  t.regex(empty, /name="version" value="2\.0"/);
  t.regex(empty, /<textarea[^>]*>5\n20\n50\n100<\/textarea>/);
  const { text, status } = await user.get(checked());
  t.is(status, 200);
  const shown = textOf(text);
  t.regex(shown, /1: 18:FE:34:00:00:00 1 1 0 0 0 2: group cellar 1 1 0 0 0 3: .* 2 0 0 1 1 /);
  t.regex(shown, /1 device: .* tiny/);
  t.notRegex(shown, /beta/);
  t.deepEqual(await parts.rollouts.list('door'), [], 'only a form starts a rollout');
  const response = await user.send(checked(), '/projects/door/rollouts');
  t.is(response.status, 303);
  t.is(response.headers.get('location'), '/projects/door/rollouts/1');
  const [rollout] = await parts.rollouts.list('door');
  t.like(rollout, { version: '2.0', state: 'active', gate: { runningPercent: 80, soakMs: 30_000 } });
  t.is(rollout?.stages.length, 3);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'rollout.started' });
  // The second of two people who press Start.
  const late = await user.get(checked());
  t.is(late.status, 409);
  t.regex(late.text, /the rollout of 2\.0 is active/);
});

test('keeps the content of the form when the rollout cannot be started', async (t) => {
  const { browserOf } = await fleet(t);
  const user = await browserOf('operate');
  const cases: readonly (readonly [Readonly<Record<string, string>>, number, RegExp])[] = [
    [{ version: '9.9' }, 404, /has no release 9\.9 to roll out/],
    [{ stages: 'canary=nobody\n100' }, 422, /no enrolled device has the name or MAC nobody/i],
    [{ stages: 'half\n100' }, 422, /&quot;half&quot; is not a stage/],
    [{ stages: '5,20\n100' }, 422, /is not a stage/],
    [{ stages: '50' }, 422, /the last stage must be for 100 percent/],
    [{ from: '01:00' }, 422, /must be a time of day/],
    [{ from: '01:00', to: '05:00', zone: 'Mars/Base' }, 422, /must be the name of a time zone/],
    [{ running: '1e9' }, 422, /must be 100 or less/],
    [{ pace: 'many' }, 422, /perHour/],
    [{ channel: 'x'.repeat(500) }, 422, /must be 1 to 64 letters/],
    [{ version: '1'.repeat(500) }, 422, /must be 1 to 64 visible ASCII characters/],
  ];
  for (const [more, status, expected] of cases) {
    const response = await user.get(checked(more));
    t.is(response.status, status, JSON.stringify(more).slice(0, 100));
    t.regex(response.text, expected);
    t.regex(response.text, /<title>Rollout not started/);
    t.regex(response.text, /name="failures" value="3"/, 'keeps the other fields');
  }
});

test('returns to the checked rollout if the session ends before its start', async (t) => {
  const { browser, tokenOf } = await fleet(t);
  const { token } = await tokenOf('operate');
  const user = browser();
  const sent = await user.post(
    '/projects/door/rollouts',
    {},
    {
      origin: 'http://localhost',
      referer: `http://localhost${checked()}`,
    },
  );
  const back = await user.send(sent.headers.get('location') ?? '', '/login', { token });
  t.is(back.headers.get('location'), checked());
  const reader = await tokenOf('read');
  const other = browser();
  await other.post('/login', { token: reader.token });
  t.is((await other.get(checked())).status, 403);
});
