import test from 'ava';
import type { Build } from '../../src/core/pack/build.ts';
import {
  afterInterruption,
  afterReceipt,
  afterRetry,
  mayTryAgain,
  overdue,
  type RetryPolicy,
} from '../../src/server/services/devices/attempts.ts';
import { type Decision, decide, type Outcome, type Question } from '../../src/server/services/devices/decide.ts';
import { type DeviceReport, readReport } from '../../src/server/services/devices/report.ts';
import { type Running, whatRuns } from '../../src/server/services/devices/running.ts';
import { newRecord } from '../../src/server/storage/device-record.ts';
import { deviceStatus } from '../../src/server/storage/device-status.ts';
import type { Attempt, DeviceRecord, ReleaseRecord } from '../../src/server/storage/records.ts';
import { type BuildRecipe, testBuild, testSigner } from './builds.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const retryPolicy: RetryPolicy = { confirmWithinMs: hourMs, mostSends: 3 };
const mac = '18:FE:34:AA:BB:CC';
const signer = testSigner();

let ids = 0;
function releaseOf({ manifest }: Build, version: string, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  const { kind } = manifest.image;
  const base = { id: ++ids, project: 'door', version, kind, board: manifest.board ?? '', purpose: 'serve' } as const;
  return { ...base, publishedAt: 1, manifest, ...more };
}

async function release(version: string, recipe: BuildRecipe = {}): Promise<ReleaseRecord> {
  return releaseOf(await testBuild({ seed: Number(version.replace(/\D/g, '')), ...recipe }), version);
}

interface Said {
  readonly mode?: 'sketch' | 'spiffs' | 'version';
  readonly version?: string;
  readonly freeSpace?: number;
  readonly sketchSize?: number;
  readonly sketchMd5?: string;
  readonly url?: string;
}

function report({
  version,
  freeSpace = 1_671_168,
  sketchSize = 373_940,
  sketchMd5 = 'a'.repeat(32),
  url,
}: Said = {}): DeviceReport {
  const headers = {
    'x-esp8266-free-space': String(freeSpace),
    'x-esp8266-sketch-size': String(sketchSize),
    'x-esp8266-sketch-md5': sketchMd5,
    'x-esp8266-chip-size': '4194304',
    ...(version !== undefined && { 'x-esp8266-version': version }),
  };
  return readReport(headers, url);
}

interface DecisionInput extends Said {
  readonly runs?: ReleaseRecord;
  readonly record?: DeviceRecord;
  readonly current?: readonly ReleaseRecord[];
  readonly intermediateReleases?: readonly ReleaseRecord[];
  readonly servedMs?: number;
  readonly policy?: RetryPolicy;
}

function decideFor({
  runs,
  record = newRecord('door', mac),
  current = [],
  intermediateReleases = [],
  servedMs = 0,
  policy = retryPolicy,
  ...said
}: DecisionInput): Outcome {
  const heard = report(said);
  const recognized = runs === undefined ? [] : [{ release: runs, flashMode: 'dio', isTrusted: true } as const];
  const running: Running = whatRuns(heard, recognized, record);
  const question: Question = {
    mode: said.mode ?? 'sketch',
    channel: 'stable',
    report: heard,
    running,
    record,
    releases: { current, intermediateReleases },
    retryPolicy: policy,
    now: { wallMs: 1000, servedMs },
    from: { address: '127.0.0.1', authenticated: false },
    hasNewestSecret: false,
  };
  return decide(question);
}

function sentFile(decision: Decision): string {
  return decision.action === 'send' ? `${decision.release.version} ${decision.artifact.file}` : decision.code;
}

const old = await release('1.0', { signer });
const young = await release('2.0', { signer });
const unsigned = await release('1.1');

test('sends the smallest artifact that is safe for the running build', (t) => {
  t.is(sentFile(decideFor({ runs: old, current: [young] }).decision), '2.0 door.bin.gz.signed');
  t.is(sentFile(decideFor({ current: [young] }).decision), '2.0 door.bin.signed');
  t.is(
    sentFile(decideFor({ runs: unsigned, current: [young] }).decision).endsWith('.gz.signed'),
    false,
    'that would brick it',
  );
});

test('recognizes an up-to-date device by MD5 first, then by version', (t) => {
  const byMd5 = decideFor({ runs: young, current: [young] }).decision;
  t.is(byMd5.code, 'running');
  const byWord = decideFor({ version: '2.0', current: [young] }).decision;
  t.is(byWord.code, 'version-reported');
  t.is(
    sentFile(decideFor({ runs: old, version: '2.0', current: [young] }).decision),
    '2.0 door.bin.gz.signed',
    'the MD5 counts',
  );
  for (const { text } of [byMd5, byWord, decideFor({ runs: old, current: [young] }).decision, decideFor({}).decision])
    t.not(text, '');
});

test('does not send a release to a device that already runs the same bytes under a different version', async (t) => {
  const build = await testBuild({ signer, seed: 7 });
  const [beta, stable] = [releaseOf(build, '3.0-rc1'), releaseOf(build, '3.0')];
  const heard = report();
  const recognized = [beta, stable].map((each) => ({ release: each, flashMode: 'dio' as const, isTrusted: true }));
  const record = newRecord('door', mac);
  const running = whatRuns(heard, recognized, record);
  const releases = { current: [stable], intermediateReleases: [] };
  const now = { wallMs: 1, servedMs: 0 };
  const from = { address: '127.0.0.1', authenticated: false };
  const request = { mode: 'sketch', channel: 'stable', report: heard, from, hasNewestSecret: false } as const;
  t.is(decide({ ...request, running, record, releases, retryPolicy, now }).decision.code, 'running');
});

test('selects the release by board, and sends nothing when no release matches', async (t) => {
  const [mini, node] = [
    await release('4.0', { signer, board: 'd1_mini' }),
    await release('4.1', { signer, board: 'nodemcu' }),
  ];
  t.is(decideFor({ current: [] }).decision.code, 'no-release');
  t.is(decideFor({ current: [mini, node] }).decision.code, 'board-unknown');
  const named = (board: string) => ({ ...newRecord('door', mac), board });
  t.regex(sentFile(decideFor({ current: [mini, node], record: named('nodemcu') }).decision), /^4.1 /);
  t.is(decideFor({ current: [mini, node], record: named('wemos') }).decision.code, 'no-release');
  t.regex(sentFile(decideFor({ current: [mini, node], runs: mini }).decision), /running/);
  t.regex(sentFile(decideFor({ current: [mini] }).decision), /^4.0 /, 'there is no choice');
});

test('does not overwrite a build from a different project', async (t) => {
  const other = { ...(await release('5.0', { signer, project: 'window' })), project: 'window' };
  const mine = await release('5.1', { signer, project: 'door' });
  const { decision } = decideFor({ runs: other, current: [mine] });
  t.is(decision.code, 'blocked');
  t.true(decision.action === 'none' && decision.rules.includes('other-project'));
});

test('sends an intermediate release when the device cannot install the target directly', async (t) => {
  // A device on core 2.6.3 cannot install a gzip artifact, and the raw image does not fit.
  const ancient = await release('6.0', { coreGitHash: '3d128e5c' });
  const small = await release('6.1', { sizeBytes: 20_000 });
  const large = await release('6.2', { sizeBytes: 300_000 });
  const space = { freeSpace: 200_704, sketchSize: 409_600 };
  const first = decideFor({ runs: ancient, current: [large], intermediateReleases: [large, small], ...space });
  t.is(first.decision.code, 'intermediate');
  t.is(sentFile(first.decision), '6.1 door.bin');
  const after = { freeSpace: 588_000, sketchSize: 20_000 };
  const second = decideFor({
    runs: small,
    record: first.record,
    current: [large],
    intermediateReleases: [small],
    ...after,
  });
  t.is(second.decision.action, 'send');
  t.regex(sentFile(second.decision), /^6.2 /);
});

test('does not send a sketch in response to a filesystem check', async (t) => {
  const files = { ...(await release('7.0')), kind: 'filesystem' } as const;
  const { decision } = decideFor({ mode: 'spiffs', current: [young, files] });
  t.not(decision.action, 'send');
  t.is(decideFor({ mode: 'spiffs', current: [young] }).decision.code, 'no-release');
});

test('stops sending a release after three downloads, and sends a newer release', (t) => {
  let record = newRecord('door', mac);
  for (let sends = 1; sends <= 3; sends++) {
    const outcome = decideFor({ runs: old, current: [young], record });
    t.is(outcome.decision.action, 'send');
    t.is(outcome.record.attempts[0]?.sends, sends);
    record = outcome.record;
  }
  const fourth = decideFor({ runs: old, current: [young], record });
  t.is(fourth.decision.code, 'failed');
  t.is(fourth.record.attempts[0]?.failure, 'not-installed');
  t.is(
    decideFor({ runs: old, current: [young], record: fourth.record }).record,
    fourth.record,
    'asking again changes nothing',
  );
  const newer = decideFor({ runs: old, current: [{ ...young, id: 999, version: '2.1' }], record: fourth.record });
  t.is(newer.decision.action, 'send', 'a newer release has its own chance');
  const late = decideFor({ runs: young, current: [young], record: fourth.record });
  t.is(late.decision.code, 'running');
  t.is(late.record.attempts[0]?.state, 'running');
  t.true(late.record.proven);
});

/** Breaks off the download that the device started last. */
function brokenOff({ record }: Outcome): DeviceRecord {
  const sends = record.attempts[0]?.sends ?? 0;
  return { ...record, attempts: afterInterruption(record.attempts, young.id, sends) };
}

function completed({ record }: Outcome): DeviceRecord {
  return { ...record, attempts: afterReceipt(record.attempts, young.id) };
}

const byDay: RetryPolicy = { confirmWithinMs: dayMs, mostSends: 3 };

test('waits one hour, four hours and then a day after interrupted downloads, and never fails because of them', (t) => {
  let servedMs = 0;
  let record = newRecord('door', mac);
  const check = () => decideFor({ runs: old, current: [young], record, servedMs, policy: byDay });
  for (const [index, waitMs] of [hourMs, 4 * hourMs, dayMs, dayMs, dayMs].entries()) {
    const sent = check();
    t.is(sent.decision.action, 'send', `download ${index + 1}`);
    t.is(deviceStatus(sent.record), 'updating');
    record = brokenOff(sent);
    servedMs += waitMs - 1;
    const waiting = check();
    t.is(waiting.decision.code, 'interrupted');
    t.is(deviceStatus(waiting.record), 'pending');
    t.like(waiting.record.attempts[0], { state: 'interrupted', sends: index + 1, interruptions: index + 1 });
    record = waiting.record;
    servedMs += 1;
  }
  t.is(check().decision.action, 'send');
  record = { ...record, attempts: afterRetry(record.attempts) };
  servedMs -= 1;
  t.is(check().decision.action, 'send', 'a retry ends the wait');
});

test('states how often a download was interrupted, and when it is sent again', (t) => {
  const record = brokenOff(decideFor({ runs: old, current: [young], policy: byDay }));
  const { decision } = decideFor({ runs: old, current: [young], record, servedMs: 1, policy: byDay });
  t.is(
    decision.text,
    'Download of 2.0 interrupted once. It is sent again 60 minutes after the last download started. Use Retry to send it now.',
  );
});

test('shortens the waits after interrupted downloads with the confirmation time', (t) => {
  const policy = { confirmWithinMs: 24_000, mostSends: 3 };
  const record = brokenOff(decideFor({ runs: old, current: [young], policy }));
  const codeAt = (servedMs: number) =>
    decideFor({ runs: old, current: [young], record, servedMs, policy }).decision.code;
  t.is(codeAt(999), 'interrupted');
  t.is(codeAt(1000), 'update');
});

test('does not fail an interrupted download of a device that was offline for longer than the confirmation time', (t) => {
  const record = brokenOff(decideFor({ runs: old, current: [young], policy: byDay }));
  const servedMs = 3 * dayMs;
  const gone = overdue(record.attempts, { wallMs: 0, servedMs });
  t.is(gone[0]?.failure, 'not-confirmed');
  const back = decideFor({
    runs: old,
    current: [young],
    record: { ...record, attempts: gone },
    servedMs,
    policy: byDay,
  });
  t.is(back.decision.action, 'send');
  t.is(back.record.attempts[0]?.failure, undefined);
});

test('counts a download that breaks off only after the next one has started', (t) => {
  const first = decideFor({ runs: old, current: [young], policy: byDay });
  const second = decideFor({ runs: old, current: [young], record: first.record, policy: byDay });
  const third = decideFor({ runs: old, current: [young], record: second.record, policy: byDay });
  const failed = decideFor({ runs: old, current: [young], record: third.record, policy: byDay });
  t.is(failed.decision.code, 'failed');
  const attempts = afterInterruption(failed.record.attempts, young.id, 1);
  const later = decideFor({ runs: old, current: [young], record: { ...failed.record, attempts }, policy: byDay });
  t.is(later.decision.action, 'send', 'only two downloads count');
});

/** Device that completed three downloads of `young` and still runs `old`. */
function stillOld(said: Said = {}): DeviceRecord {
  let record = newRecord('door', mac);
  for (let downloads = 1; downloads <= 3; downloads++) {
    const sent = decideFor({ runs: old, current: [young], record, policy: byDay, ...said });
    record = completed(sent);
  }
  return record;
}

test('sends a release once more each day to a device that still runs the old build after three downloads', (t) => {
  let record = stillOld();
  for (let day = 0; day < 3; day++) {
    const at = (servedMs: number) => decideFor({ runs: old, current: [young], record, servedMs, policy: byDay });
    const early = at(day * dayMs + dayMs - 1);
    t.is(early.decision.code, 'failed');
    t.is(deviceStatus(early.record), 'failed');
    t.regex(
      early.decision.text,
      /^2\.0 not installed: .* \(\d downloads\)\. It is sent once more each day\. Use Retry/,
    );
    record = early.record;
    const again = at(day * dayMs + dayMs);
    t.is(again.decision.action, 'send');
    record = completed(again);
  }
});

test('sends a release at most three times to a device that does not report its sketch MD5, until a retry', (t) => {
  const said: Said = { sketchMd5: '' };
  const record = stillOld(said);
  const check = (next: DeviceRecord, current = [young], servedMs = 30 * dayMs) =>
    decideFor({ current, record: next, servedMs, policy: byDay, ...said });
  const failed = check(record);
  t.is(failed.decision.code, 'failed');
  t.regex(failed.decision.text, /\(3 downloads\)\. Use Retry to send it again\.$/);
  t.is(check({ ...record, attempts: afterRetry(failed.record.attempts) }).decision.action, 'send');
  t.is(check(failed.record, [{ ...young, id: 997, version: '2.3' }]).decision.action, 'send', 'a newer release');
});

test('sends only sketches once more each day, because a filesystem update overwrites the files', (t) => {
  const [attempt] = stillOld().attempts;
  if (attempt === undefined) return t.fail();
  const now = { wallMs: 0, servedMs: 9 * dayMs };
  t.true(mayTryAgain(attempt, report(), now));
  t.false(mayTryAgain({ ...attempt, kind: 'filesystem' }, report(), now));
});

test('fails an attempt when the device checks in after the deadline without running the release', (t) => {
  const { record } = decideFor({ runs: old, current: [young], servedMs: 1000 });
  t.is(decideFor({ runs: old, current: [young], record, servedMs: hourMs }).decision.action, 'send');
  const late = decideFor({ runs: old, current: [young], record, servedMs: hourMs + 1001 });
  t.is(late.decision.code, 'failed');
  t.is(late.record.attempts[0]?.failure, 'not-installed');
});

test('fails an attempt at once when the device reports that its guard rejected the update', (t) => {
  const rejects = (record: DeviceRecord, number: string, current = [young]) =>
    decideFor({ runs: old, current, record, url: `/update/door?a=b&rejection=${number}` });
  const { record } = decideFor({ runs: old, current: [young] });
  const rejected = rejects(record, '5');
  t.is(rejected.decision.code, 'failed');
  t.like(rejected.record.attempts[0], { state: 'failed', failure: 'not-installed', rejection: 5, sends: 1 });
  t.regex(
    rejected.decision.text,
    /rejected by the guard of the device: the security version is too low \(rejection 5\)/,
  );
  t.is(rejects(rejected.record, '5').record, rejected.record, 'reported again');
  t.regex(rejects(record, '200').decision.text, /of the device: rejection 200/, 'a newer guard');
  for (const number of ['0', '256', '-1', '5x', '', '1000']) {
    t.is(rejects(record, number).record.attempts[0]?.rejection, undefined, number);
  }
  const newer = rejects(rejected.record, '5', [{ ...young, id: 997, version: '2.3' }]);
  t.is(newer.decision.action, 'send', 'a newer release has its own chance');
  const late = decideFor({ runs: young, current: [young], record: rejected.record });
  t.like(late.record.attempts[0], { state: 'running' });
  t.is(late.record.attempts[0]?.rejection, undefined);
});

test('ignores a rejection of an earlier update after a download that broke off', (t) => {
  const url = '/update/door?rejection=5';
  const broken = brokenOff(decideFor({ runs: old, current: [young] }));
  const later = decideFor({ runs: old, current: [young], record: broken, url });
  t.like(later.record.attempts[0], { state: 'interrupted', rejection: undefined, failure: undefined });
  const again = { ...later.record, attempts: later.record.attempts.map((each) => ({ ...each, sends: 2 })) };
  t.like(decideFor({ runs: old, current: [young], record: again, url }).record.attempts[0], { rejection: 5 });
});

test('replaces a pending attempt when a newer release becomes current', (t) => {
  const first = decideFor({ runs: old, current: [young] });
  const newer = { ...young, id: 998, version: '2.2' };
  const second = decideFor({ runs: old, current: [newer], record: first.record });
  t.deepEqual(
    second.record.attempts.map(({ version }) => version),
    ['2.2'],
  );
});

test('records no attempt for a version check', (t) => {
  const outcome = decideFor({ mode: 'version', runs: old, current: [young] });
  t.is(outcome.decision.action, 'send');
  t.deepEqual(outcome.record.attempts, []);
});

test('stores a decision when its code changes, but not when only its numbers change', (t) => {
  const full = { freeSpace: 0, sketchSize: 1_000_000 };
  const first = decideFor({ runs: old, current: [young], ...full });
  t.is(first.decision.code, 'blocked');
  const again = decideFor({ runs: old, current: [young], record: first.record, ...full, sketchSize: 1_000_001 });
  t.is(again.record, first.record);
  const now = decideFor({ runs: old, current: [young], record: first.record });
  t.not(now.record.decisions.sketch?.code, first.record.decisions.sketch?.code);
});

test('assumes that a completely downloaded filesystem is installed unless the device reports otherwise', (t) => {
  const files: Attempt = {
    releaseId: 42,
    version: '7.0',
    kind: 'filesystem',
    state: 'received',
    sends: 1,
    receipts: 1,
    interruptions: 0,
    lastSentAt: 1,
    dueMs: hourMs,
    sentMs: 0,
  };
  const record = { ...newRecord('door', mac), attempts: [files] };
  const current = [{ ...young, id: 42, version: '7.0', kind: 'filesystem' as const }];
  t.is(decideFor({ mode: 'spiffs', current, record }).decision.code, 'files-installed');
  t.is(decideFor({ mode: 'sketch', current, record }).record.attempts[0]?.state, 'running');
  t.is(decideFor({ mode: 'spiffs', version: '7.0', current, record }).decision.code, 'version-reported');
  t.not(decideFor({ mode: 'spiffs', version: '6.9', current, record }).decision.action, 'current');
});

/** Release whose filesystem starts at a different address than that of the test device. */
function moved({ manifest, ...release }: ReleaseRecord, more: Partial<ReleaseRecord['manifest']> = {}): ReleaseRecord {
  const layout = { fsStart: 0x30_0000, fsEnd: 0x3f_a000, eepromStart: 0x3f_b000 };
  return { ...release, manifest: { ...manifest, image: { ...manifest.image, layout }, ...more } };
}

test('sends a release that moves the filesystem only to devices for which this is allowed', (t) => {
  // Requests with the same releases share cached plans.
  const releases = { current: [moved(young)], intermediateReleases: [] };
  const blocked = decideFor({ runs: old, ...releases }).decision;
  t.like(blocked, { code: 'blocked', rules: ['fs-moved'] });
  t.regex(
    blocked.text,
    /^2\.0 blocked: \S+\.signed: the filesystem .* \(fs-moved\)\. Fix: build the image for the flash layout .* --allow fs-moved`\.$/,
  );
  const record: DeviceRecord = { ...newRecord('door', mac), allow: ['fs-moved'] };
  t.is(decideFor({ runs: old, ...releases, record }).decision.action, 'send');
  t.is(decideFor({ runs: old, ...releases }).decision.code, 'blocked', 'devices with the same facts stay blocked');
});

test('explains a blocked update with the artifact that the fewest rules block, and stores the explanation', async (t) => {
  const keyless = { ...unsigned, id: 997, version: '9.1' };
  const other = testSigner();
  const foreign = await release('9.2', { signer: other });
  const outcome = decideFor({ runs: old, current: [foreign] });
  const { decision } = outcome;
  t.like(decision, { code: 'blocked', rules: ['wrong-key'] });
  t.like(outcome.record.decisions.sketch, {
    code: 'blocked wrong-key',
    blocked: { artifact: 'door.bin.signed', findings: [{ rule: 'wrong-key', fixes: [{ action: 'sign' }] }] },
  });
  const again = decideFor({ runs: old, current: [foreign], record: outcome.record });
  t.is(again.record, outcome.record, 'the same explanation is not stored again');
  const without = decideFor({ runs: old, current: [keyless] }).decision;
  t.true(without.action === 'none' && without.rules.includes('unsigned-to-signed'), 'no artifact has a signature');
  t.regex(without.text, /Fix: .*sign the artifact with key/);
});

test('honors the rules that the project of a release allows, except rules about proof, keys and signatures', (t) => {
  const reason = 'the files are rebuilt';
  const allowed = moved(young, { allowedRules: [{ rule: 'fs-moved', reason }] });
  t.is(decideFor({ runs: old, current: [allowed] }).decision.action, 'send');
  const plain = { ...unsigned, id: 996, version: '9.0' };
  const before = decideFor({ runs: old, current: [plain] }).decision;
  t.is(before.code, 'blocked');
  const rules = before.action === 'none' ? before.rules : [];
  t.true(rules.length > 0);
  const allowedRules = rules.map((rule) => ({ rule, reason }));
  const claimed = { ...plain, manifest: { ...plain.manifest, allowedRules } };
  t.is(decideFor({ runs: old, current: [claimed] }).decision.code, 'blocked');
});
