import { EventEmitter, once } from 'node:events';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { StaleProjectError } from '../../../src/server/storage/stale-project.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { project, publication, rollout, type StoreTest } from './contract-records.ts';

const roomy = { mostDevices: 1000 };
const mac = '18:FE:34:00:00:01';

/** Behavior on which several processes with the same data depend. */
export function processesContract(storeTest: StoreTest): void {
  storeTest('increments the revision of a project with every change to it', async (t, { store, peer }) => {
    const { catalog, rollouts } = store;
    const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
    const revision = async () => (await peer.catalog.revisions()).get('door');
    t.is(await revision(), undefined);
    t.is(await store.devices.check('door', mac), undefined);
    await catalog.saveProject(project(), auditBy('tester'));
    t.is(await revision(), 1);
    await catalog.saveProject({ ...project(), access: 'closed' }, auditBy('tester'));
    t.is(await revision(), 2);
    const old = (await catalog.publish(publication(first.manifest, '1.0'))).release;
    t.is(await revision(), 3);
    await catalog.publish(publication(first.manifest, '1.0'));
    t.is(await revision(), 3, 'nothing changed');
    const fresh = (await catalog.publish(publication(second.manifest, '2.0', { channel: undefined }))).release;
    t.is(await revision(), 4);
    const created = await rollouts.create(rollout(fresh.id, old.id), () => auditBy('tester'));
    t.is(await revision(), 5);
    if (created === undefined) return t.fail('no rollout was in progress');
    const sampled = await rollouts.save(created, undefined);
    t.is(await revision(), 5, 'samples change no decision');
    if (sampled === 'conflict') return t.fail('the revision is the latest');
    await rollouts.save({ ...sampled, state: 'halted' }, { audit: auditBy('tester') });
    t.is(await revision(), 6);
    await catalog.promote('door', 'beta', [old.id], () => auditBy('tester'));
    t.is(await revision(), 7);
    await catalog.yank('door', [old.id], 'it smokes', () => auditBy('tester'));
    t.is(await revision(), 8);
    await catalog.yank('door', [old.id], 'it smokes', () => auditBy('tester'));
    t.is(await revision(), 8);
    t.is((await peer.catalog.project('door'))?.revision, 8);
    t.is((await peer.catalog.projects())[0]?.revision, 8);
    t.is((await peer.devices.check('door', mac))?.revision, 8);
    t.is(await peer.catalog.project('window'), undefined);
  });

  storeTest('saves no device on the basis of an outdated project', async (t, { store, peer }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const fresh = newRecord('door', mac);
    t.is(await store.devices.save(fresh, { ...roomy, projectRevision: 0 }), 'stale');
    t.is((await store.devices.check('door', mac))?.record, undefined);
    t.is(await store.devices.save(fresh, { ...roomy, projectRevision: 1 }), 'saved');
    await peer.catalog.saveProject(project(), auditBy('tester'));
    const audit = auditBy('tester', 'device.removed', { mac });
    t.is(
      await store.devices.save({ ...fresh, revision: 1 }, { ...roomy, projectRevision: 1, audit: [audit] }),
      'stale',
    );
    t.is(await store.devices.remove('door', mac, { projectRevision: 1, audit }), 'stale');
    t.deepEqual(await store.audit.ofDevice('door', mac, 9), []);
    t.is((await peer.devices.check('door', mac))?.record?.revision, 1);
    t.true(await store.devices.remove('door', mac, { projectRevision: 2, audit }));
  });

  storeTest('saves a change that affects no counts only on the latest revisions', async (t, { store, peer }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const record = { ...newRecord('door', mac), revision: 1 };
    t.is(await store.devices.save({ ...record, revision: 0 }, { ...roomy, projectRevision: 1 }), 'saved');
    const seen = { ...record, firstSeenAt: 7 };
    t.is(await store.devices.save(seen, { ...roomy, projectRevision: 1 }), 'saved');
    t.is(await peer.devices.save({ ...record, firstSeenAt: 8 }, { ...roomy, projectRevision: 1 }), 'conflict');
    await peer.catalog.saveProject(project(), auditBy('tester'));
    const later = { ...seen, revision: 2, firstSeenAt: 9 };
    t.is(await store.devices.save(later, { ...roomy, projectRevision: 1 }), 'stale');
    t.like((await peer.devices.get('door', mac))?.record, { revision: 2, firstSeenAt: 7 });
    const races = [store, peer, store].map((via) => via.devices.save(later, { ...roomy, projectRevision: 2 }));
    t.deepEqual((await Promise.all(races)).sort(), ['conflict', 'conflict', 'saved']);
    const named = { ...later, revision: 3, name: 'hall' };
    t.is(await store.devices.save(named, { ...roomy, projectRevision: 2 }), 'saved');
    t.deepEqual((await peer.devices.named('door', ['hall']))[0]?.revision, 4, 'the columns follow the record');
  });

  storeTest('rejects changes to a project that are based on an outdated revision', async (t, { store, peer }) => {
    const { manifest } = await testBuild();
    const { catalog, rollouts } = store;
    const stale = (change: Promise<unknown>) => t.throwsAsync(change, { instanceOf: StaleProjectError });
    await stale(catalog.saveProject(project(), auditBy('tester'), 1));
    t.deepEqual(await catalog.projects(), []);
    const created = await Promise.allSettled(
      [store, peer].map((via) => via.catalog.saveProject(project(), auditBy('tester'), 0)),
    );
    t.deepEqual(created.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await stale(catalog.publish({ ...publication(manifest, '1.0'), projectRevision: 0 }));
    const { release } = await catalog.publish({ ...publication(manifest, '1.0'), projectRevision: 1 });
    await stale(catalog.saveProject(project(), auditBy('tester'), 1));
    await stale(catalog.promote('door', 'beta', [release.id], () => auditBy('tester'), 1));
    await stale(rollouts.create(rollout(release.id, release.id), () => auditBy('tester'), 1));
    t.is((await peer.catalog.revisions()).get('door'), 2);
    await catalog.promote('door', 'beta', [release.id], () => auditBy('tester'), 2);
    t.truthy(await rollouts.create(rollout(release.id, release.id), () => auditBy('tester'), 3));
    await catalog.saveProject(project(), auditBy('tester'), 4);
    t.is((await peer.catalog.revisions()).get('door'), 5);
  });

  storeTest('reserves uploads of a token up to its limit', async (t, { store, peer }) => {
    const most = { bytes: 100, files: 3 };
    const upload = (letter: string, sizeBytes: number, at = 5) => ({ token: 'ci', sha256: letter, sizeBytes, at });
    const letters = ['a', 'b', 'c', 'd'];
    const others = await Promise.all(
      letters.map((letter, index) => [store, peer][index % 2]?.uploads.reserve(upload(letter, 30), most)),
    );
    t.deepEqual(
      others.filter((used) => used !== undefined),
      [{ bytes: 90, files: 3 }],
    );
    // Any of the four may be the one that is rejected.
    const reserved = letters.find((_, index) => others[index] === undefined) ?? '';
    t.is(await store.uploads.reserve({ ...upload('x', 100), token: 'me' }, most), undefined);
    t.is(await store.uploads.reserve(upload(reserved, 40), most), undefined, 'the same upload continues');
    t.false(await peer.uploads.has('ci', reserved));
    await store.uploads.add(upload(reserved, 40));
    t.true(await peer.uploads.has('ci', reserved));
    await store.uploads.release('ci', reserved);
    t.is(await store.uploads.reserve(upload(reserved, 40), most), undefined);
    t.true(await peer.uploads.has('ci', reserved), 'a complete upload stays complete');
    await store.uploads.add(upload('e', 1, 9));
    t.deepEqual(await store.uploads.before(6), [reserved]);
    const removed: string[] = [];
    const remove = (letter: string, at: number) =>
      peer.uploads.removeUnpublished(letter, at, async () => void removed.push(letter));
    t.deepEqual([await remove(reserved, 5), await remove(reserved, 6), await remove('e', 9)], [false, true, false]);
    t.deepEqual(removed, [reserved]);
    t.false(await store.uploads.has('ci', reserved));
    await store.uploads.removeBefore(10);
    t.deepEqual(await store.uploads.before(10), []);
  });

  storeTest('creates a first token once', async (t, { store, peer }) => {
    const token = (id: string) =>
      ({ id, hash: 'ff', roles: ['admin'], channels: [], name: 'me', createdAt: 5 }) as const;
    const kept: string[] = [];
    const createIn = ({ tokens }: typeof store, id: string) =>
      tokens.createFirst(token(id), auditBy('tester'), async () => void kept.push(id));
    const created = await Promise.all([createIn(store, 'abc'), createIn(peer, 'def')]);
    t.deepEqual(created.toSorted(), [false, true]);
    t.deepEqual(
      (await store.tokens.list()).map(({ id }) => id),
      kept,
    );
    t.is(kept.length, 1, 'no other token replaces the kept one');
    const full = createIn(store, 'fed');
    t.false(await full);
    t.is(kept.length, 1);
  });

  storeTest('finds devices by name', async (t, { store }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    for (const [index, name] of ['hall', 'attic', 'hall'].entries()) {
      await store.devices.save({ ...newRecord('door', `02:00:00:00:00:0${index}`), name }, roomy);
    }
    const found = await store.devices.named('door', ['hall', 'cellar']);
    t.deepEqual(
      found.map(({ mac }) => mac.slice(-1)),
      ['0', '2'],
    );
    t.deepEqual(await store.devices.named('door', []), []);
    t.deepEqual(await store.devices.named('window', ['hall']), []);
  });

  storeTest(
    'commits either a halt or an attempt that was decided before the halt, first',
    async (t, { store, peer }) => {
      const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
      const old = (await store.catalog.publish(publication(first.manifest, '1.0'))).release;
      const fresh = (await store.catalog.publish(publication(second.manifest, '2.0', { channel: undefined }))).release;
      let current = await store.rollouts.create(rollout(fresh.id, old.id), () => auditBy('tester'));
      t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
      for (let round = 1; round <= 20 && current !== undefined; round++) {
        const revision = (await store.catalog.project('door'))?.revision ?? 0;
        const found = (await store.devices.get('door', mac))?.record ?? newRecord('door', mac);
        const halt = () =>
          peer.rollouts.save({ ...(current ?? t.fail()), state: 'halted' }, { audit: auditBy('tester') });
        const send = () => store.devices.save(found, { ...roomy, projectRevision: revision });
        const [halted, sent] =
          round % 2 === 0
            ? await Promise.all([halt(), send()])
            : ((await Promise.all([send(), halt()])).reverse() as [
                Awaited<ReturnType<typeof halt>>,
                Awaited<ReturnType<typeof send>>,
              ]);
        t.true(sent === 'saved' || sent === 'stale');
        if (halted === 'conflict') return t.fail('no other process changed the rollout');
        t.is(
          await store.devices.save(
            { ...found, revision: found.revision + Number(sent === 'saved') },
            { ...roomy, projectRevision: revision },
          ),
          'stale',
        );
        current = halted;
      }
    },
  );

  storeTest(
    'lets one of two changes to a rollout win, and reports a conflict to the other',
    async (t, { store, peer }) => {
      await store.catalog.saveProject(project(), auditBy('tester'));
      const created = await store.rollouts.create(rollout(1, 1), () => auditBy('tester'));
      if (created === undefined) return t.fail('no rollout was in progress');
      const audit = (action: string) => ({ audit: auditBy('tester', action) });
      const outcomes = await Promise.all([
        store.rollouts.save({ ...created, state: 'paused' }, audit('rollout.paused')),
        peer.rollouts.save({ ...created, state: 'aborted' }, audit('rollout.aborted')),
      ]);
      const winners = outcomes.flatMap((outcome) => (outcome === 'conflict' ? [] : [outcome]));
      t.is(winners.length, 1);
      t.is((await store.rollouts.find('door', created.id))?.state, winners[0]?.state);
      t.is((await store.audit.list({ limit: 1 }))[0]?.action, `rollout.${winners[0]?.state}`);
      t.is(await store.rollouts.save(created, undefined), 'conflict');
    },
  );

  storeTest('starts one of two rollouts on a channel', async (t, { store, peer }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const start = (via: typeof store) => via.rollouts.create(rollout(1, 1), () => auditBy('tester'));
    const started = await Promise.all([start(store), start(peer), start(store), start(peer)]);
    t.is(started.filter((each) => each !== undefined).length, 1);
    t.is((await store.rollouts.current('door')).length, 1);
    t.deepEqual(await store.rollouts.current('window'), []);
  });

  storeTest('publishes a release of a new project once', async (t, { store, peer }) => {
    const { manifest } = await testBuild();
    const publish = (via: typeof store) => via.catalog.publish(publication(manifest, '1.0'));
    const outcomes = await Promise.all([publish(store), publish(peer), publish(store), publish(peer)]);
    t.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['published', 'unchanged', 'unchanged', 'unchanged']);
    t.is((await store.catalog.releases('door', { limit: 9 })).length, 1);
  });

  storeTest('never exceeds the device limit when several processes add devices', async (t, { store, peer }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    const save = (index: number) => {
      const record = { ...newRecord('door', `02:00:00:00:00:${index + 10}`), enrolled: index % 5 === 0 };
      return (index % 2 === 0 ? store : peer).devices.save(record, { mostDevices: 8 });
    };
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, index) => save(index)));
    t.deepEqual(new Set(outcomes), new Set(['saved']));
    const seen = await store.devices.list('door', { limit: 100 });
    t.is(seen.filter(({ record }) => record.enrolled).length, 6);
    t.true(seen.length <= 14);
    t.is(await peer.devices.count('door'), seen.length);
  });

  storeTest('keeps the later of two last-seen times', async (t, { store, peer }) => {
    await store.catalog.saveProject(project(), auditBy('tester'));
    await store.devices.save(newRecord('door', mac), roomy);
    const touch = (at: number) => ({ project: 'door', mac, at, report: { version: `${at}` } });
    await store.devices.touch([touch(20), { ...touch(30), project: 'window' }]);
    await peer.devices.touch([touch(10)]);
    const seen = await store.devices.get('door', mac);
    t.is(seen?.lastSeenAt, 20);
    t.deepEqual(seen?.report, { version: '20' });
    await peer.devices.touch([touch(30)]);
    t.is((await store.devices.get('door', mac))?.lastSeenAt, 30);
    await store.devices.touch([]);
  });

  storeTest('keeps sessions, and removes those that end first if there are too many', async (t, opened) => {
    const { store, peer } = opened;
    const session = (key: string, token: string, endsAt: number) => ({ key, token, formToken: `form ${key}`, endsAt });
    const most = { perToken: 2, total: 3 };
    await store.sessions.open(session('a', 'ci', 10), most);
    await store.sessions.open(session('b', 'me', 11), most);
    t.deepEqual(await peer.sessions.find('a'), session('a', 'ci', 10));
    t.is(await peer.sessions.find('x'), undefined);
    await peer.sessions.open(session('c', 'ci', 12), most);
    await peer.sessions.open(session('d', 'ci', 13), most);
    t.is(await store.sessions.find('a'), undefined, 'the oldest of three of one token');
    await store.sessions.open(session('e', 'you', 14), most);
    t.is(await store.sessions.find('b'), undefined, 'the oldest of four');
    await store.sessions.close('d');
    t.is(await peer.sessions.find('d'), undefined);
    await store.sessions.removeEnded(13);
    const { sessions } = await opened.reopen();
    t.is(await sessions.find('c'), undefined);
    t.deepEqual(await sessions.find('e'), session('e', 'you', 14));
  });

  storeTest('limits failures by bucket across processes', async (t, opened) => {
    const { store, peer } = opened;
    const limit = { burst: 3, perSecond: 1e-6 };
    t.true(await store.failures.hasAny('login 10.0.0.1', limit));
    const taken = [store, peer, store, peer].map(({ failures }) => failures.take('login 10.0.0.1', limit));
    t.deepEqual((await Promise.all(taken)).filter((isTaken) => isTaken).length, 3);
    t.false(await peer.failures.hasAny('login 10.0.0.1', limit));
    t.true(await store.failures.take('login 10.0.0.2', limit));
    t.true(await store.failures.hasAny('login 10.0.0.2', limit));
    await store.failures.removeFull();
    t.false(await (await opened.reopen()).failures.take('login 10.0.0.1', limit));
    const quick = { burst: 1, perSecond: 1e6 };
    t.true(await opened.store.failures.take('login 10.0.0.3', quick));
    while (!(await opened.store.failures.hasAny('login 10.0.0.3', quick)));
    t.true(await opened.store.failures.take('login 10.0.0.3', quick), 'forgotten after a millisecond');
  });

  storeTest('adds the served time of several processes', async (t, opened) => {
    const { store, peer } = opened;
    t.is(await store.servedMs(), 0);
    t.is(await store.advanceServedMs(1500), 1500);
    t.is(await peer.advanceServedMs(500.7), 2000);
    await Promise.all(Array.from({ length: 10 }, () => store.advanceServedMs(10)));
    await store.ping();
    t.is(await peer.servedMs(), 2100);
    t.is(await (await opened.reopen()).servedMs(), 2100);
  });

  storeTest('returns the time of the clock of the database', async (t, { store }) => {
    const before = Date.now() - 60_000;
    const now = await store.wallMs();
    t.true(now > before && now < before + 120_000);
  });

  storeTest('leads in one process until the lead ends', async (t, { store }) => {
    const led = { starts: 0, ends: 0 };
    const events = new EventEmitter();
    const lead = store.lead(async (signal) => {
      led.starts++;
      events.emit('start');
      await once(signal, 'abort');
      led.ends++;
    });
    if (led.starts === 0) await once(events, 'start');
    await lead.stop();
    t.deepEqual(led, { starts: 1, ends: 1 });
    await lead.stop();
  });
}
