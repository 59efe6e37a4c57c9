import test from 'ava';
import fc from 'fast-check';
import type { FlashMode, ImageKind } from '../../../src/core/model/artifact.ts';
import { compareReleases } from '../../../src/core/model/core-name.ts';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import type { UpdateMetadata } from '../../../src/core/model/manifest.ts';
import type { PreflightFix } from '../../../src/core/model/preflight-fix.ts';
import { lockOutRules } from '../../../src/core/preflight/lock-outs.ts';
import { plan } from '../../../src/core/preflight/plan.ts';
import { type RuleId, rules } from '../../../src/core/preflight/registry.ts';
import type { Release, ReleaseArtifact, ReleaseImage } from '../../../src/core/preflight/release.ts';
import type { Rule } from '../../../src/core/preflight/rule.ts';
import { type PreflightFinding, runRules } from '../../../src/core/preflight/run-rules.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { applyFix, gzipShare, metadataFor, type Situation } from './apply-fix.ts';
import { device, ours, theirs } from './case.ts';
import { guard, marked } from './guarded.ts';

const modes: readonly FlashMode[] = ['qio', 'qout', 'dio', 'dout'];
const layouts = [
  { fsStart: 0x200000, fsEnd: 0x3fa000, chipSizeBytes: 0x400000 },
  { fsStart: 0x100000, fsEnd: 0x3fa000, chipSizeBytes: 0x400000 },
  { fsStart: 0xeb000, fsEnd: 0xfb000, chipSizeBytes: 0x100000 },
];

/** All facts about a device. */
const anyTruth: fc.Arbitrary<DeviceFacts> = fc
  .record({
    core: fc.constantFrom(
      '2.0.0',
      '2.3.0',
      '2.4.2',
      '2.5.2',
      '2.6.2',
      '2.6.3',
      '2.7.2',
      '2.7.4',
      '3.0.2',
      '3.1.2',
      '3.1.2',
    ),
    key: fc.constantFrom('none', ours, ours, theirs),
    flashMode: fc.constantFrom(...modes),
    layout: fc.constantFrom(...layouts),
    sketchSizeBytes: fc.constantFrom(300_000, 500_000, 800_000, 900_000),
    transport: fc.constantFrom('espota', 'http', 'web'),
    flashMap: fc.boolean(),
    atomicFs: fc.boolean(),
    kind: fc.constantFrom<ImageKind>('sketch', 'sketch', 'filesystem'),
    board: fc.constantFrom('d1_mini', 'nodemcuv2'),
    guard: fc.constantFrom(undefined, undefined, guard, { ...guard, keys: [ours] }),
  })
  .map(({ key, layout, guard: wanted, ...facts }): DeviceFacts => {
    const { signing, keyFingerprint } = device;
    return {
      ...facts,
      ...layout,
      project: 'door',
      guard: key === 'none' || compareReleases(facts.core, '2.6.0') < 0 ? undefined : wanted,
      ...(key === 'none' ? { signing: 'none' } : { signing, keyFingerprint: key ?? keyFingerprint }),
    };
  });

const findings: readonly ReleaseImage['findings'][number][] = [
  { id: 'crc-mismatch', message: 'the CRC is wrong' },
  { id: 'foreign-image', message: 'the image is for a different system' },
  { id: 'data-after-gzip', message: '5 bytes follow the gzip data' },
  { id: 'gzip-too-large', message: 'the gzip data is too large' },
  { id: 'embedded-key-not-rsa', message: 'the image contains an EC key' },
  { id: 'flash-mode-unknown', message: 'byte 2 is 23' },
  { id: 'filesystem-size-mismatch', message: 'the image is longer than its superblock says' },
  { id: 'signature-unverified', message: 'no key verifies the signature' },
];

/** Releases, most of which are sound. */
const anyRelease = (kind: ImageKind): fc.Arbitrary<Release> =>
  fc
    .record({
      core: fc.constantFrom('3.1.2', '3.1.2', '2.6.3', '2.7.0', '2.7.2', undefined),
      flashMode: fc.constantFrom(...modes, undefined),
      layout: fc.constantFrom(...layouts, undefined),
      contentBytes: fc.constantFrom(3_000, 300_000, 320_001, 500_000, 720_000, 1_100_000),
      finding: fc.option(fc.constantFrom(...findings), { freq: 4, nil: undefined }),
      flashMap: fc.constantFrom(false, false, true),
      embeddedKey: fc.constantFrom(ours, ours, theirs, undefined),
      key: fc.constantFrom(ours, ours, theirs, undefined),
      enforcement: fc.constantFrom<Release['enforcement']>('elf', 'elf', 'unproven', 'disproved'),
      hasKey: fc.boolean(),
      isUnverified: fc.constantFrom(false, false, false, true),
      board: fc.constantFrom('d1_mini', 'nodemcuv2'),
      type: fc.constantFrom('littlefs', 'littlefs', 'spiffs'),
      forms: fc.subarray(['raw', 'gzip', 'raw current', 'gzip current', 'raw legacy'] as const, { minLength: 1 }),
      lowest: fc.constantFrom(0x10000, 0x60000, 0xa0000),
      isUninflatable: fc.constantFrom(false, false, false, true),
      metadata: fc.constantFrom<Partial<UpdateMetadata> | undefined>(
        undefined,
        {},
        {},
        { securityVersion: 1 },
        { product: '0'.repeat(16) },
        { memberBytes: 4, kind: 'unknown' },
      ),
    })
    .map((made): Release => {
      const partition = made.layout === undefined ? 0x10000 : made.layout.fsEnd - made.layout.fsStart;
      const contentBytes = kind === 'sketch' ? made.contentBytes : partition;
      const image: ReleaseImage = {
        kind,
        findings: made.finding === undefined ? [] : [made.finding],
        contentBytes,
        ...(kind === 'sketch'
          ? {
              core: made.core,
              flashMode: made.flashMode,
              flashSizeBytes: made.flashMap ? 0x1000000 : (made.layout?.chipSizeBytes ?? 0x400000),
              layout: made.layout,
              traces: {
                sdkVersions: [],
                updater: true,
                arduinoOta: true,
                httpUpdate: false,
                webUpdater: false,
                flashMap: made.flashMap ? true : undefined,
              },
            }
          : {
              filesystem: {
                type: made.type,
                blockSizeBytes: 4096,
                blockCount: partition / 4096,
                usedBytes: partition - (made.contentBytes % 2) * 8192,
                modeByte: made.contentBytes % 3,
              },
            }),
      };
      const artifacts = made.forms.map((form): ReleaseArtifact => {
        const isGzip = form.startsWith('gzip');
        const payloadBytes = isGzip ? Math.ceil(contentBytes * gzipShare) : contentBytes;
        const signature = form.endsWith('current')
          ? made.isUnverified
            ? 'unverified'
            : 'current'
          : form.endsWith('legacy')
            ? 'legacy'
            : 'none';
        const artifact: ReleaseArtifact = {
          file: form,
          encoding: isGzip ? 'gzip' : 'identity',
          signature,
          payloadBytes,
          sizeBytes: payloadBytes + (signature === 'none' ? 0 : 260),
          keyFingerprint: signature === 'none' || signature === 'unverified' ? undefined : (made.key ?? ours),
          inflate:
            !isGzip || made.isUninflatable
              ? undefined
              : {
                  sizeBytes: contentBytes,
                  ...(kind === 'sketch' && {
                    lowestStaging: { erasesFirst: made.lowest, inflatesFirst: Math.max(0, made.lowest - 0x30000) },
                  }),
                },
        };
        const isMarked = made.metadata !== undefined && (isGzip || form === 'raw current');
        return isMarked ? marked(artifact, { ...metadataFor(image), ...made.metadata }) : artifact;
      });
      return {
        project: 'door',
        board: made.board,
        image,
        embeddedKeys: kind === 'sketch' && made.embeddedKey !== undefined ? [made.embeddedKey] : [],
        enforcement: made.enforcement,
        signing: made.hasKey ? { publicKey: { fingerprint: made.key ?? ours, bits: 2048 } } : {},
        artifacts,
      };
    });

/** Any device, with or without some of its facts, and any release, usually of the kind that the device requests. */
const anyUpdate = anyTruth
  .chain((truth) => {
    const names = Object.keys(truth);
    return fc.record({
      truth: fc.constant(truth),
      hidden: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, fc.subarray(names)),
      release: fc.oneof({ weight: 5, arbitrary: anyRelease(truth.kind ?? 'sketch') }, anyRelease('sketch')),
      wrongChip: fc.constantFrom(false, false, false, false, true),
    });
  })
  .map(({ truth, hidden, release, wrongChip }) => ({
    truth,
    facts: {
      ...Object.fromEntries(Object.entries(truth).filter(([name]) => !hidden.includes(name))),
      ...(wrongChip && { fsStart: 0x200000, chipSizeBytes: 0x100000 }),
    } as DeviceFacts,
    release,
  }));

function errorsFor({ facts, release, artifact, allow }: Situation): readonly PreflightFinding[] {
  return runRules({ release, artifact, facts }).filter(
    ({ rule, severity }) => severity === 'error' && !allow.has(rule),
  );
}

function describe({ facts, release, artifact }: Situation): string {
  return `${artifact.file} of ${JSON.stringify(release)} -> ${JSON.stringify(facts)}`;
}

/**
 * Returns true if the fix removes the finding. Afterward, the rule may have a different finding, such as about another unknown fact, whose
 * fixes must then remove it.
 */
function removes(fix: PreflightFix, finding: PreflightFinding, before: Situation, depth = 0): boolean {
  if (fix.action === 'serial') return true;
  if (depth > mostFindings) return false;
  if (fix.action === 'fix-rule') {
    const cause = errorsFor(before).find(({ rule }) => rule === fix.rule);
    return cause?.fixes.every((its) => removes(its, finding, before, depth + 1)) === true;
  }
  const after = applyFix(fix, before);
  if (after === undefined) return false;
  const left = errorsFor(after).find(({ rule }) => rule === finding.rule);
  if (left === undefined) return true;
  return left.message !== finding.message && left.fixes.every((next) => removes(next, left, after, depth + 1));
}

const mostFindings = 6;

/** Returns the update of each artifact of a release. */
function situations({ facts, truth, release }: Pick<Situation, 'facts' | 'truth' | 'release'>): readonly Situation[] {
  return release.artifacts.map((artifact) => ({ facts, truth, release, artifact, allow: new Set() }));
}

test('every fix of an error removes the rule', (t) => {
  fc.assert(
    fc.property(anyUpdate, (update) => {
      for (const situation of situations(update)) {
        for (const finding of errorsFor(situation)) {
          for (const fix of finding.fixes) {
            if (!removes(fix, finding, situation)) {
              t.fail(`${finding.rule}: ${JSON.stringify(fix)}: ${describe(situation)}`);
            }
          }
        }
      }
    }),
    propertyRuns(400, 20_000),
  );
  t.pass();
});

test('every rule that blocks updates has a fix for each error', (t) => {
  const actions = new Map<RuleId, Set<string>>();
  // The seed is fixed, so that every run contains the rare rules.
  for (const update of fc.sample(anyUpdate, { seed: 1, numRuns: 2000 })) {
    for (const { rule, fixes } of situations(update).flatMap(errorsFor)) {
      t.true(fixes.length > 0, rule);
      actions.set(rule, new Set([...(actions.get(rule) ?? []), ...fixes.map(({ action }) => action)]));
    }
  }
  t.log(Object.fromEntries([...actions].map(([rule, names]) => [rule, [...names].join(', ')])));
  // The rules about lock-outs compare two releases, not a release and a device.
  const blocking = (rules as readonly Rule[])
    .filter((rule) => rule.severity !== 'warning' && lockOutRules.every(({ id }) => id !== rule.id))
    .map(({ id }) => id);
  t.deepEqual([...actions.keys()].sort(), blocking.sort());
});

test('the fixes of the best candidate lead to a safe update, or say that no fix over the air exists', (t) => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(anyUpdate, fc.array(fc.nat(), { minLength: 40, maxLength: 40 }), ({ facts, truth, release }, picks) => {
      let state: Omit<Situation, 'artifact'> = { facts, truth, release, allow: new Set() };
      for (const [step, pick] of picks.entries()) {
        const decision = plan<Release>({ facts: state.facts, target: state.release, allow: state.allow });
        if (decision.kind === 'send') {
          ends.set(`safe after ${step}`, (ends.get(`safe after ${step}`) ?? 0) + 1);
          return;
        }
        const [best] = decision.artifacts;
        if (decision.kind !== 'blocked' || best === undefined) throw new Error('the release has an artifact');
        const direct = best.findings.filter(({ fixes }) => fixes.every(({ action }) => action !== 'fix-rule'));
        const fixes = (direct[pick % direct.length] ?? best.findings[0])?.fixes ?? [];
        const fix = fixes[pick % fixes.length];
        if (fix === undefined) return t.fail('no fix');
        if (fix.action === 'serial') {
          ends.set('no fix over the air', (ends.get('no fix over the air') ?? 0) + 1);
          return;
        }
        if (fix.action === 'send') t.fail('every artifact of the release is blocked');
        const after = applyFix(fix, { ...state, artifact: best.artifact });
        if (after === undefined) return t.fail(`${fix.action}: ${describe({ ...state, artifact: best.artifact })}`);
        state = after;
      }
      t.fail(`the fixes do not end: ${JSON.stringify({ facts, release })}`);
    }),
    propertyRuns(400, 20_000),
  );
  t.log(Object.fromEntries(ends));
  t.true(ends.size > 1);
});
