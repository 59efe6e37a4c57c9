import { setTimeout as pause } from 'node:timers/promises';
import { macOf } from '../../bench/server/device-request.ts';
import type { Administrator } from './administrator.ts';
import type { Builds } from './builds.ts';
import type { DeviceLoad } from './devices.ts';
import { groupCount } from './fleet.ts';

/** Devices that check in while a rollout is paused or resumed: enough that some sends are in progress at that moment. */
const burstDevices = 6;
const burstMs = 40;
const stepMs = 1200;
/** Limits that halt a rollout by itself soon, because some devices never install an update. */
const halt = { failures: 3, failurePercent: 100, minimumSample: 1_000_000, notConfirmed: 1_000_000 };
/** No stage opens by itself. */
const gate = { soakMs: 24 * 3_600_000 };

interface Scenario {
  readonly administrator: Administrator;
  readonly load: DeviceLoad;
  readonly builds: Builds;
  readonly devices: number;
  readonly random: () => number;
}

/** Publishes releases, and starts, pauses, resumes and ends rollouts, until the time is over. */
export async function runRollouts(scenario: Scenario, endsAt: number, rolloutMs: number): Promise<number> {
  const { administrator, load, builds } = scenario;
  let count = 0;
  for (; Date.now() + rolloutMs / 2 < endsAt; count++) {
    const version = `2.${count}`;
    const build = await builds.make('door', version);
    await administrator.publish('door', build, true);
    const group = (count + 1) % groupCount;
    const stages = [{ groups: [`g${group}`] }, { share: 100 }];
    const id = await administrator.startRollout('door', { version, stages, halt, gate });
    load.openGroup(group);
    await pauseAndResume(scenario, id, Math.min(endsAt, Date.now() + rolloutMs));
    load.burst(burstDevices, burstMs);
    await end(scenario, id, version, count);
  }
  return count;
}

/** Aborts a rollout. Every second release is yanked before. */
async function end({ administrator, load }: Scenario, id: number, version: string, count: number): Promise<void> {
  if (count % 2 === 1) {
    const logged = { key: `yank of ${version}`, value: 'yanked' };
    await administrator.write(logged, 'POST', '/projects/door/releases/yank', { version });
    load.burst(burstDevices, burstMs);
  }
  await administrator.act('door', id, 'abort', 'aborted');
}

async function pauseAndResume({ administrator, load, random }: Scenario, id: number, endsAt: number): Promise<void> {
  while (Date.now() < endsAt) {
    await pause(stepMs * (0.5 + random()));
    load.burst(burstDevices, burstMs);
    await pause((burstMs / 2) * random());
    await administrator.act('door', id, 'pause', 'paused');
    load.burst(burstDevices / 2, stepMs);
    await pause((stepMs / 2) * (0.5 + random()));
    load.burst(burstDevices / 2, burstMs);
    await administrator.act('door', id, 'resume', 'active');
  }
}

/** Promotes two releases of a small project in turn. Its devices follow at once. */
export async function runPromotions({ administrator, load, random }: Scenario, endsAt: number): Promise<void> {
  const project = 'gate';
  const path = `/projects/${project}/channels/stable`;
  for (let count = 0; Date.now() < endsAt; count++) {
    const version = count % 2 === 0 ? '1.1' : '1.2';
    await administrator.write({ key: `current of ${project}`, value: version }, 'PUT', path, { version });
    for (let visits = 0; visits < 10; visits++) {
      load.visitOther(project, `02:00:00:00:00:${(10 + Math.floor(random() * 30)).toString()}`, '1.1');
      await pause(stepMs * 0.3);
    }
  }
}

/** Names devices. */
export async function runNames({ administrator, devices, random }: Scenario, endsAt: number): Promise<void> {
  for (let count = 0; Date.now() < endsAt; count++) {
    const mac = macOf(Math.floor(random() * Math.min(devices, 1000)));
    const name = `name ${count}`;
    await administrator.write({ key: `name of ${mac}`, value: name }, 'PUT', `/projects/door/devices/${mac}`, { name });
    await pause(stepMs * 0.5);
  }
}
