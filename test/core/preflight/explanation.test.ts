import test from 'ava';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import { fixText } from '../../../src/core/preflight/fix-text.ts';
import { plan } from '../../../src/core/preflight/plan.ts';
import type { Release, ReleaseImage } from '../../../src/core/preflight/release.ts';
import { device, ours, releaseOf, sound, theirs } from './case.ts';

const legacy = { ...sound.rawSigned, file: 'door.bin.legacy_sig', signature: 'legacy' } as const;
/** Release with all artifacts that `pack --legacy` makes. */
const artifacts = [sound.raw, sound.gzip, sound.rawSigned, sound.gzipSigned, legacy];

function sketch(changes: Partial<ReleaseImage> = {}): Release {
  return {
    ...releaseOf(sound.rawSigned, changes),
    signing: { publicKey: { fingerprint: ours, bits: 2048 } },
    artifacts,
  };
}

/** Returns the findings for the best candidate. */
function explained(facts: DeviceFacts, target: Release, build?: Release) {
  const decision = plan<Release>({ facts, target, build });
  if (decision.kind !== 'blocked') throw new Error(decision.kind);
  return decision.blockedBy.map(({ artifact, rule, message, fixes, fix }) => ({ artifact, rule, message, fixes, fix }));
}

test('explains a flash mode that the images do not have with the raw signed artifact', (t) => {
  t.deepEqual(explained({ ...device, flashMode: 'dout' }, sketch()), [
    {
      artifact: 'door.bin.signed',
      rule: 'flash-mode-signed',
      message:
        "the image has flash mode dio, but the device's flash mode is dout, and the device overwrites the signed byte 2: it would reject the update with ERROR 12",
      fixes: [{ action: 'build', flashMode: 'dout' }],
      fix: 'build the image for flash mode dout',
    },
  ]);
});

test('explains a wrong key with an artifact that is signed in the format of the device', (t) => {
  for (const [core, artifact] of [
    ['3.1.2', 'door.bin.signed'],
    ['2.5.2', 'door.bin.legacy_sig'],
  ] as const) {
    const [first, ...others] = explained({ ...device, core, keyFingerprint: theirs }, sketch());
    t.like(first, { artifact, rule: 'wrong-key', fixes: [{ action: 'sign', keyFingerprint: theirs }] });
    t.is(first?.fix, 'sign the artifact with key bbbbbbbbbbbbbbbb…');
    t.deepEqual(others, []);
  }
});

test('explains a LittleFS image of the wrong size with the size of the partition', (t) => {
  const filesystem = {
    type: 'littlefs',
    blockSizeBytes: 8192,
    blockCount: 128,
    usedBytes: 0x8000,
    modeByte: 0,
  } as const;
  const release: Release = {
    ...releaseOf(sound.fsRawSigned, { filesystem, contentBytes: 0x100000 }),
    signing: { publicKey: { fingerprint: ours, bits: 2048 } },
    artifacts: [sound.fsRaw, sound.fsGzip, sound.fsRawSigned, sound.fsGzipSigned],
  };
  const [first, ...others] = explained({ ...device, kind: 'filesystem' }, release);
  t.like(first, {
    artifact: 'fs.bin.signed',
    rule: 'fs-size-mismatch',
    fixes: [{ action: 'build', partitionBytes: 0x1fa000 }],
    fix: 'build the image for a filesystem partition of 2072576 bytes',
  });
  t.regex(first?.message ?? '', /made for a partition of 1048576 bytes, but the device's partition has 2072576/);
  t.deepEqual(others, []);
});

test('explains a moved filesystem alone, with the layout to build for and the rule to allow', (t) => {
  const [first, ...others] = explained(device, sketch({ layout: { fsStart: 0x300000, fsEnd: 0x3fa000 } }));
  t.like(first, {
    artifact: 'door.bin.signed',
    rule: 'fs-moved',
    fixes: [
      { action: 'build', fsStart: 0x200000, fsEnd: 0x3fa000 },
      { action: 'allow', rule: 'fs-moved', options: ['--allow fs-moved'] },
    ],
  });
  t.regex(first?.message ?? '', /starts at 3145728, but the device's filesystem starts at 2097152/);
  t.deepEqual(others, []);
});

test('explains an artifact that needs only a fact about the device before one that needs a new build', (t) => {
  const facts = { ...device, flashMode: undefined, fsStart: 0xeb000, fsEnd: 0xfb000, sketchSizeBytes: 700_000 };
  const [first] = explained(facts, sketch({ layout: { fsStart: 0xeb000, fsEnd: 0xfb000 } }));
  t.like(first, {
    artifact: 'door.bin.gz.signed',
    rule: 'flash-mode-gz',
    fixes: [{ action: 'specify', facts: ['flashMode'], options: ['--flash-mode'] }],
    fix: 'specify the flash mode of the device (--flash-mode)',
  });
});

test('a fix sends another artifact of the build only if it exists and is safe', (t) => {
  const facts: DeviceFacts = { ...device, core: '2.7.4' };
  const lone = { ...sketch(), artifacts: [sound.gzipSigned] };
  const fixOf = (build: Release | undefined, more: DeviceFacts = facts) => explained(more, lone, build)[0]?.fixes[0];
  t.like(fixOf(sketch()), { action: 'send', artifact: 'door.bin.signed' });
  t.like(fixOf(undefined), { action: 'add', form: 'raw signed' });
  t.like(fixOf({ ...sketch(), artifacts: [sound.gzipSigned, sound.gzip] }), { action: 'add', form: 'raw signed' });
  const wrongMode = { ...facts, flashMode: 'dout' } as const;
  t.like(fixOf(sketch(), wrongMode), { action: 'update-first', core: '3.0.0' }, 'the raw artifact is blocked too');
});

test('a fix without an alternative names the best candidate', (t) => {
  const facts: DeviceFacts = { ...device, flashMode: 'dout' };
  const decision = plan<Release>({ facts, target: sketch() });
  const raw =
    decision.kind === 'blocked' ? decision.artifacts.find(({ artifact }) => artifact.file === 'door.bin') : undefined;
  t.like(raw?.findings, [{ rule: 'unsigned-to-signed', fixes: [{ action: 'unblock', artifact: 'door.bin.signed' }] }]);
});

test('describes a fix with the commands of a server', (t) => {
  const served = { project: 'door', mac: '5C:CF:7F:51:00:01' };
  const { blockedBy } = blockedPlan({ ...device, fsStart: 0x100000 });
  t.regex(
    fixText(blockedBy[0]?.fixes ?? [], served),
    /run `ota-hooks server devices set door 5C:CF:7F:51:00:01 --allow fs-moved`$/,
  );
  const specify = { action: 'specify', facts: ['flashMode', 'keyFingerprint'], options: [] } as const;
  t.is(
    fixText([{ ...specify, facts: [...specify.facts], options: [] }], served),
    'publish the build that the device runs as a reference build (`ota-hooks publish --reference`)',
  );
});

function blockedPlan(facts: DeviceFacts) {
  const decision = plan<Release>({ facts, target: sketch() });
  if (decision.kind !== 'blocked') throw new Error(decision.kind);
  return decision;
}
