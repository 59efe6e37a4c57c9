/**
 * `npm run chaos`: two servers behind a load balancer, on PostgreSQL and S3, with a fleet that checks for updates. Servers are killed, the
 * engines stopped and the network cut, while releases are rolled out and halted. At the end, a checker proves from the log that nothing
 * was lost and nothing was sent that should not have been sent (`check-log.ts`).
 *
 *     npm run chaos                                          60 s, 50,000 devices
 *     npm run chaos -- --seconds 600 --devices 1000000
 *     npm run chaos -- --any-speed                           reports late responses as a figure, because a busy machine responds late
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { macOf } from '../../bench/server/device-request.ts';
import { Administrator } from './administrator.ts';
import { Builds } from './builds.ts';
import { checkIn } from './check-in.ts';
import { checkLog } from './check-log.ts';
import { DeviceLoad } from './devices.ts';
import { readEnding, wrongCounts } from './ending.ts';
import { Faults } from './faults.ts';
import { groupOfIndex, indexOf, seedDevices } from './fleet.ts';
import { installJournal, readJournal } from './journal.ts';
import type { ChaosLog } from './log.ts';
import { printReport } from './report.ts';
import { sabotagedCli } from './sabotage.ts';
import { runNames, runPromotions, runRollouts } from './scenario.ts';
import { database, startWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    devices: { type: 'string', default: '50000' },
    rate: { type: 'string', default: '300' },
    'any-speed': { type: 'boolean', default: false },
    log: { type: 'string' },
  },
});
const [seconds, devices, requestsPerSecond] = [values.seconds, values.devices, values.rate].map(Number) as [
  number,
  number,
  number,
];
const initial = '1.0';
const mostSends = 3;
const startedAt = Date.now();
const note = (text: string) => console.error(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);

const world = await startWorld(await sabotagedCli(), note);
try {
  note('servers are ready');
  const { cluster, balancer, servers } = world;
  const administrator = new Administrator(balancer.url, await firstToken());
  const builds = new Builds();
  await administrator.publish('door', await builds.make('door', initial), false);
  for (const version of ['1.1', '1.2']) await administrator.publish('gate', await builds.make('gate', version), false);
  await enrollFirst();
  await seedDevices(cluster, database, devices);
  await installJournal(cluster, database);
  note(`${devices} devices are enrolled`);

  const load = new DeviceLoad({
    port: balancer.port,
    devices,
    requestsPerSecond,
    builds: builds.known,
    initial,
    random: Math.random,
  });
  const faults = new Faults(world);
  const durationMs = seconds * 1000;
  const endsAt = Date.now() + durationMs;
  const scenario = { administrator, load, builds, devices, random: Math.random };
  const running = load.run();
  const [rollouts] = await Promise.all([
    runRollouts(scenario, endsAt, Math.max(15_000, durationMs / 10)),
    runPromotions(scenario, endsAt),
    runNames(scenario, endsAt),
    faults.run(durationMs, note),
  ]);
  await load.stop();
  await running;
  for (const server of servers) await server.stop();
  note('the load has ended');

  const log: ChaosLog = {
    mostSends,
    groupOf: (mac) => (mac.startsWith(macOf(0).slice(0, 8)) ? groupOfIndex(indexOf(mac)) : undefined),
    responses: load.responses,
    commits: await readJournal(cluster, database),
    writes: administrator.writes,
    ending: await readEnding(cluster, database),
    outages: faults.outages,
  };
  const miscounted = await wrongCounts(cluster, database);
  const violations = checkLog(log);
  if (values.log !== undefined) await writeFile(values.log, JSON.stringify({ ...log, ending: [...log.ending] }));
  printReport(log, { violations, miscounted, kills: faults.kills, rollouts, seconds, devices });
  const failures = violations.filter(({ rule }) => !(values['any-speed'] && rule === 'late-failure'));
  process.exitCode = failures.length + miscounted.length > 0 ? 1 : 0;

  async function firstToken(): Promise<string> {
    const [line = ''] = servers[0].output.split('\n');
    const ready: { token?: string; tokenFile?: string } = JSON.parse(line);
    if (ready.token !== undefined) return ready.token;
    const { readFile } = await import('node:fs/promises');
    return (await readFile(ready.tokenFile ?? '', 'utf8')).trim();
  }

  /** The device whose record is copied: the server itself writes it. */
  async function enrollFirst(): Promise<void> {
    await administrator.request('PUT', `/projects/door/devices/${macOf(0)}`, { enrolled: true, group: 'g0' });
    const words = builds.known.get(initial)?.words;
    if (words === undefined) throw new Error('the first build is missing');
    const { status } = await checkIn(balancer.port, '/update/door', { mac: macOf(0), ...words });
    if (status !== 304) throw new Error(`the first device received ${status}`);
  }
} catch (error) {
  for (const server of world.servers) console.error(`${server.name}:\n${server.output}\n${server.lastOutput}`);
  throw error;
} finally {
  await world.end();
}
