/** A server that is killed at random moments: all acknowledged data survives, and no data is partial. */
import { rm } from 'node:fs/promises';
import test from 'ava';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import type { ReleaseImageInfo, ReleaseInfo } from '../../../src/api/release-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { releaseRequest, upload } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { type ServingProcess, serveWith } from './serving-process.ts';

const kills = Number(process.env['OTA_HOOKS_KILLS'] ?? 200);
const creationKills = Number(process.env['OTA_HOOKS_MIGRATION_KILLS'] ?? 60);
const signer = testSigner();

test.serial(`loses no acknowledged data when killed ${kills} times while publishing and serving devices`, async (t) => {
  t.timeout(9 * 60_000);
  const data = (await testFolder(t)).at('data');
  const first = await serveWith(data);
  const token = first.token ?? '';
  const acknowledged = new Acknowledged();
  const builds = new Builds();
  await publish(first.url ?? '', token, await builds.next(), acknowledged);
  t.is(acknowledged.versions.size, 1);
  first.kill('SIGKILL');
  await first.ended;

  for (let count = 0; count < kills; count++) {
    const server = await serveWith(data);
    if (server.url === undefined) throw new Error('the server does not start any more');
    // Each check covers all acknowledged data, so a later check also finds an earlier loss.
    if (count % 40 === 0) t.deepEqual(await losses(server.url, token, acknowledged), []);
    await work(server, token, builds, acknowledged, Math.random() * 500);
    await server.ended;
  }
  const last = await serveWith(data);
  t.deepEqual(await losses(last.url ?? '', token, acknowledged), []);
  last.kill('SIGTERM');
  await last.ended;
  t.log(acknowledged.summary);
});

test.serial(`restarts after each of ${creationKills} kills while creating its tables`, async (t) => {
  const folder = await testFolder(t);
  for (let count = 0; count < creationKills; count++) {
    const data = folder.at(`data${count}`);
    const killed = await serveWith(data, 60 + Math.random() * 200);
    await killed.ended;
    const server = await serveWith(data);
    t.truthy(server.url, 'the server starts with the existing data');
    t.is((await fetch(`${server.url}/healthz`)).status, 200);
    const token = server.token ?? killed.token;
    if (token !== undefined) {
      const response = await fetch(`${server.url}/api/v1/audit`, { headers: { authorization: `Bearer ${token}` } });
      t.is(response.status, 200, 'a token is valid once the server has printed it');
    }
    server.kill('SIGKILL');
    await server.ended;
    await rm(data, { recursive: true, force: true });
  }
});

/** Releases and update responses that the server has acknowledged. */
class Acknowledged {
  readonly versions = new Map<string, Build>();
  /** Last version sent to each device, and how many times the server has sent this version. */
  readonly sends = new Map<string, { version: string; count: number }>();
  wrongBytes = 0;
  sendsInAll = 0;

  noteSend(mac: string, version: string): void {
    this.sendsInAll++;
    const before = this.sends.get(mac);
    this.sends.set(mac, { version, count: before?.version === version ? before.count + 1 : 1 });
  }

  get summary(): object {
    return { versions: this.versions.size, devices: this.sends.size, sends: this.sendsInAll };
  }
}

/** Creates builds, each with a new version and a new image, so that each build is a separate release. */
class Builds {
  #count = 0;

  async next(): Promise<Build> {
    this.#count++;
    const version = `1.${this.#count}`;
    return testBuild({ version, project: 'door', signer, seed: this.#count, sizeBytes: 8192 });
  }
}

/** Publishes and checks for updates as devices do, until the server is killed after `killAfterMs`. */
async function work(
  server: ServingProcess,
  token: string,
  builds: Builds,
  acknowledged: Acknowledged,
  killAfterMs: number,
): Promise<void> {
  const { url } = server;
  if (url === undefined) return;
  const build = await builds.next();
  const port = Number(new URL(url).port);
  const killed = new Promise<void>((resolve) => {
    setTimeout(() => {
      server.kill('SIGKILL');
      resolve();
    }, killAfterMs);
  });
  const visits = async () => {
    for (let count = 0; ; count++) {
      const mac = `02:00:00:00:00:${(count % 200).toString(16).padStart(2, '0').toUpperCase()}`;
      const response = await requestAsDevice(port, '/update/door', { mac }).catch(() => undefined);
      if (response === undefined || response.status === 0) return;
      if (response.status !== 200) continue;
      acknowledged.noteSend(mac, response.header('x-version') ?? '');
      const isWhole = response.body.length === Number(response.header('content-length'));
      if (isWhole && response.header('x-md5') !== response.md5) acknowledged.wrongBytes++;
    }
  };
  await Promise.all([killed, publish(url, token, build, acknowledged).catch(() => undefined), visits()]);
}

async function publish(url: string, token: string, build: Build, acknowledged: Acknowledged): Promise<void> {
  for (const bytes of build.files.values()) await upload(url, bytes, token);
  const response = await fetch(`${url}/api/v1/projects/door/releases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(releaseRequest(build.manifest)),
  });
  if (response.status === 201) acknowledged.versions.set(build.manifest.version ?? '', build);
}

/** Differences from the acknowledged state, as messages. */
async function losses(url: string, token: string, { versions, sends, wrongBytes }: Acknowledged): Promise<string[]> {
  const lost: string[] = wrongBytes > 0 ? [`${wrongBytes} downloads did not match their x-MD5`] : [];
  const port = Number(new URL(url).port);
  const get = async (path: string) => {
    const response = await fetch(`${url}/api/v1/projects/door/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return response.status === 200 ? response.json() : {};
  };
  const releases = await allReleases(get);
  for (const version of versions.keys()) {
    if (!releases.some((release) => release.version === version))
      lost.push(`the published release ${version} is missing`);
  }
  for (const { version, artifacts } of releases.slice(0, 20)) {
    for (const { file, sizeBytes } of artifacts) {
      const response = await requestAsDevice(port, `/files/door/${version}/${file}`, {
        without: ['x-ESP8266-STA-MAC'],
      });
      const isWhole =
        response.status === 200 && response.body.length === sizeBytes && response.header('x-md5') === response.md5;
      if (!isWhole) lost.push(`${version} ${file} is incomplete: ${response.line}`);
    }
  }
  for (const [version, { manifest }] of [...versions].slice(-5)) {
    const words = { mac: '02:FF:00:00:00:01', mode: 'version', sketchMd5: sketchMd5Of(manifest) };
    await requestAsDevice(port, '/update/door', words);
    const { running } = (await get('devices/02:FF:00:00:00:01')) as Partial<DeviceInfo>;
    if (running?.version !== version) lost.push(`${version} is not recognized`);
  }
  const { devices = [] } = (await get('devices?limit=1000')) as { devices?: DeviceInfo[] };
  for (const [mac, { version, count }] of sends) {
    const attempts = devices.find((device) => device.mac === mac)?.attempts ?? [];
    const attempt = attempts.find((each) => each.version === version);
    // An attempt with a newer release replaces an attempt in progress.
    const isReplaced = attempt === undefined && numberOf(attempts[0]?.version) > numberOf(version);
    if (!isReplaced && (attempt?.sends ?? 0) < count) {
      lost.push(`${mac} was sent ${version} ${count} times, and ${attempt?.sends ?? 0} are on record`);
    }
  }
  return lost;
}

/** Reads the images on all pages; the newest release is first. */
async function allReleases(get: (path: string) => Promise<unknown>): Promise<ReleaseImageInfo[]> {
  const all: ReleaseImageInfo[] = [];
  for (let before = ''; ; ) {
    const page = (await get(`releases?limit=100${before}`)) as { releases?: ReleaseInfo[]; next?: number };
    all.push(...(page.releases ?? []).flatMap(({ images }) => images));
    if (page.next === undefined) return all;
    before = `&before=${page.next}`;
  }
}

function numberOf(version: string | undefined): number {
  return Number(version?.split('.')[1] ?? 0);
}
