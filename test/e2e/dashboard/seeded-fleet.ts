import type { ExecutionContext } from 'ava';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { DeviceRecord } from '../../../src/server/storage/records.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { saveDevice } from '../../server/save-device.ts';

const places = ['kitchen', 'cellar', 'porch', 'garage', 'attic', 'garden'];
const things = ['door', 'light', 'meter', 'a-sensor-with-a-rather-long-name-in-the-corner-of-the-room', 'fan'];
const macOf = (index: number) => `5C:CF:7F:DD:EE:${index.toString(16).padStart(2, '0').toUpperCase()}`;

/** The versions are long, as those of builds from a source commit. */
export const seededVersions = { old: '1.4.2-rc.1+20261130.ab506f47', young: '1.5.0-rc.12+20261130.99fb2ee5' } as const;

export interface SeededFleet {
  readonly server: TestServer;
  /** Path of a halted rollout. */
  readonly rollout: string;
  /** MAC of the device whose failure halted the rollout. */
  readonly failed: string;
}

/** A server with a halted rollout and devices in all states, some with long names and some without a name. */
export async function seededFleet(t: ExecutionContext, devices = 60): Promise<SeededFleet> {
  const server = await startTestServer(t);
  const signer = testSigner();
  const recipe = { project: 'door', signer, sizeBytes: 8192 } as const;
  const old = await testBuild({ ...recipe, version: seededVersions.old, board: 'd1_mini', seed: 1 });
  const young = await testBuild({ ...recipe, version: seededVersions.young, board: 'd1_mini', seed: 2 });
  t.is((await server.publish(old)).status, 201);
  t.is((await server.publish(young, { draft: true })).status, 201);
  const release = (await server.parts.store.catalog.withVersion('door', seededVersions.old))[0];
  for (let index = 0; index < devices; index++) await saveDevice(server.parts, recordOf(index, release?.id ?? 0));
  const failed = macOf(0);
  const stages = [{ canaries: [failed] }, { share: 40 }, { share: 100 }];
  const request = { version: seededVersions.young, stages, gate: { soakMs: 0 }, halt: { failures: 1 } };
  const { status, body } = await server.api('POST', '/projects/door/rollouts', request);
  t.is(status, 201, JSON.stringify(body));
  for (let checkIns = 0; checkIns < 4; checkIns++) {
    await requestAsDevice(server.port, '/update/door', { mac: failed, sketchMd5: sketchMd5Of(old.manifest) });
  }
  // The API returns the rollout.
  const { id } = body as unknown as RolloutInfo;
  t.is((await server.api('GET', `/projects/door/rollouts/${id}`)).body['state'], 'halted');
  return { server, failed, rollout: `/projects/door/rollouts/${id}` };
}

function recordOf(index: number, releaseId: number): DeviceRecord {
  const place = places[index % places.length];
  const thing = things[index % things.length];
  const at = Date.UTC(2026, 10, 30) - index * 7_200_000;
  const blocked = {
    artifact: 'door.bin.signed',
    findings: [{ rule: 'no-space', message: '4,096 bytes too many', fixes: [{ action: 'serial' }] }],
  } as const;
  const common = { version: seededVersions.old, at } as const;
  const decisions: readonly DeviceRecord['decisions'][] = [
    { sketch: { ...common, action: 'up-to-date', code: 'up-to-date', text: `Runs ${seededVersions.old}.` } },
    { sketch: { ...common, action: 'none', code: 'blocked no-space', text: 'Blocked: no room.', blocked } },
    { sketch: { ...common, action: 'none', code: 'interrupted', text: 'Waits after an interrupted download.' } },
    {},
  ];
  return {
    ...newRecord('door', macOf(index)),
    enrolled: index % 7 !== 6,
    name: index % 5 === 4 ? undefined : `${place}-${thing}`,
    board: 'd1_mini',
    group: place,
    labels: index % 2 === 0 ? ['indoor', 'battery'] : undefined,
    firstSeenAt: at,
    running: index % 4 === 3 ? undefined : { by: 'md5', version: seededVersions.old, releaseId },
    decisions: decisions[index % decisions.length] ?? {},
  };
}
