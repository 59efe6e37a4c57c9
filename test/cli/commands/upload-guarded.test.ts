/** Uploads to virtual devices that run a guard. */
import test, { type ExecutionContext } from 'ava';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import { guardRecord, productHash } from '../../../src/core/keys/guard-record.ts';
import { syntheticSketch } from '../../../src/simulator/synthetic-sketch.ts';
import { doorFacts, doorKey, listed, packedDoor, restarted, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { runCommand } from '../../support/run-command.ts';

/** Without a guard in the configuration of the project, only compressed artifacts contain metadata. */
const artifact = 'build/door.ino.bin.gz.signed';

/** A virtual device with a guard of security version 2, and a packed build of product `door` with security version 0. */
async function guardedDoor(t: ExecutionContext, { product = 'door', securityVersion = 0 } = {}) {
  const guard = { product, securityVersion, require: 'metadata' as const };
  const record = guardRecord({ ...guard, keys: [doorKey], product: productHash(product) });
  const sketch = syntheticSketch({ sizeBytes: 100 * 1024, publicKey: doorKey });
  const device = await virtualDoor(t, { image: Buffer.concat([sketch, record]) });
  const known = { ...guard, product: productDigest(product), keys: [doorKey.fingerprint] };
  const folder = await packedDoor(t, { door: listed(device, { facts: { ...doorFacts, guard: known } }) });
  const upload = (...options: string[]) => runCommand(['upload', artifact, '--all', ...options], { cwd: folder.path });
  return { device, folder, upload };
}

for (const [what, guard, rule] of [
  ['a lower security version', { securityVersion: 2 }, 'guard-security-version'],
  ['another product', { product: 'gate' }, 'guard-product'],
] as const) {
  test(`upload names the rule by which the guard of the device would reject ${what}, and the device does reject it`, async (t) => {
    const { device, upload } = await guardedDoor(t, guard);
    const blocked = await upload();
    t.is(blocked.exitCode, 3);
    t.is(blocked.error?.code, 'UPDATE_BLOCKED');
    t.regex(blocked.error?.message ?? '', new RegExp(`blocked by ${rule} in door\\.ino\\.bin\\.gz\\.signed`));
    t.deepEqual(updatesOf(device), []);
    const sent = await upload('--allow', rule);
    t.is(sent.exitCode, 1, sent.stderr);
    t.deepEqual(updatesOf(device), ['rejected']);
    t.regex(sent.stderr, /Signature verification failed|ERROR\[12\]/);
  });
}

test('upload sends a guarded device what its guard accepts', async (t) => {
  const { device, upload } = await guardedDoor(t);
  const sent = await upload();
  t.is(sent.exitCode, 0, sent.stderr);
  await restarted(device);
});
