import { createHash } from 'node:crypto';
import type { DeviceFacts } from '../core/model/device-facts.ts';
import type { Manifest } from '../core/model/manifest.ts';
import type { Build } from '../core/pack/build.ts';
import type { PlanBlock } from '../core/preflight/plan.ts';
import { OtaError } from '../errors/ota-error.ts';
import type { Confirmation, ConfirmLevel, ConfirmTimings } from './confirm.ts';
import type { DeliveryTarget } from './delivery.ts';
import { type DeliveryMethodName, deliveryMethods } from './delivery-methods.ts';
import { Discovery } from './discovery.ts';
import { networksOf } from './mdns.ts';
import { planDevice } from './plan-device.ts';
import type { DeliveryTimings } from './timings.ts';
import { type UpdateStep, updateDevice } from './update-device.ts';
import type { DeliveryVerdict } from './verdict.ts';

/** Device to update. Only `host` is required. */
export interface UploadTarget extends DeliveryTarget {
  /** Method for sending the update. Defaults to `espota`. */
  readonly method?: DeliveryMethodName | undefined;
  /** Known facts about the device. An absent fact is unknown. */
  readonly facts?: DeviceFacts | undefined;
}

/** Options for {@link uploadBuild}. All options have defaults. */
export interface UploadBuildOptions {
  /** Plain-text password of the device. The password never appears in results or in progress reports. */
  readonly password?: string | undefined;
  /**
   * Evidence to wait for after the update. `returned` (default): the device responds again. `proven`: the device announces the MD5 of the
   * new sketch over mDNS. `none`: no evidence.
   */
  readonly confirm?: ConfirmLevel | 'none' | undefined;
  /** Builds that may be installed first if no direct update is safe, in order of preference. Each one must be proven to run. */
  readonly intermediateBuilds?: readonly Build[] | undefined;
  /** Names of preflight rules that do not block the update. */
  readonly allow?: readonly string[] | undefined;
  readonly onStep?: ((step: UpdateStep) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timings?: Partial<DeliveryTimings & ConfirmTimings> | undefined;
}

/** Result of an upload. `blocked`: no artifact is safe for the device, and nothing was sent. */
export type UploadResult =
  | {
      readonly kind: 'updated' | 'failed';
      /** Names of the artifacts that were sent, in order. More than one with intermediate builds. */
      readonly sent: readonly string[];
      /** Verdict of the last delivery; see `describeVerdict`. */
      readonly verdict: DeliveryVerdict;
      /** Evidence after the last delivery. Absent if none was requested, or if the device cannot have installed the update. */
      readonly confirmation?: Confirmation | undefined;
    }
  | ({ readonly kind: 'blocked' } & PlanBlock);

/**
 * Updates one device: selects the smallest artifact of a build that is safe for the device, sends it, and waits until the device responds
 * again.
 *
 * @param build result of `packImage` or `signBuild`
 * @param mdnsPort UDP port of mDNS, for tests
 * @throws the signal's abort reason; OtaError ARGUMENT_INVALID if a file of the build is missing; ARTIFACT_CHANGED if its bytes do not match
 *   the manifest; DISCOVERY_UNAVAILABLE if a proof is needed and this machine cannot use mDNS; and the errors of `deliver`
 */
export async function uploadBuild(
  build: Build,
  device: UploadTarget,
  options: UploadBuildOptions = {},
  mdnsPort?: number,
): Promise<UploadResult> {
  const { intermediateBuilds = [], allow = [], confirm = 'returned' } = options;
  const { method = 'espota', facts = {}, ...place } = device;
  const port = device.port ?? deliveryMethods[method].defaultPort;
  const target = { ...place, method, port, name: device.host, password: undefined, facts };
  const { kind } = build.manifest.image;
  const builds = new Map([build, ...intermediateBuilds].map((each) => [each.manifest, each]));
  const planned = planDevice(
    target,
    { entry: undefined, sketchMd5: undefined },
    {
      release: build.manifest,
      intermediateReleases: intermediateBuilds.map(({ manifest }) => manifest),
      knownBuilds: [],
      kind,
      facts: {},
      allow: new Set(allow),
    },
  );
  if (planned.kind === 'blocked') {
    const { blockedBy, artifacts } = planned;
    return { kind: 'blocked', blockedBy, artifacts };
  }
  // All files are read before the first one is sent, so that a missing file does not leave the device at an intermediate build.
  const steps = planned.steps.map(({ release, artifact: { file } }) => {
    const from = [...builds].find(([manifest]) => manifest === release)?.[1] ?? build;
    return { file, image: from.manifest.image, bytes: fileOf(from, file) };
  });
  const needsProof = confirm === 'proven' || steps.length > 1;
  const discovery = needsProof ? await openDiscoveryFor(device, mdnsPort) : undefined;
  try {
    const sent: string[] = [];
    for (;;) {
      const step = steps[sent.length];
      if (step === undefined) throw new Error('the plan contains no artifact');
      const isLast = step === steps.at(-1);
      const result = await updateDevice({
        target,
        address: undefined,
        image: step.image,
        artifact: step.bytes,
        password: options.password,
        confirm: isLast ? (confirm === 'none' ? undefined : confirm) : 'proven',
        discovery,
        timings: options.timings,
        onStep: options.onStep,
        signal: options.signal ?? new AbortController().signal,
      });
      sent.push(step.file);
      const { verdict, confirmation, isSuccess } = result;
      if (isLast || !isSuccess) return { kind: isSuccess ? 'updated' : 'failed', sent, verdict, confirmation };
    }
  } finally {
    discovery?.close();
  }
}

async function openDiscoveryFor(device: UploadTarget, port: number | undefined): Promise<Discovery> {
  const discovery = await Discovery.open({ interfaces: networksOf([device]), port });
  if (discovery instanceof Discovery) return discovery;
  const hint = "Allow UDP port 5353 in the firewall, or use confirm: 'returned' without intermediate builds.";
  throw new OtaError('DISCOVERY_UNAVAILABLE', { reason: discovery.unavailable, hint });
}

function fileOf({ manifest, files }: Build, file: string): Uint8Array {
  const bytes = files.get(file);
  if (bytes === undefined) {
    throw new OtaError('ARGUMENT_INVALID', {
      call: 'upload',
      problem: `the files of the build do not contain ${file}`,
    });
  }
  if (sha256Of(bytes) !== digestIn(manifest, file)) {
    throw new OtaError('ARTIFACT_CHANGED', { path: file, manifest: 'the manifest of the build' });
  }
  return bytes;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function digestIn({ artifacts }: Manifest, file: string): string | undefined {
  return artifacts.find((artifact) => artifact.file === file)?.sha256;
}
