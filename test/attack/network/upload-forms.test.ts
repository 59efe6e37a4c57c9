/** Malformed upload forms do not stop a virtual device, and it does not install them. */
import test from 'ava';
import fc from 'fast-check';
import { updateRequest } from '../../../src/delivery/web/form.ts';
import { startVirtualDevice } from '../../../src/simulator/index.ts';
import { readResponse, sendRaw } from '../../server/raw-device.ts';
import { buildImage } from '../../support/image-builder.ts';
import { makeKeyPair } from '../../support/signed-file.ts';
import { until } from '../../support/until.ts';
import { variantsOf } from '../readers/mutations.ts';
import { countAttacks } from '../support/attack-counts.ts';

test('rejects malformed upload forms without stopping the virtual device', async (t) => {
  const image = buildImage();
  const { publicKey } = makeKeyPair();
  const device = await startVirtualDevice({ image, publicKey, webPort: 0 });
  t.teardown(() => device.close());
  const port = device.webPort ?? 0;
  const { head, tail } = updateRequest(
    Buffer.from('not an image'),
    { file: { name: 'firmware', fileName: 'firmware.bin' } },
    {
      host: '127.0.0.1',
      path: '/update',
      authorization: undefined,
    },
  );
  const form = Buffer.concat([head, Buffer.from('not an image'), tail]);
  const forms = fc.sample(variantsOf([form]), { numRuns: 500, seed: 1 });
  const { sketchMd5 } = device.state;
  for (const bytes of forms) await sendRaw(port, bytes, { during: (socket) => socket.end() });
  // Like a real device, it restarts after a form without a file, and then refuses connections for a moment.
  const page = () => sendRaw(port, 'GET /update HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await until(async () => readResponse(await page()).status === 200);
  t.like(device.state, { sketchMd5, damage: undefined, bricked: undefined });
  countAttacks({ kind: 'malformed upload forms', tried: forms.length, withstood: forms.length });
});
