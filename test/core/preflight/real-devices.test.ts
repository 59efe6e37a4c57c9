import test from 'ava';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import type { Manifest } from '../../../src/core/model/manifest.ts';
import { packImage } from '../../../src/core/pack/pack-image.ts';
import { signBuild } from '../../../src/core/pack/sign-build.ts';
import { runRules } from '../../../src/core/preflight/run-rules.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { noisyBytes } from '../device-model/recipes.ts';
import { realDevices } from './real-devices.ts';
import { owner } from './scenarios.ts';

/** Layouts of eagle.flash.1m64.ld and eagle.flash.4m2m.ld. */
const layouts = { '1M': { fsStart: 0xeb000, fsEnd: 0xfb000 }, '4M': { fsStart: 0x200000, fsEnd: 0x3fa000 } } as const;
const chips = { '1M': 0x100000, '4M': 0x400000 } as const;

/** A DIO sketch of 350 KB for core 3.1.2, with the owner's key. */
async function buildFor(chip: keyof typeof chips): Promise<Manifest> {
  const head = Buffer.from(`${owner.publicKey.pem}\0Not Enough Space\0`, 'latin1');
  const flashContent = concatBytes(head, noisyBytes(350_000 - head.length, 0.3, 1));
  const { build } = await packImage({
    path: 'door.bin',
    file: 'door.bin',
    image: buildImage({ flashContent, modeByte: 2, sizeAndFrequencyByte: chip === '1M' ? 0x20 : 0x40 }),
    elf: undefined,
    kind: undefined,
    publicKey: owner.publicKey,
    compression: 'gzip',
    legacy: true,
    signCompressedFilesystem: true,
    enforcementDeclared: true,
    project: 'door',
    version: '1',
    board: 'd1_mini',
  });
  const signer = keyFileSigner({ keyObject: owner.privateKey, publicKey: owner.publicKey });
  const { manifest } = await signBuild(build, signer, 'owner');
  return { ...manifest, image: { ...manifest.image, layout: layouts[chip] } };
}

const builds = { '1M': await buildFor('1M'), '4M': await buildFor('4M') };

for (const [device, raw, gz, signed, gzSigned] of realDevices) {
  const { chip, sketchKb, ...facts } = device;
  const verdict = (file: string): string => {
    const release = builds[chip];
    const artifact = release.artifacts.find((each) => each.file === file);
    if (artifact === undefined) throw new Error(file);
    const known: DeviceFacts = {
      chipSizeBytes: chips[chip],
      ...layouts[chip],
      sketchSizeBytes: sketchKb * 1024,
      keyFingerprint: facts.signing === 'required' ? owner.publicKey.fingerprint : undefined,
      ...facts,
    };
    const errors = runRules({ release, artifact, facts: known }).filter(({ severity }) => severity === 'error');
    return errors.length === 0 ? 'safe' : errors.map(({ rule }) => rule).join(' ');
  };
  const core = facts.core ?? 'unknown';
  const { signing = 'unknown signing', flashMode = 'unknown mode', transport = 'any transport' } = facts;
  const title = `${chip}, ${flashMode}, core ${core}, ${transport}, ${signing}, sketch of ${sketchKb} KB`;
  test(`has the expected verdicts for a device with ${title}`, (t) => {
    const legacy = ['2.5.0', '2.5.2'].includes(core);
    const found = [
      'door.bin',
      'door.bin.gz',
      legacy ? 'door.bin.legacy_sig' : 'door.bin.signed',
      'door.bin.gz.signed',
    ].map(verdict);
    t.deepEqual(found, [raw, gz, signed, gzSigned]);
  });
}
