import test from 'ava';
import fc from 'fast-check';
import { coreCapabilities } from '../../../src/core/device-model/cores.ts';
import { deviceAtRest, type ModelDevice, signatureVerifier } from '../../../src/core/device-model/model-device.ts';
import { runUpdate } from '../../../src/core/device-model/run-update.ts';
import type { Transport } from '../../../src/core/device-model/staging.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import type { FlashMode } from '../../../src/core/model/artifact.ts';
import type { DeviceFacts, GuardFacts } from '../../../src/core/model/device-facts.ts';
import type { Manifest } from '../../../src/core/model/manifest.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { packImage } from '../../../src/core/pack/pack-image.ts';
import { signBuild } from '../../../src/core/pack/sign-build.ts';
import type { Step } from '../../../src/core/preflight/choice.ts';
import { fileRelease } from '../../../src/core/preflight/file-release.ts';
import { proposeIntermediate } from '../../../src/core/preflight/intermediate.ts';
import { type Plan, plan } from '../../../src/core/preflight/plan.ts';
import { runRules } from '../../../src/core/preflight/run-rules.ts';
import { factsAfter } from '../../../src/core/preflight/running.ts';
import { unusableIntermediates } from '../../../src/core/preflight/unusable-intermediates.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { noisyBytes } from '../device-model/recipes.ts';
import { cores, makeDevice, owner } from './scenarios.ts';

/** Filesystem layout in eagle.flash.1m64.ld. */
const layout = { fsStart: 0xeb000, fsEnd: 0xfb000 };

/** All facts about a device on a current core. The device accepts every artifact that fits it. */
const known: DeviceFacts = {
  core: '3.1.2',
  signing: 'required',
  keyFingerprint: owner.publicKey.fingerprint,
  flashMode: 'dio',
  chipSizeBytes: 0x100000,
  ...layout,
  sketchSizeBytes: 300_000,
  transport: 'espota',
  atomicFs: false,
};

interface Wishes {
  readonly sizeBytes: number;
  readonly noise?: number;
  readonly version?: string;
  readonly withKey?: boolean;
}

/** Packs a build made with core 3.1.2 and adds the layout that its ELF would provide. */
async function build(wishes: Wishes): Promise<Build> {
  const { sizeBytes, noise = 0.3, version = '1', withKey = true } = wishes;
  const key = withKey ? `${owner.publicKey.pem}\0` : '';
  const head = Buffer.from(`${key}Not Enough Space\0`, 'latin1');
  const flashContent = concatBytes(head, noisyBytes(sizeBytes - 0x1200 - head.length, noise, sizeBytes));
  const image = buildImage({ flashContent, modeByte: 2, sizeAndFrequencyByte: 0x20 });
  return packed(image, version, withKey);
}

async function packed(image: Uint8Array, version: string, withKey: boolean): Promise<Build> {
  const { build: unsigned } = await packImage({
    path: `${version}.bin`,
    file: `${version}.bin`,
    image,
    elf: undefined,
    kind: undefined,
    publicKey: withKey ? owner.publicKey : undefined,
    compression: 'gzip',
    legacy: true,
    signCompressedFilesystem: true,
    enforcementDeclared: withKey,
    project: 'door',
    version,
    board: 'd1_mini',
  });
  const { manifest, files } = withKey
    ? await signBuild(unsigned, keyFileSigner({ keyObject: owner.privateKey, publicKey: owner.publicKey }), 'owner')
    : unsigned;
  return { files, manifest: { ...manifest, image: { ...manifest.image, layout } } };
}

/** Returns the rules that block each artifact, the best candidate first. */
function rulesByArtifact(decision: Plan<Manifest>): readonly string[] {
  if (decision.kind === 'send') return [];
  return decision.artifacts.map(
    ({ artifact, findings }) => `${artifact.file}: ${findings.map(({ rule }) => rule).join(', ')}`,
  );
}

function sent(decision: Plan<Manifest>): string {
  switch (decision.kind) {
    case 'send':
      return decision.artifact.file;
    case 'hops':
      return decision.hops.map(({ artifact }) => artifact.file).join(' then ');
    case 'blocked':
      return `blocked by ${[...new Set(decision.blockedBy.map(({ rule }) => rule))].sort().join(', ')}`;
  }
}

const small = await build({ sizeBytes: 60_000, version: 'small' });
const large = await build({ sizeBytes: 920_000, version: 'large' });
const usual = await build({ sizeBytes: 320_000, version: 'usual' });
const big = await build({ sizeBytes: 700_000, version: 'big' });
const bigKeyless = await build({ sizeBytes: 700_000, version: 'bigKeyless', withKey: false });
const keyless = await build({ sizeBytes: 320_000, version: 'keyless', withKey: false });

const planFor = (facts: DeviceFacts, { manifest }: Build, ...stones: readonly Build[]): string =>
  sent(plan({ facts, target: manifest, intermediateReleases: stones.map((stone) => stone.manifest) }));

test('sends the smallest artifact if all facts about the device are known', (t) => {
  t.is(planFor(known, usual), 'usual.bin.gz.signed');
  t.is(planFor({ ...known, signing: 'none', keyFingerprint: undefined }, usual), 'usual.bin.gz');
  t.is(planFor({ ...known, signing: 'none', keyFingerprint: undefined }, keyless), 'keyless.bin.gz');
});

test('sends a device with the guard what only its guard accepts', (t) => {
  const guard: GuardFacts = {
    keys: ['f'.repeat(64), owner.publicKey.fingerprint],
    product: productDigest('door'),
    securityVersion: 0,
    require: 'signature',
  };
  const device: DeviceFacts = { ...known, keyFingerprint: 'f'.repeat(64), guard };
  // Without the guard, core 2.7.4 is bricked by signed gzip data, and the key in these facts does not accept the artifact.
  t.is(planFor({ ...device, core: '2.7.4' }, usual), 'usual.bin.gz.signed');
  t.is(planFor({ ...known, core: '2.7.4' }, usual), 'usual.bin.signed');
  t.is(planFor({ ...device, guard: undefined }, usual), 'blocked by wrong-key');
  // Only gzip artifacts of a project without the guard contain metadata.
  t.is(planFor({ ...device, guard: { ...guard, require: 'metadata' } }, usual), 'usual.bin.gz.signed');
  const strict: GuardFacts = { ...guard, require: 'metadata' };
  t.is(planFor({ ...device, core: undefined, guard: strict }, usual), 'blocked by guard-no-metadata');
  t.is(planFor({ ...device, guard: { ...guard, securityVersion: 1 } }, usual), 'usual.bin.signed');
  t.is(planFor({ ...device, guard: { ...strict, securityVersion: 1 } }, usual), 'blocked by guard-no-metadata');
});

test('picks the artifact whose key the device accepts', (t) => {
  const other = 'e'.repeat(64);
  const target = {
    ...usual.manifest,
    embeddedKeys: [owner.publicKey.fingerprint, other],
    artifacts: usual.manifest.artifacts.flatMap((artifact) =>
      artifact.keyFingerprint === undefined
        ? [artifact]
        : [
            artifact,
            { ...artifact, file: `other.${artifact.file}`, keyFingerprint: other, sizeBytes: artifact.sizeBytes - 4 },
          ],
    ),
  };
  const guard = { product: productDigest('door'), securityVersion: 0, require: 'signature' } as const;
  const send = (keys: string[]) => sent(plan({ facts: { ...known, guard: { ...guard, keys } }, target }));
  t.is(send([owner.publicKey.fingerprint]), 'usual.bin.gz.signed');
  t.is(send([other]), 'other.usual.bin.gz.signed');
  t.is(send(['d'.repeat(64)]), 'blocked by wrong-key');
});

test('sends only a raw sketch to an unknown device, signed if the project has a key', (t) => {
  t.is(planFor({}, usual), 'usual.bin.signed');
  t.is(planFor({ transport: 'espota' }, usual), 'usual.bin.signed');
  const unsigned = {
    ...usual.manifest,
    artifacts: usual.manifest.artifacts.filter(({ signature }) => signature === 'none'),
  };
  t.regex(sent(plan({ facts: {}, target: unsigned })), /^blocked by .*unsigned-to-signed/);
  t.is(planFor({}, keyless), 'keyless.bin');
});

test('sends the raw artifact if any fact about the device is unknown', (t) => {
  for (const hidden of ['core', 'flashMode', 'chipSizeBytes', 'fsStart', 'signing'] as const) {
    t.is(planFor({ ...known, [hidden]: undefined }, usual), 'usual.bin.signed', hidden);
  }
});

test('sends the signature format that the device supports', (t) => {
  t.is(planFor({ ...known, core: '2.5.2' }, usual), 'usual.bin.legacy_sig');
  t.is(planFor({ ...known, core: '2.6.3' }, usual), 'usual.bin.signed');
  t.is(planFor({ ...known, core: undefined, format: 'legacy' }, usual), 'usual.bin.legacy_sig');
});

test('sends the raw signed sketch to a device that a signed gzip-compressed sketch would brick', (t) => {
  t.is(planFor({ ...known, core: '2.7.4' }, usual), 'usual.bin.signed');
  t.is(planFor({ ...known, core: '2.7.4', signing: 'none', keyFingerprint: undefined }, usual), 'usual.bin.gz');
});

test('blocks a sketch with a different flash mode only if the device verifies signatures', (t) => {
  t.is(planFor({ ...known, flashMode: 'dout', signing: 'none' }, usual), 'usual.bin');
  const facts: DeviceFacts = { ...known, flashMode: 'dout' };
  t.is(planFor(facts, usual), 'blocked by flash-mode-signed');
  t.deepEqual(rulesByArtifact(plan({ facts, target: usual.manifest })), [
    'usual.bin.signed: flash-mode-signed',
    'usual.bin.gz.signed: flash-mode-gz',
    'usual.bin: unsigned-to-signed',
    'usual.bin.legacy_sig: flash-mode-signed, format-boundary',
    'usual.bin.gz: flash-mode-gz, unsigned-to-signed',
  ]);
});

test('sends a gzip-compressed sketch through the web updater only if the size of the running sketch is known', (t) => {
  t.is(planFor({ ...known, transport: 'web' }, usual), 'usual.bin.gz.signed');
  t.is(planFor({ ...known, transport: 'web', sketchSizeBytes: undefined }, usual), 'usual.bin.signed');
});

test('plans a hop through a smaller sketch if the target does not fit and the core does not support gzip', (t) => {
  const old: DeviceFacts = { ...known, core: '2.6.3' };
  t.is(planFor(old, large), 'blocked by no-space');
  const rows = rulesByArtifact(plan({ facts: old, target: large.manifest }));
  t.true(rows.includes('large.bin.gz.signed: gz-old-device'), rows.join('; '));
  t.is(planFor(old, large, small), 'small.bin.signed then large.bin.gz.signed');
  const decision = plan({ facts: old, target: large.manifest, intermediateReleases: [small.manifest] });
  t.true(decision.kind === 'hops' && decision.blockedBy.some(({ rule }) => rule === 'no-space'));
});

test('plans a hop that installs a key on a device without a key', (t) => {
  const unsecured: DeviceFacts = { ...known, core: '2.6.3', signing: 'none', keyFingerprint: undefined };
  t.is(planFor(unsecured, large, small), 'small.bin then large.bin.gz.signed');
});

test('ignores intermediate releases for a different project or board', (t) => {
  const old: DeviceFacts = { ...known, core: '2.6.3', project: 'door', board: 'd1_mini' };
  for (const other of [{ project: 'window' }, { board: 'nodemcuv2' }]) {
    const strange = { ...small.manifest, ...other };
    t.is(plan({ facts: old, target: large.manifest, intermediateReleases: [strange] }).kind, 'blocked');
    t.is(plan({ facts: old, target: large.manifest, intermediateReleases: [strange, small.manifest] }).kind, 'hops');
  }
  t.is(plan({ facts: old, target: large.manifest, intermediateReleases: [small.manifest] }).kind, 'hops');
});

test('sends a compressed filesystem image only to a device with ATOMIC_FS_UPDATE', async (t) => {
  const image = buildLittleFs({ blockCount: 16, content: noisyBytes(13 * 4096, 0.2, 3) });
  const filesystem = await packed(image, 'fs', true);
  const facts: DeviceFacts = { ...known, atomicFs: true, kind: 'filesystem' };
  t.is(planFor(facts, filesystem), 'fs.bin.gz.signed');
  t.is(planFor({ ...facts, atomicFs: false }, filesystem), 'fs.bin.signed');
});

test('includes a message, a fix and the artifact for each rule in a blocked plan', (t) => {
  const decision = plan({ facts: { ...known, project: 'window' }, target: usual.manifest });
  if (decision.kind !== 'blocked') return t.fail(decision.kind);
  for (const { rule, message, fix, artifact } of decision.blockedBy) {
    for (const text of [rule, message, fix, artifact]) t.not(text, '');
  }
  t.true(decision.blockedBy.some(({ rule }) => rule === 'other-project'));
});

test('sends an artifact that violates an allowed rule only if no other artifact fits, and warns', (t) => {
  const allow = new Set(['gz-signed-old-core']);
  t.is(sent(plan({ facts: { ...known, core: '2.7.4' }, target: usual.manifest, allow })), 'usual.bin.signed');
  const gzOnly = {
    ...usual.manifest,
    artifacts: usual.manifest.artifacts.filter(({ file }) => file.endsWith('.gz.signed')),
  };
  const decision = plan({ facts: { ...known, core: '2.7.4' }, target: gzOnly, allow });
  t.is(sent(decision), 'usual.bin.gz.signed');
  t.deepEqual(decision.kind === 'send' && decision.warnings.map(({ rule, severity }) => [rule, severity]), [
    ['gz-signed-old-core', 'warning'],
  ]);
});

test('applies the rules that one release allows only to this release', (t) => {
  const facts = { ...known, core: '2.7.4' };
  const onlyGz = ({ manifest }: Build) => ({
    ...manifest,
    artifacts: manifest.artifacts.filter(({ file }) => file.endsWith('.gz.signed')),
  });
  const [target, other] = [onlyGz(usual), onlyGz(usual)];
  const allowFor = (release: object) => (release === target ? ['gz-signed-old-core'] : []);
  t.is(sent(plan({ facts, target, allowFor })), 'usual.bin.gz.signed');
  t.is(plan({ facts, target: other, allowFor }).kind, 'blocked');
});

test('plans a hop through the raw artifact if the compressed one would install a slower flash mode that blocks the target', async (t) => {
  const stone = await build({ sizeBytes: 60_000, version: 'stone' });
  const slow = withFlashMode(stone, 'dout');
  const facts: DeviceFacts = { ...known, core: '2.7.2', signing: 'none', keyFingerprint: undefined };
  t.is(planFor(facts, large, slow), 'stone.bin then large.bin.gz.signed');
  t.is(planFor(facts, large, stone), 'stone.bin.gz then large.bin.gz.signed');
});

/** Build whose manifest states a different flash mode. */
function withFlashMode({ manifest, files }: Build, flashMode: FlashMode): Build {
  return { files, manifest: { ...manifest, image: { ...manifest.image, flashMode } } };
}

test('warns that the space for the target is unknown if the layout of the intermediate release is unknown', (t) => {
  const { layout: _, ...image } = small.manifest.image;
  const facts: DeviceFacts = { ...known, core: '2.6.3' };
  const decision = plan({
    facts,
    target: large.manifest,
    intermediateReleases: [{ ...small.manifest, image }],
    allow: new Set(['inflate-over-fs', 'fs-moved']),
  });
  if (decision.kind !== 'hops') return t.fail(sent(decision));
  const last = decision.hops.at(-1);
  t.true(
    last?.warnings.some(({ rule, message }) => rule === 'no-space' && /layout of the device is unknown/.test(message)),
  );
});

/** Devices that fit the builds. Most have the flash mode of the builds, and all have the same key or no key. */
const fittingDevice = fc
  .record({
    // Core 2.7.2 is more frequent, because large updates need a hop on this core.
    core: fc.constantFrom(...cores, '2.7.2', '2.7.2', '2.7.2', '2.7.2'),
    script: fc.constantFrom('1m', '1m64', '1m256', '2m512', '2m1m'),
    flashMode: fc.constantFrom<FlashMode>('dio', 'dio', 'dio', 'dout'),
    key: fc.constantFrom('none', 'owner'),
    sketchShare: fc.double({ min: 0, max: 1, noNaN: true }),
    transport: fc.constantFrom<Transport>('espota', 'http', 'web'),
    atomicFs: fc.boolean(),
  })
  .map(makeDevice);

test('every planned hop succeeds on the model device and results in the predicted facts', (t) => {
  const builds = [small, usual, keyless, large];
  const kinds = new Map<string, number>();
  fc.assert(
    fc.property(fittingDevice, fc.constantFrom(...builds, large, large), ({ device, facts }, target) => {
      const decision = plan({
        facts,
        target: withLayout(target, device),
        intermediateReleases: builds.map((stone) => withLayout(stone, device)),
        allow: new Set(['fs-moved']),
      });
      kinds.set(decision.kind, (kinds.get(decision.kind) ?? 0) + 1);
      if (decision.kind === 'blocked') return;
      const hops = decision.kind === 'send' ? [decision] : decision.hops;
      const end = hops.reduce((state, hop) => taken(t, state, hop, builds), { device, facts });
      t.is(end.device.sketchSizeBytes, target.manifest.image.contentBytes);
    }),
    propertyRuns(200, 20_000),
  );
  t.log(Object.fromEntries(kinds));
  for (const kind of ['send', 'hops', 'blocked']) t.true((kinds.get(kind) ?? 0) > 3, kind);
});

/** Device with an old core whose running sketch leaves too little space for `large`, even compressed. */
const crowded: DeviceFacts = { ...known, core: '2.6.3', sketchSizeBytes: 600_000 };
const proposalFor = (facts: DeviceFacts, { manifest }: Build) =>
  proposeIntermediate(facts, manifest, plan({ facts, target: manifest }), new Set());

test('proposes the intermediate sketch if raw does not fit and gzip is impossible, and both hops succeed', (t) => {
  t.is(planFor(crowded, big), 'blocked by no-space');
  const proposal = proposalFor(crowded, big);
  t.deepEqual(proposal, { mostBytes: 0xeb000 - 602_112, lastArtifact: 'big.bin.gz.signed' });
  t.true((usual.files.get('usual.bin.signed')?.length ?? Infinity) <= (proposal?.mostBytes ?? 0));
  const decision = plan({ facts: crowded, target: big.manifest, intermediateReleases: [usual.manifest] });
  t.is(sent(decision), 'usual.bin.signed then big.bin.gz.signed');
  const capabilities = coreCapabilities('2.6.3');
  if (decision.kind !== 'hops' || capabilities === undefined) throw new Error('the plan of this test has two hops');
  const device = deviceAtRest({
    capabilities,
    chipSizeBytes: 0x100000,
    ...layout,
    flashMode: 'dio',
    sketchSizeBytes: 600_000,
    verifier: signatureVerifier(owner.publicKey, 'current'),
    atomicFs: false,
    flashMap: false,
  });
  let end: State = { device, facts: crowded };
  for (const hop of decision.hops) end = taken(t, end, hop, [usual, big]);
  t.is(end.device.sketchSizeBytes, big.manifest.image.contentBytes);
});

test('a blocked plan contains the errors of the best candidate, with a fix that does not need a blocked artifact', (t) => {
  const decisive = (facts: DeviceFacts, { manifest }: Build) => {
    const decision = plan({ facts, target: manifest });
    return decision.kind === 'blocked' ? decision.blockedBy : [];
  };
  // The unsigned gzip artifact has fewer errors than the raw signed one, but the device cannot use its form.
  const [first, ...more] = decisive(crowded, big);
  t.like(first, { rule: 'no-space', artifact: 'big.bin.signed' });
  t.deepEqual(more, []);
  const doutFacts: DeviceFacts = { ...known, flashMode: 'dout' };
  t.deepEqual(
    decisive(doutFacts, usual).map(({ rule, artifact }) => [rule, artifact]),
    [['flash-mode-signed', 'usual.bin.signed']],
  );
  const decision = plan({ facts: doutFacts, target: usual.manifest });
  const gzip = decision.kind === 'blocked' ? decision.artifacts[1]?.findings : undefined;
  t.like(gzip, [
    { rule: 'flash-mode-gz', artifact: 'usual.bin.gz.signed', fix: 'build the image for flash mode dout' },
  ]);
  const lone = {
    ...usual.manifest,
    artifacts: usual.manifest.artifacts.filter(({ file }) => file.endsWith('.gz.signed')),
  };
  const [loneError] = decisive(doutFacts, { ...usual, manifest: lone });
  t.is(loneError?.fix, 'pack the image again and send the raw artifact, or build the image for flash mode dout');
});

test('findings about a filesystem do not contradict each other if ATOMIC_FS_UPDATE is unknown', (t) => {
  const release = fileRelease(readFirmware(buildLittleFs({ blockCount: 16 })), { file: 'fs.bin' });
  const [artifact] = release.artifacts;
  if (artifact === undefined) throw new Error('the file is an artifact');
  const facts: DeviceFacts = {
    ...known,
    signing: 'none',
    kind: 'filesystem',
    transport: 'web',
    sketchSizeBytes: 940_000,
  };
  const about = (atomicFs: boolean | undefined) =>
    runRules({ release, artifact, facts: { ...facts, atomicFs } })
      .map(({ message }) => message)
      .filter((message) => /in place|staged first|whole partition/.test(message));
  const [first = '', ...others] = about(undefined);
  t.is(others.length, 2, 'the sentences are about different cases');
  for (const message of [first, ...others]) {
    t.regex(message, /^(?:if|unless) the running sketch was built with ATOMIC_FS_UPDATE, /);
  }
  t.is(about(true).length, 2);
  t.is(about(false).length, 1);
  for (const message of [...about(true), ...about(false)]) t.notRegex(message, /ATOMIC_FS_UPDATE/);
});

test('explains why an intermediate release does not help', (t) => {
  const reason = (facts: DeviceFacts, stone: Build) =>
    unusableIntermediates({ facts, target: big.manifest, intermediateReleases: [stone.manifest] })[0]?.reason;
  t.regex(reason(crowded, large) ?? '', /^cannot be installed: the update needs .* bytes of flash.* \(no-space\)$/);
  const otherKey = { ...crowded, keyFingerprint: '0'.repeat(64) };
  t.regex(reason(otherKey, usual) ?? '', /^cannot be installed: .* \(wrong-key\)$/);
  const elsewhere = {
    ...small,
    manifest: { ...small.manifest, project: 'gate', image: { ...small.manifest.image, core: undefined } },
  };
  t.regex(
    reason({ ...crowded, project: undefined }, elsewhere) ?? '',
    /^can be installed, but then big\.bin\S* is blocked: .* \(other-project\)$/,
  );
});

test('proposes no intermediate sketch if it does not help', (t) => {
  t.is(proposalFor({ ...crowded, sketchSizeBytes: 700_000 }, big), undefined, 'it does not fit either');
  t.is(proposalFor({ ...crowded, sketchSizeBytes: undefined }, big), undefined, 'the free space is unknown');
  t.is(proposalFor({ ...crowded, project: 'gate' }, big), undefined, 'a different rule blocks the update too');
  const unsigned: DeviceFacts = { ...crowded, signing: 'none', keyFingerprint: undefined };
  t.regex(planFor(unsigned, bigKeyless), /no-space/);
  t.is(proposalFor(unsigned, bigKeyless), undefined, 'it must verify signatures');
  t.is(proposalFor(known, usual), undefined, 'the update is not blocked');
});

function withLayout({ manifest }: Build, { fsStart, fsEnd }: ModelDevice): Manifest {
  return { ...manifest, image: { ...manifest.image, layout: { fsStart, fsEnd } } };
}

interface State {
  readonly device: ModelDevice;
  readonly facts: DeviceFacts;
}

function taken(
  t: { is(a: unknown, b: unknown, message?: string): unknown },
  state: State,
  hop: Step<Manifest>,
  builds: readonly Build[],
): State {
  const { artifact, release } = hop;
  const origin = builds.find(({ manifest }) => manifest.version === release.version);
  const bytes = origin?.files.get(artifact.file);
  const expected = origin?.files.get(release.image.file);
  const capabilities = coreCapabilities(release.image.core);
  if (bytes === undefined || expected === undefined || capabilities === undefined)
    throw new Error('a build of this test');
  const verifier = release.signing.publicKey && signatureVerifier(owner.publicKey, 'current');
  const transport = state.facts.transport ?? 'espota';
  const result = runUpdate(state.device, bytes, {
    transport,
    kind: 'sketch',
    expected,
    next: { capabilities, verifier },
  });
  t.is(result.outcome, 'updated', `${artifact.file} to ${JSON.stringify(state.facts)}`);
  const facts = factsAfter(state.facts, release, artifact);
  t.is(facts.flashMode, result.device.flashMode);
  t.is(facts.sketchSizeBytes, result.device.sketchSizeBytes);
  return { device: result.device, facts };
}
