/** A flood of forged devices with forged addresses. */
import test from 'ava';
import { apiRoot } from '../../../src/api/release.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice, updateRequest } from '../../server/raw-device.ts';
import { releaseRequest, upload } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { flood } from './flood.ts';
import { serveWith } from './serving-process.ts';

const forged = Number(process.env['OTA_HOOKS_FORGED'] ?? 120_000);
const connections = 16;
const mostDevices = 1000;
/** Live objects must fit into this heap, or the server crashes. Without a limit, Node.js delays garbage collection, which hides a leak. */
const heapMegabytes = 128;
const mostBytes = 300_000_000;

function hexBytes(value: number): string[] {
  return [value >> 16, value >> 8, value].map((each) => (each & 255).toString(16).padStart(2, '0').toUpperCase());
}

/** Forges a request from an up-to-date device, which is the cheapest request that makes the server store a device. */
function forgedRequest(index: number): string {
  return updateRequest('/update/door', {
    mac: `02:00:00:${hexBytes(index).join(':')}`,
    version: '1.0',
    more: {
      'X-Forwarded-For': `10.${hexBytes(index)
        .map((each) => Number.parseInt(each, 16))
        .join('.')}`,
    },
  });
}

test.serial(
  `memory and rows stay bounded with ${forged} forged devices, and a known device still receives its update`,
  async (t) => {
    t.timeout(9 * 60_000);
    const limits = ['--max-devices', String(mostDevices), '--trust-proxy', '127.0.0.1', '--open-metrics'];
    const server = await serveWith((await testFolder(t)).at('data'), undefined, {
      more: limits,
      env: { NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}` },
    });
    t.teardown(() => server.kill('SIGKILL'));
    const { url = '', token = '' } = server;
    const port = Number(new URL(url).port);
    const headers = { authorization: `Bearer ${token}` };
    const build = await testBuild({ version: '1.0', project: 'door', signer: testSigner() });
    for (const bytes of build.files.values()) await upload(url, bytes, token);
    const release = { method: 'POST', headers, body: JSON.stringify(releaseRequest(build.manifest)) };
    t.is((await fetch(`${url}${apiRoot}/projects/door/releases`, release)).status, 201);
    const mac = '18:FE:34:00:00:01';
    await fetch(`${url}${apiRoot}/projects/door/devices/${mac}`, { method: 'PUT', headers, body: '{}' });

    const memory = async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
    };
    const megabytes: number[] = [];
    const atOnce = forged / 5;
    for (let from = 0; from < forged; from += atOnce) {
      const each = Math.ceil(atOnce / connections);
      const responses = await Promise.all(
        Array.from({ length: connections }, (_, index) =>
          flood(port, each, (sent) => forgedRequest(from + index * each + sent)),
        ),
      );
      t.deepEqual(
        responses,
        responses.map(() => ({ 304: each })),
        'every request succeeds',
      );
      megabytes.push(Math.round((await memory()) / 1e6));
    }
    t.log(`resident memory in MB during the flood: ${megabytes.join(', ')}`);
    t.true((await memory()) < mostBytes);
    const project = await (await fetch(`${url}${apiRoot}/projects/door`, { headers })).json();
    // The enrolled device does not count toward the limit.
    t.true((project as { devices: number }).devices <= mostDevices + 1);
    t.is((await requestAsDevice(port, '/update/door', { mac })).status, 200);
  },
);
