import type { ExecutionContext, TestFn } from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt, DeviceRecord, NotEnrolledDevice, ReleaseRecord } from '../../../src/server/storage/records.ts';
import type { DumpLine } from '../../../src/server/storage/store.ts';
import { auditBy } from '../audit-by.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { project, publication, rollout } from './contract-records.ts';
import { countsContract } from './counts-contract.ts';
import { deviceListContract } from './device-list-contract.ts';
import { processesContract } from './processes-contract.ts';
import type { TestStore } from './test-store.ts';
import { webhooksContract } from './webhooks-contract.ts';

const roomy = { mostDevices: 1000 };

/** Behavior that every store must have. */
export function storeContract(test: TestFn, name: string, open: (t: ExecutionContext) => Promise<TestStore>): void {
  const storeTest = (title: string, run: (t: ExecutionContext, opened: TestStore) => Promise<void>) =>
    test(`${name}: ${title}`, async (t) => run(t, await open(t)));
  deviceListContract(storeTest);
  countsContract(storeTest);
  processesContract(storeTest);
  webhooksContract(storeTest);

  storeTest(
    'keeps a published release, its project, sketch MD5s, channel and audit entries across a restart',
    async (t, opened) => {
      const { manifest } = await testBuild({ version: '1.0', project: 'door' });
      const result = await opened.store.catalog.publish(publication(manifest, '1.0'));
      t.is(result.outcome, 'published');
      const { catalog, audit } = await opened.reopen();
      t.deepEqual(
        (await catalog.projects()).map(({ project }) => project.name),
        ['door'],
      );
      const [promote] = await catalog.currentReleases('door');
      t.is(promote?.channel, 'stable');
      t.is(promote?.release.version, '1.0');
      t.deepEqual(promote?.release.manifest.artifacts, plain(manifest.artifacts));
      for (const { md5, flashMode } of manifest.image.sketchMd5s) {
        const [recognized] = await catalog.recognize('door', md5);
        t.is(recognized?.release.id, promote?.release.id);
        t.is(recognized?.flashMode, flashMode);
      }
      t.deepEqual(await catalog.recognize('door', '00'.repeat(16)), []);
      t.deepEqual(
        (await audit.list({ limit: 10 })).map(({ action, actor }) => [action, actor]),
        [
          ['release.published', 'tester'],
          ['project.created', 'tester'],
        ],
      );
    },
  );

  storeTest('keeps devices without a project, newest first, within the limits', async (t, { store, peer }) => {
    const seen = (index: number, address: string, more: Partial<NotEnrolledDevice> = {}): NotEnrolledDevice => {
      const place = { path: '/esp', projects: ['door', 'temp'], knownIn: ['door'] };
      return { mac: `02:00:00:00:00:0${index}`, ...place, address, lastSeenAt: index, ...more };
    };
    const limits = { most: 4, mostPerAddress: 2 };
    const first = [seen(1, 'a', { version: '1.0' }), seen(2, 'a'), seen(3, 'b')];
    await store.notEnrolled.save({ seen: first, removed: [] }, limits);
    t.deepEqual(await peer.notEnrolled.list(), first.toReversed());
    const moved = seen(1, 'b', { lastSeenAt: 9 });
    await peer.notEnrolled.save({ seen: [moved, seen(4, 'a'), seen(5, 'a')], removed: [] }, limits);
    t.deepEqual(await store.notEnrolled.list(), [moved, seen(5, 'a'), seen(4, 'a'), seen(3, 'b')], 'two of a');
    await store.notEnrolled.save({ seen: [seen(6, 'c'), seen(7, 'd')], removed: [moved.mac] }, limits);
    const macs = async () => (await peer.notEnrolled.list()).map(({ lastSeenAt }) => lastSeenAt);
    t.deepEqual(await macs(), [7, 6, 5, 4], 'four of all');
    await store.notEnrolled.removeBefore(6);
    t.deepEqual(await macs(), [7, 6]);
  });

  storeTest('finds nothing by a text with a NUL character, which URLs may contain', async (t, { store }) => {
    const { manifest } = await testBuild({ version: '1.0', project: 'door' });
    await store.catalog.publish(publication(manifest, '1.0'));
    t.is(await store.catalog.project('door\0'), undefined);
    t.is(await store.devices.check('door\0', '02:00:00:00:00:01'), undefined);
    t.deepEqual(await store.devices.list('door', { limit: 1 }, { text: '\0' }), []);
  });

  storeTest(
    'allows one rollout per channel, and promotes the release in the write that completes the rollout',
    async (t, opened) => {
      const { store } = opened;
      const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
      const previous = (await store.catalog.publish(publication(first.manifest, '1.0'))).release;
      const fresh = (await store.catalog.publish(publication(second.manifest, '2.0', { channel: undefined }))).release;
      const entry = () => auditBy('tester', 'rollout.started');
      const made = await store.rollouts.create(rollout(fresh.id, previous.id), entry);
      if (made === undefined) return t.fail('no rollout was under way');
      t.is(await store.rollouts.create(rollout(fresh.id, previous.id), entry), undefined);
      t.truthy(await store.rollouts.create({ ...rollout(fresh.id, previous.id), channel: 'beta' }, entry));

      const sample = { at: 5, updating: 1, running: 0, failed: 0, openStages: 1 };
      await store.rollouts.save({ ...made, samples: [sample] }, undefined);
      t.deepEqual(await store.rollouts.find('door', made.id), plain({ ...made, revision: 2, samples: [sample] }));
      const complete = { ...made, revision: 2, state: 'complete', endedAt: 9 } as const;
      const change = { audit: auditBy('tester', 'rollout.completed'), promote: [fresh.id] };
      const saved = await store.rollouts.save(complete, change);
      t.deepEqual(saved, { ...complete, revision: 3 });

      const { rollouts, catalog, audit } = await opened.reopen();
      t.deepEqual(await rollouts.find('door', made.id), plain({ ...complete, revision: 3 }));
      t.deepEqual(
        (await rollouts.ofProject('door', 10)).map(({ channel }) => channel),
        ['beta', 'stable'],
      );
      t.is((await rollouts.ofProject('door', 1)).length, 1);
      t.deepEqual(
        (await rollouts.current()).map(({ channel, state }) => [channel, state]),
        [
          ['stable', 'complete'],
          ['beta', 'active'],
        ],
      );
      const currentReleases = await catalog.currentReleases('door');
      t.deepEqual(
        currentReleases.map(({ channel, release }) => [channel, release.version]),
        [['stable', '2.0']],
      );
      t.is((await audit.list({ limit: 1 }))[0]?.action, 'rollout.completed');
      const next = await rollouts.create(rollout(fresh.id, previous.id), entry);
      t.deepEqual(
        (await rollouts.current()).map(({ id }) => id),
        [made.id + 1, next?.id],
        'the newest of each channel',
      );
      t.is(await rollouts.find('window', made.id), undefined);
      t.deepEqual(plain(await catalog.byIds([fresh.id, 999])), plain([fresh]));
    },
  );

  storeTest(
    'leaves a release unchanged when it is published again, and rejects different bytes for the same version',
    async (t, { store }) => {
      const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
      await store.catalog.publish(publication(first.manifest, '1.0'));
      t.is((await store.catalog.publish(publication(first.manifest, '1.0'))).outcome, 'unchanged');
      const taken = await store.catalog.publish(publication(second.manifest, '1.0'));
      t.is(taken.outcome, 'version-taken');
      t.deepEqual(taken.release.manifest.artifacts, plain(first.manifest.artifacts));
      t.deepEqual(await store.catalog.recognize('door', sketchMd5Of(second.manifest)), []);
      t.is((await store.catalog.releases('door', { limit: 10 })).length, 1);
    },
  );

  storeTest('ends a page of versions after 1,000 images, and never splits a version', async (t, { store, another }) => {
    await store.catalog.publish(publication((await testBuild({ version: '1.0', project: 'door' })).manifest, '1.0'));
    const lines: DumpLine[] = [];
    for await (const line of store.dump()) lines.push(line);
    const row = lines.find(({ table }) => table === 'releases')?.row ?? t.fail();
    const copies = ['1.0', '2.0', '3.0'].flatMap((version, first) =>
      Array.from({ length: 600 }, (_, index) => {
        return {
          table: 'releases',
          row: { ...row, id: 10_000 + first * 600 + index, version, board: `board-${index}` },
        };
      }),
    );
    const large = await another();
    await large.restore([...lines.filter(({ table }) => table === 'projects'), ...copies]);
    const newest = await large.catalog.versions('door', { limit: 10 });
    t.deepEqual(
      newest.versions.map(({ version, images }) => [version, images.length]),
      [['3.0', 600]],
    );
    const older = await large.catalog.versions('door', { limit: 10, before: newest.next });
    t.deepEqual([older.versions[0]?.version, older.versions.length], ['2.0', 1]);
    t.is((await large.catalog.versions('door', { limit: 1, before: older.next })).next, undefined);
  });

  storeTest(
    'promotes a republished old release only to a channel that has never served the release',
    async (t, { store }) => {
      const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
      await store.catalog.publish(publication(first.manifest, '1.0'));
      await store.catalog.publish(publication(second.manifest, '2.0'));
      t.is((await store.catalog.publish(publication(first.manifest, '1.0'))).outcome, 'unchanged');
      t.is((await store.catalog.publish(publication(first.manifest, '1.0', { channel: 'beta' }))).outcome, 'promoted');
      const currentReleases = (await store.catalog.currentReleases('door')).map(
        ({ channel, release }) => `${channel} ${release.version}`,
      );
      t.deepEqual(currentReleases.sort(), ['beta 1.0', 'stable 2.0']);
    },
  );

  storeTest('promotes a release to a channel, and never promotes a yanked release', async (t, { store }) => {
    const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
    const old = await store.catalog.publish(publication(first.manifest, '1.0'));
    const young = await store.catalog.publish(publication(second.manifest, '2.0'));
    await store.catalog.promote('door', 'stable', [old.release.id], () => auditBy('tester'));
    t.is((await store.catalog.currentReleases('door'))[0]?.release.version, '1.0');
    const versions = async () =>
      (await store.catalog.promotedBefore('door', 'stable', 9)).map(({ version }) => version);
    t.deepEqual(await versions(), ['1.0', '2.0']);
    await store.catalog.yank('door', [old.release.id], 'it smokes', () => auditBy('tester'));
    t.deepEqual(await store.catalog.currentReleases('door'), []);
    t.deepEqual(await versions(), ['2.0']);
    t.deepEqual(await store.catalog.withVersion('door', '1.0'), []);
    const [recognized] = await store.catalog.recognize('door', sketchMd5Of(first.manifest));
    t.is(recognized?.release.yanked, 'it smokes');
    await store.catalog.promote('door', 'stable', [old.release.id, young.release.id], () => auditBy('tester'));
    t.is((await store.catalog.currentReleases('door'))[0]?.release.version, '2.0');
  });

  storeTest('lists the hops of a channel that are not yanked, newest first', async (t, { store }) => {
    const [signer, hopFrom] = [testSigner(), testSigner()];
    const builds = await Promise.all([
      testBuild({ seed: 1, signer: hopFrom }),
      testBuild({ seed: 2, signer, hopFrom }),
      testBuild({ seed: 3, signer, hopFrom }),
      // A name is not a key.
      testBuild({ seed: 4, signer, board: '"previousKey":' }),
    ]);
    for (const [index, { manifest }] of builds.entries()) {
      await store.catalog.publish(publication(manifest, `${index + 1}.0`));
    }
    const hops = async (channel: string) => (await store.catalog.hops('door', channel)).map(({ version }) => version);
    t.deepEqual(await hops('stable'), ['3.0', '2.0']);
    t.deepEqual(await hops('beta'), []);
    const [newest] = await store.catalog.hops('door', 'stable');
    await store.catalog.yank('door', [newest?.id ?? 0], 'it smokes', () => auditBy('tester'));
    t.deepEqual(await hops('stable'), ['2.0']);
  });

  storeTest('keeps the notes of a version unless they have changed meanwhile', async (t, { store }) => {
    const { manifest } = await testBuild();
    await store.catalog.publish(publication(manifest, '1.0'));
    const save = (before: string, notes: string) =>
      store.catalog.saveNotes('door', { version: '1.0', before, notes }, auditBy('tester'));
    const stored = async () => (await store.catalog.notes('door', ['1.0', '2.0'])).get('1.0');
    t.true(await save('', 'first'));
    const entries = (await store.audit.list({ limit: 100 })).length;
    t.false(await save('', 'lost'));
    t.is((await store.audit.list({ limit: 100 })).length, entries);
    t.is(await stored(), 'first');
    t.true(await save('first', ''));
    t.is(await stored(), undefined);
  });

  storeTest('finds the previous image of the same kind and board', async (t, { store }) => {
    const boards = ['d1_mini', 'nodemcu', 'd1_mini', 'd1_mini'];
    const published: ReleaseRecord[] = [];
    for (const [index, board] of boards.entries()) {
      const { manifest } = await testBuild({ seed: index + 1, board });
      const { release, ...others } = publication(manifest, `1.${index}`);
      published.push((await store.catalog.publish({ ...others, release: { ...release, board } })).release);
    }
    const previous = async (index: number) => {
      const release = published[index];
      return release && (await store.catalog.previous(release))?.version;
    };
    t.deepEqual(await Promise.all([0, 1, 2, 3].map(previous)), [undefined, undefined, '1.0', '1.2']);
    t.deepEqual(
      (await store.catalog.imagesOf('door', '1.1')).map(({ board }) => board),
      ['nodemcu'],
    );
  });

  storeTest(
    'recognizes several reference builds of the same version, and serves none of them',
    async (t, { store }) => {
      const builds = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
      for (const { manifest } of builds) {
        const known = publication(manifest, '0.9', { purpose: 'reference', channel: undefined });
        t.is((await store.catalog.publish(known)).outcome, 'published');
        t.is((await store.catalog.publish(known)).outcome, 'unchanged');
        const [recognized] = await store.catalog.recognize('door', sketchMd5Of(manifest));
        t.is(recognized?.release.purpose, 'reference');
        for (const { sha256 } of manifest.artifacts) t.false(await store.catalog.isReferenced(sha256));
      }
      t.deepEqual(await store.catalog.currentReleases('door'), []);
      t.deepEqual(await store.catalog.withVersion('door', '0.9'), []);
      const [first] = builds;
      if (first === undefined) throw new Error('no build');
      t.is((await store.catalog.publish(publication(first.manifest, '0.9'))).outcome, 'published');
      for (const { sha256 } of first.manifest.artifacts) t.true(await store.catalog.isReferenced(sha256));
    },
  );

  storeTest('trusts a draft after it is promoted or rolled out, but not in other projects', async (t, { store }) => {
    const { catalog, rollouts } = store;
    const builds = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 }), await testBuild({ seed: 3 })] as const;
    const [current, promoted, rolledOut] = builds;
    await catalog.publish(publication(current.manifest, '1.0', { isTrusted: false }));
    const draft = { isTrusted: false, channel: undefined };
    const { release } = await catalog.publish(publication(promoted.manifest, '2.0', draft));
    const { release: fresh } = await catalog.publish(publication(rolledOut.manifest, '3.0', draft));
    const trusted = () =>
      Promise.all(
        builds.map(async ({ manifest }) => {
          return (await catalog.recognize('door', sketchMd5Of(manifest))).map(({ isTrusted }) => isTrusted);
        }),
      );
    t.deepEqual(await trusted(), [[true], [false], [false]]);
    await catalog.promote('door', 'stable', [release.id], () => auditBy('tester'));
    t.deepEqual(await trusted(), [[true], [true], [false]]);
    await rollouts.create(rollout(fresh.id, release.id), () => auditBy('tester'));
    t.deepEqual(await trusted(), [[true], [true], [true]]);
    for (const { manifest } of builds) t.deepEqual(await catalog.recognize('window', sketchMd5Of(manifest)), []);
  });

  storeTest('saves a device only when the change is based on the latest revision', async (t, opened) => {
    await opened.store.catalog.saveProject(project(), auditBy('tester'));
    const { devices } = opened.store;
    const mac = '18:FE:34:00:00:01';
    const fresh = { ...newRecord('door', mac), name: 'front door' };
    t.is(await devices.save(fresh, roomy), 'saved');
    t.is(await devices.save(fresh, roomy), 'conflict');
    const seen = await devices.get('door', mac);
    t.is(seen?.record.name, 'front door');
    t.is(seen?.record.revision, 1);
    const races = [1, 2, 3].map((sends) => devices.save({ ...fresh, revision: 1, attempts: [attempt(sends)] }, roomy));
    t.deepEqual((await Promise.all(races)).sort(), ['conflict', 'conflict', 'saved']);
    const after = await (await opened.reopen()).devices.get('door', mac);
    t.is(after?.record.revision, 2);
    t.is(after?.record.attempts[0]?.sends, 1);
    t.is(await opened.store.devices.get('door', '18:FE:34:00:00:02').catch(() => undefined), undefined);
  });

  storeTest('lists devices by MAC, page by page, with their last-seen times', async (t, { store }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const macs = Array.from({ length: 25 }, (_, index) => `18:FE:34:00:00:${String(index).padStart(2, '0')}`);
    await Promise.all(macs.map((mac) => store.devices.save(newRecord('door', mac), roomy)));
    await store.devices.touch([
      { project: 'door', mac: macs[3] ?? '', at: 1_700_000_000_000, report: { version: '7' } },
    ]);
    const listed: string[] = [];
    for (let after: string | undefined; ; after = listed.at(-1)) {
      const page = await store.devices.list('door', { after, limit: 10 });
      listed.push(...page.map(({ record }) => record.mac));
      if (page.length < 10) break;
    }
    t.deepEqual(listed, macs);
    const seen = await store.devices.get('door', macs[3] ?? '');
    t.is(seen?.lastSeenAt, 1_700_000_000_000);
    t.deepEqual(seen?.report, { version: '7' });
    t.is(await store.devices.count('door'), 25);
    t.true(await store.devices.remove('door', macs[0] ?? '', { audit: auditBy('tester') }));
    t.false(await store.devices.remove('door', macs[0] ?? '', { audit: auditBy('tester') }));
    t.is(await store.devices.count('door'), 24);
  });

  storeTest(
    'evicts devices that are not enrolled when a project is full, and never exceeds the device limit',
    async (t, { store }) => {
      await store.catalog.saveProject(project(), auditBy('tester'));
      const few = { mostDevices: 10 };
      const macOf = (index: number) =>
        `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`.toUpperCase();
      const kept = { ...newRecord('door', 'AA:AA:AA:AA:AA:AA'), enrolled: true };
      t.is(await store.devices.save(kept, few), 'saved');
      for (let index = 0; index < 300; index++) {
        t.is(await store.devices.save(newRecord('door', macOf(index)), few), 'saved');
        t.true((await store.devices.count('door')) <= 11, 'ten, and the enrolled device, which does not count');
      }
      t.truthy(await store.devices.get('door', kept.mac));
      const proven = (index: number): DeviceRecord => ({ ...newRecord('door', macOf(1000 + index)), proven: true });
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.devices.save(proven(index), few)),
      );
      t.deepEqual(new Set(outcomes), new Set(['saved']), 'proven devices fill at most half, so there is always room');
      t.true((await store.devices.count('door')) <= 11, 'ten, and the enrolled device, which does not count');
      t.truthy(await store.devices.get('door', kept.mac));
    },
  );

  storeTest('reports a device as overdue when its first pending attempt is due', async (t, { store }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const device = (last: string, attempts: readonly Attempt[]) => ({
      ...newRecord('door', `02:00:00:00:00:${last}`),
      attempts,
    });
    await store.devices.save(device('01', [{ ...attempt(1), dueMs: 100 }]), roomy);
    await store.devices.save(device('02', [{ ...attempt(1), dueMs: 300 }]), roomy);
    await store.devices.save(device('03', [{ ...attempt(1), dueMs: 50, state: 'running' }]), roomy);
    await store.devices.save(device('04', [{ ...attempt(1), dueMs: 50, state: 'failed' }]), roomy);
    await store.devices.save(device('05', [{ ...attempt(1), dueMs: 70, state: 'received' }]), roomy);
    const macs = async (servedMs: number) => (await store.devices.overdue(servedMs, 9)).map(({ mac }) => mac.slice(-2));
    t.deepEqual(await macs(60), []);
    t.deepEqual(await macs(200), ['05', '01']);
    t.deepEqual(await macs(301), ['05', '01', '02']);
  });

  storeTest('removes old check-ins of devices, and nothing newer', async (t, { store, peer }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const macs = ['18:FE:34:00:00:01', '18:FE:34:00:00:02', '18:FE:34:00:00:03'];
    for (const mac of macs) await store.devices.save(newRecord('door', mac), { mostDevices: 9 });
    const touches = macs.map((mac, index) => ({ project: 'door', mac, at: 10 * index, report: { version: '1.0' } }));
    await store.devices.touch(touches);
    await store.devices.forgetCheckIns('door', macs.slice(0, 2), 10);
    await store.devices.forgetCheckIns('door', [], 100);
    await store.devices.forgetCheckIns('window', macs, 100);
    const seen = (await peer.devices.list('door', { limit: 9 })).map(({ lastSeenAt, report }) => [lastSeenAt, report]);
    const report = { version: '1.0' };
    t.deepEqual(seen, [
      [undefined, undefined],
      [10, report],
      [20, report],
    ]);
  });

  storeTest('reads the audit log from its start, and changes and removes entries', async (t, { store, peer }) => {
    for (const action of ['a', 'b', 'c', 'd']) await store.audit.add(auditBy('tester', action, { address: action }));
    const [first, second, third] = await peer.audit.after(0, 3);
    t.deepEqual([first?.action, second?.action, third?.action], ['a', 'b', 'c']);
    t.deepEqual(
      (await peer.audit.after(third?.id ?? 0, 3)).map(({ action }) => action),
      ['d'],
    );
    await store.audit.clean([{ id: second?.id ?? 0, detail: { tokens: 1 } }], [first?.id ?? 0, third?.id ?? 0]);
    t.deepEqual(
      (await peer.audit.list({ limit: 9 })).map(({ action, detail }) => [action, detail]),
      [
        ['d', { address: 'd' }],
        ['b', { tokens: 1 }],
      ],
    );
  });

  storeTest('finds a token by its ID until the token is revoked', async (t, opened) => {
    const facts = { project: 'door', name: 'ci', createdAt: 5 };
    const token = { id: 'abc', hash: 'ff', roles: ['publish', 'operate'], channels: ['beta'], ...facts } as const;
    await opened.store.tokens.create(token, auditBy('tester', 'token.created', { id: token.id }));
    const { tokens, audit } = await opened.reopen();
    t.deepEqual(await tokens.find('abc'), token);
    t.deepEqual(await tokens.list(), [token]);
    t.is(await tokens.find('abd'), undefined);
    t.is(await tokens.revoke('abc', auditBy('tester', 'token.revoked', { id: 'abc' })), 'revoked');
    t.is(await tokens.revoke('abc', auditBy('tester', 'token.revoked', { id: 'abc' })), 'unknown');
    t.is(await tokens.find('abc'), undefined);
    const actions = (await audit.list({ limit: 10 })).map(({ action, detail }) => [action, detail['id']]);
    t.deepEqual(actions, [
      ['token.revoked', 'abc'],
      ['token.created', 'abc'],
    ]);
    t.false(
      JSON.stringify(await audit.list({ limit: 10 })).includes('"ff"'),
      'the audit log does not contain the hash',
    );
  });

  storeTest('does not revoke the last admin token that is valid for all projects', async (t, { store }) => {
    const create = (id: string, project?: string) => {
      const token = { id, hash: 'ff', roles: ['admin'], channels: [], project, name: 'me', createdAt: 5 } as const;
      return store.tokens.create(token, auditBy('tester'));
    };
    const revoke = (id: string) => store.tokens.revoke(id, auditBy('tester', 'token.revoked', { id }));
    await create('abc');
    await create('def', 'door');
    t.is(await revoke('abc'), 'last-admin');
    await create('ghi');
    t.deepEqual(await Promise.all(['abc', 'ghi', 'def'].map(revoke)), ['revoked', 'last-admin', 'revoked']);
    t.deepEqual(
      (await store.tokens.list()).map(({ id }) => id),
      ['ghi'],
    );
    const audited = (await store.audit.list({ limit: 9 })).filter(({ action }) => action === 'token.revoked');
    t.is(audited.length, 2);
  });

  storeTest('restores an identical store from a dump, and restores nothing from an invalid dump', async (t, opened) => {
    const { store } = opened;
    const { manifest } = await testBuild();
    await store.catalog.publish(publication(manifest, '1.0'));
    await store.devices.save({ ...newRecord('door', '18:FE:34:00:00:01'), attempts: [attempt(2)] }, roomy);
    await store.tokens.create(
      { id: 'abc', hash: 'ff', roles: ['admin'], channels: [], name: 'me', createdAt: 5 },
      auditBy('tester'),
    );
    await store.advanceServedMs(99);
    const lines = await collect(store.dump());
    const other = await opened.another();
    await other.restore(lines);
    t.deepEqual(await collect(other.dump()), lines);
    t.is((await other.catalog.recognize('door', sketchMd5Of(manifest))).length, 1);
    t.is((await other.devices.get('door', '18:FE:34:00:00:01'))?.record.attempts[0]?.sends, 2);
    const empty = await opened.another();
    const broken = [...lines.slice(0, -1), { table: 'offers', row: { channel: 'x' } }];
    await t.throwsAsync(empty.restore(broken), { any: true });
    t.deepEqual(await collect(empty.dump()), [], 'all of it or nothing');
  });
}

/** Value after a JSON round trip, which removes undefined properties. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}

function attempt(sends: number): Attempt {
  const state = { state: 'sent', sends, receipts: 0, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 } as const;
  return { releaseId: 1, version: '1.0', kind: 'sketch', ...state };
}

async function collect(lines: AsyncIterable<DumpLine>): Promise<DumpLine[]> {
  const all: DumpLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
