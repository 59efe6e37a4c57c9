/** Callers in JavaScript pass wrong and misspelled options, of which the compiler cannot warn them. */
import test from 'ava';
import { packImage, signBuild } from '../../../src/core/pack/index.ts';
import { checkRelease, fileRelease, plan, readFirmware } from '../../../src/core/preflight/index.ts';
import { deliveryMethods, upload } from '../../../src/delivery/index.ts';
import { startVirtualDevice, syntheticSketch } from '../../../src/simulator/index.ts';
import { expectOtaError } from '../../support/expected-error.ts';

const image = syntheticSketch({ sizeBytes: 16 * 1024 });
const release = { image: {}, artifacts: [] };
const build = { manifest: release, files: new Map() };
const secret = 'correct-horse';

/** Untyped calls, and the message of the error. */
const calls: readonly (readonly [what: string, call: () => unknown, message: string])[] = [
  ['packImage', () => packImage(wrong()), 'packImage: the argument is missing'],
  ['packImage', () => packImage(wrong({ image })), 'packImage: path is missing'],
  [
    'packImage',
    () => packImage(wrong({ path: 'a.bin', image: 'a.bin' })),
    'packImage: image must be Uint8Array, but is a string',
  ],
  [
    'packImage',
    () => packImage(wrong({ path: 'a.bin', image, compresion: 'gzip' })),
    'packImage: compresion is not an option',
  ],
  [
    'packImage',
    () => packImage(wrong({ path: 'a.bin', image, compression: 'gz' })),
    'packImage: compression must be "none" or "gzip" or "zopfli", but is a string',
  ],
  [
    'packImage',
    () => packImage(wrong({ path: 'a.bin', image, publicKey: '-----BEGIN PUBLIC KEY-----' })),
    'packImage: publicKey must be a key that readPublicKey or readPrivateKey returned',
  ],
  ['signBuild', () => signBuild(wrong(build), wrong({}), 'a key'), 'signBuild: signer.publicKey is missing'],
  ['plan', () => plan(wrong({ target: release })), 'plan: facts is missing'],
  ['plan', () => plan(wrong({ target: release, facts: { flashmod: 'dio' } })), 'plan: facts.flashmod is not an option'],
  [
    'plan',
    () => plan(wrong({ target: release, facts: {}, allow: ['fs-moved'] })),
    'plan: allow must be Set, but is Array',
  ],
  [
    'checkRelease',
    () => checkRelease(wrong(release), wrong({ publish: true })),
    'checkRelease: options.publish is not an option',
  ],
  ['fileRelease', () => fileRelease(wrong({}), wrong({})), 'fileRelease: context.file is missing'],
  ['readFirmware', () => readFirmware(image, wrong({ keys: [] })), 'readFirmware: options.keys is not an option'],
  [
    'deliver',
    () => deliveryMethods.espota.deliver({ host: '127.0.0.1' }, image, wrong()),
    'deliver: options.kind is missing',
  ],
  [
    'deliver',
    () => deliveryMethods.web.deliver(wrong({ host: '127.0.0.1', port: 70_000 }), image, { kind: 'sketch' }),
    'deliver: target.port must be from 0 to 65535',
  ],
  [
    'deliver',
    () => deliveryMethods.espota.deliver({ host: '127.0.0.1' }, image, wrong({ kind: 'sketch', password: [secret] })),
    'deliver: options.password must be string, but is Array',
  ],
  [
    'deliver',
    () =>
      deliveryMethods.espota.deliver({ host: '127.0.0.1' }, image, wrong({ kind: 'sketch', timings: { stallsMs: 1 } })),
    'deliver: options.timings.stallsMs is not an option',
  ],
  ['upload', () => upload(wrong(build), wrong({ address: '127.0.0.1' })), 'upload: device.host is missing'],
  [
    'upload',
    () => upload(wrong(build), { host: '127.0.0.1' }, wrong({ confirm: 'proved' })),
    'upload: options.confirm must be "none" or "returned" or "proven", but is a string',
  ],
  [
    'startVirtualDevice',
    () => startVirtualDevice(wrong({ pasword: secret })),
    'startVirtualDevice: pasword is not an option',
  ],
  [
    'syntheticSketch',
    () => syntheticSketch(wrong({ sizeBytes: '4M' })),
    'syntheticSketch: sizeBytes must be number, but is a string',
  ],
];

for (const [index, [what, call, message]] of calls.entries()) {
  test(`${what} rejects a wrong argument (${index + 1})`, async (t) => {
    const error = await expectOtaError(t, 'ARGUMENT_INVALID', call);
    t.is(error.message, message);
    t.false(`${error.message}${error.hint}`.includes(secret));
  });
}

test('the error for a misspelled option suggests the nearest option', async (t) => {
  const error = await expectOtaError(t, 'ARGUMENT_INVALID', () =>
    packImage(wrong({ path: 'a.bin', image, compresion: 'gzip' })),
  );
  t.regex(error.hint, /^Did you mean compression\? /);
});

/** Hides a wrong value from the compiler. */
function wrong(value?: unknown): never {
  return value as never;
}
