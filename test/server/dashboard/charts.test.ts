/** Charts of the devices of a project. */
import test from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { rowProblem } from '../../../src/server/storage/document-schemas.ts';
import { openStore } from '../../../src/server/storage/open-store.ts';
import type { Attempt, DeviceRecord } from '../../../src/server/storage/records.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

const dayMs = 86_400_000;
const macOf = (index: number) => `18:FE:34:00:00:0${index}`;
const upToDate = { sketch: { action: 'up-to-date', code: 'up-to-date', text: 'Runs 1.0.', at: 1 } } as const;

/** A project with devices of two boards, one of which failed to update. */
async function chartedDashboard(t: Parameters<typeof testDashboard>[0]) {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const { manifest } = await testBuild({ version: '1.0', project: 'door', board: 'd1_mini', compression: 'none' });
  const named = { project: 'door', version: '1.0', kind: 'sketch', board: 'd1_mini', purpose: 'serve' } as const;
  const { release } = await parts.store.catalog.publish({
    release: { ...named, publishedAt: 1, manifest },
    ...{ channel: 'stable', isTrusted: true, project: undefined, audit: () => [auditBy('test')] },
  });
  await parts.catalog.update();
  const running = { by: 'md5', version: '1.0', releaseId: release.id } as const;
  const failed: Attempt = {
    ...{ releaseId: 9, version: '2.0', kind: 'sketch', state: 'failed', failure: 'not-confirmed' },
    ...{ sends: 1, receipts: 1, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 },
  };
  const notInstalled = { sketch: { action: 'none', code: 'failed', text: 'Not confirmed.', at: 1 } } as const;
  const blocked = { sketch: { action: 'none', code: 'blocked no-space', text: 'Blocked.', at: 1 } } as const;
  const devices: readonly Partial<DeviceRecord>[] = [
    { board: 'd1_mini', running, decisions: upToDate },
    { board: 'd1_mini', running, decisions: upToDate },
    { board: 'd1_mini', running, decisions: upToDate },
    { board: 'd1_mini', running, attempts: [failed], decisions: notInstalled },
    { board: 'esp01', running: { by: 'version', version: 'invented' }, decisions: upToDate },
    { board: 'esp01', decisions: blocked },
  ];
  for (const [index, more] of devices.entries()) {
    await saveDevice(parts, { ...newRecord('door', macOf(index)), enrolled: true, ...more });
  }
  return dashboard;
}

test('draws the success rates by board and core, causes of failures and last update checks', async (t) => {
  const { parts, browserOf } = await chartedDashboard(t);
  const now = parts.clock.now().wallMs;
  const seen = [0, 0.5, 3, 20, 90];
  await parts.store.devices.touch(
    seen.map((days, index) => ({ project: 'door', mac: macOf(index), at: now - days * dayMs, report: {} })),
  );
  const reader = await browserOf('read');
  const { text } = await reader.get('/projects/door/charts');
  t.regex(
    text,
    /Success by board[\s\S]*aria-label="d1_mini: 3 succeeded, 1 failed"[\s\S]*aria-label="esp01: 1 succeeded, 0 failed"/,
  );
  t.regex(text, />75%<svg/);
  t.regex(text, /Success by core[\s\S]*aria-label="3\.1\.2: 3 succeeded, 1 failed"/);
  t.regex(text, /aria-label="update failed: 1 device"[\s\S]*aria-label="blocked: no-space: 1 device"/);
  const links = [...text.matchAll(/<a href="([^"]+)" aria-label="(d1_mini|3\.1\.2), (\w+): (\d+)">/g)];
  t.is(links.length, 4);
  for (const [, path = '', name, outcome, count] of links) {
    const listed = (await reader.get(path.replaceAll('&amp;', '&'))).text;
    t.is(new Set(listed.match(/devices\/18%3AFE%3A[^"]*/g)).size, Number(count), `${name} ${outcome}`);
  }
  const histogram = [...text.matchAll(/aria-label="(within an hour|[^"]*days?|never): (\d+) devices?"/g)];
  t.deepEqual(
    histogram.map(([, name, count]) => [name, count]),
    [
      ['within an hour', '1'],
      ['1 hour to 1 day', '1'],
      ['1 to 7 days', '1'],
      ['7 to 30 days', '1'],
      ['more than 30 days', '1'],
      ['never', '1'],
    ],
  );
});

test('stores the number of devices by version, and draws them over time with a table', async (t) => {
  const { parts, browserOf } = await chartedDashboard(t);
  const now = parts.clock.now().wallMs;
  const { charts } = parts.store;
  await charts.takeSample(now - 100 * dayMs, 0);
  await charts.takeSample(now - 2 * dayMs, now - 90 * dayMs);
  await charts.takeSample(now - 2 * dayMs, now - 90 * dayMs);
  const samples = [
    { at: now - 2 * dayMs, version: undefined, devices: 2 },
    { at: now - 2 * dayMs, version: '1.0', devices: 4 },
  ];
  t.deepEqual(await charts.versionSamples('door', 0), samples);
  const copy = await openStore(`sqlite:${(await testFolder(t)).at('copy.db')}`, 'a test');
  t.teardown(() => copy.close());
  const lines = [];
  for await (const line of parts.store.dump()) {
    t.is(rowProblem(line.table, line.row), undefined);
    lines.push(line);
  }
  await copy.restore(lines);
  t.deepEqual(await copy.charts.versionSamples('door', 0), samples, 'a backup contains them');
  t.deepEqual(await charts.versionSamples('window', 0), []);
  await parts.records.remove('door', macOf(0), 'test');
  const { text } = await (await browserOf('read')).get('/projects/door/charts');
  t.regex(
    text,
    /<desc id="versions-text">Of 5 devices, 3 run 1\.0, 1 run invented, 1 run other\. The chart covers 2 days\.<\/desc>/,
  );
  t.is([...text.matchAll(/<path class="series-\d"/g)].length, 3);
  t.regex(text, /<td class="number" data-label="1\.0">4<\/td>[\s\S]*<td class="number" data-label="1\.0">3<\/td>/);
  const empty = (await (await browserOf('read')).get('/projects/window/charts')).text;
  t.regex(empty, /Versions over time<\/h2><p class="quiet">No devices yet\./);
  t.notRegex(empty, /NaN|Infinity/);
});
