import { createHash } from 'node:crypto';
import type { DeviceError } from '../core/device-model/device-error.ts';
import type { ModelDevice } from '../core/device-model/model-device.ts';
import { restart } from '../core/device-model/run-update.ts';
import { announcedSize, type Transport } from '../core/device-model/staging.ts';
import { beginUpdate, type EndResult, endUpdate, writeUpdate } from '../core/device-model/updater.ts';
import { flashModes } from '../core/firmware/flash-header.ts';
import type { FlashMode, ImageKind } from '../core/model/artifact.ts';
import type { GuardRejection } from '../core/model/guard-rejection.ts';
import { factsOf, type SimulatedBuild } from './build.ts';
import { readFirmwareCached } from './firmware-cache.ts';
import { FlashChip } from './flash-chip.ts';
import type { ReceivedBytes } from './received-bytes.ts';

/** Update that a transport passes to the Updater. */
export interface IncomingUpdate {
  readonly transport: Transport;
  readonly kind: ImageKind;
  /** Announced update size. Ignored for the web updater, which always announces the free space. */
  readonly sizeBytes: number;
  readonly md5?: string | undefined;
  /** Version that the update server sends with the update (`x-version`). */
  readonly version?: string | undefined;
}

/** Result of an update, from `Update.begin()` to `Update.end()`. `crashed`: the device restarts without a response. */
export type InstallOutcome =
  | { readonly outcome: 'accepted' | 'crashed' }
  | { readonly outcome: 'rejected'; readonly error: DeviceError; readonly rejection: GuardRejection | undefined };

type Facts = Omit<ModelDevice, 'flash'>;

interface Pending {
  /** Attaches the flash of a device to the result of `endUpdate`. */
  readonly endWith: (device: ModelDevice) => EndResult;
  readonly received: ReceivedBytes;
  readonly delivery: IncomingUpdate;
}

/** Flash chip and running sketch of a virtual device. Updates and restarts change both. */
export class DeviceFirmware {
  readonly chip: FlashChip;
  #build: SimulatedBuild;
  #facts: Facts;
  #pending: Pending | undefined;
  #sketchMd5: string | undefined;

  /** @param image flash content from address 0; it is not modified */
  constructor(chipSizeBytes: number, image: Uint8Array, sketchSizeBytes: number, build: SimulatedBuild) {
    this.chip = new FlashChip(chipSizeBytes, image);
    this.#build = build;
    this.#facts = {
      ...factsOf(build),
      flashMode: flashModes[image[2] ?? 0] ?? 'dio',
      chipSizeBytes,
      sketchSizeBytes,
      leftoverMd5: undefined,
    };
  }

  get build(): SimulatedBuild {
    return this.#build;
  }

  get flashMode(): FlashMode {
    return this.#facts.flashMode;
  }

  get sketchSizeBytes(): number {
    return this.#facts.sketchSizeBytes;
  }

  /** MD5 of the running sketch (`ESP.getSketchMD5()`). */
  get sketchMd5(): string {
    this.#sketchMd5 ??= createHash('md5').update(this.chip.read(0, this.sketchSizeBytes)).digest('hex');
    return this.#sketchMd5;
  }

  /**
   * Device for the models, with only the 16-byte header as flash content. The header is sufficient for checks that read no other flash
   * content.
   */
  get modelDevice(): ModelDevice {
    return { ...this.#facts, flash: this.chip.read(0, 16) };
  }

  /** Update that the next restart installs. */
  get pending(): IncomingUpdate | undefined {
    return this.#pending?.delivery;
  }

  /** Drops the pending update, as if the eboot command in RTC memory had been lost. */
  dropPending(): void {
    this.#pending = undefined;
  }

  /** Returns the error that `Update.begin()` would report. The update is not started. */
  errorOfBegin(delivery: IncomingUpdate): DeviceError | undefined {
    const begun = beginUpdate(this.modelDevice, this.#request(delivery));
    return begun.outcome === 'rejected' ? begun.error : undefined;
  }

  /**
   * Runs `Update.begin()`, `write()` and `end()` in one step. An upload changes the flash only in this function, which runs after
   * the upload has ended, complete or interrupted.
   *
   * @param received received bytes; fewer than announced if the upload was interrupted
   * @param isWhole false for an interrupted form upload, which cannot be detected by its size because no size was announced
   */
  install(delivery: IncomingUpdate, received: ReceivedBytes, isWhole = true): InstallOutcome {
    this.#pending = undefined;
    const end = this.chip.change((flash) => {
      const begun = beginUpdate({ ...this.#facts, flash }, this.#request(delivery));
      if (begun.outcome === 'rejected') return begun;
      const written = writeUpdate(begun.update, received.joined());
      return written.outcome === 'rejected'
        ? written
        : endUpdate(written.update, delivery.transport === 'web' && isWhole);
    });
    this.#storeFacts(end.device);
    if (end.outcome === 'rejected') return { outcome: 'rejected', error: end.error, rejection: end.rejection };
    this.#pending = { endWith: (device) => ({ ...end, device }), received, delivery };
    return { outcome: end.outcome === 'crashed' ? 'crashed' : 'accepted' };
  }

  /**
   * Restarts the device: eboot installs the pending update.
   *
   * @param nextBuild returns the build properties of the new sketch; called only after a sketch update
   */
  restart(nextBuild: (image: Uint8Array, sketchMd5: string) => SimulatedBuild): RestartOutcome {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#facts = { ...this.#facts, leftoverMd5: undefined };
    if (pending === undefined) return { outcome: 'unchanged' };
    const { endWith, received, delivery } = pending;
    const bytes = received.joined();
    const options = { ...delivery, expected: imageIn(bytes) };
    const result = this.chip.change((flash) => restart(endWith({ ...this.#facts, flash }), bytes, options));
    this.#sketchMd5 = undefined;
    this.#storeFacts(result.device);
    if (result.outcome === 'bricked') return { outcome: 'bricked', why: result.why };
    if (result.outcome !== 'updated' && result.outcome !== 'damaged') return { outcome: 'unchanged' };
    if (delivery.kind === 'sketch') {
      if (!this.#isLoadable()) return { outcome: 'bricked', why: 'not-loadable' };
      this.#build = nextBuild(this.chip.read(0, this.sketchSizeBytes), this.sketchMd5);
      this.#facts = { ...this.#facts, ...factsOf(this.#build) };
    }
    return result.outcome === 'damaged' ? { outcome: 'damaged', why: result.why } : { outcome: 'updated' };
  }

  /** Checks both checksums. A sketch with an incorrect application checksum may start, but does not run correctly. */
  #isLoadable(): boolean {
    const { sketch } = readFirmwareCached(this.chip.read(0, this.sketchSizeBytes));
    return sketch?.eboot.checksum?.matches === true && sketch.application?.checksum?.matches === true;
  }

  #request(delivery: IncomingUpdate) {
    const { transport, kind, sizeBytes, md5 } = delivery;
    return {
      kind,
      sizeBytes: announcedSize(this.#facts, transport, kind, sizeBytes),
      md5: transport === 'web' ? undefined : md5,
    };
  }

  #storeFacts({ flash: _, ...facts }: ModelDevice): void {
    this.#facts = facts;
  }
}

/** Returns the expected flash content after the update. Any other content counts as damage, even if the device still starts. */
function imageIn(bytes: Uint8Array): Uint8Array | undefined {
  const { content } = readFirmwareCached(bytes);
  return content.length === 0 ? undefined : content;
}

/** Result of a restart. `why` is the reason from the device model's verdict. `bricked`: the device no longer starts. */
export type RestartOutcome =
  | { readonly outcome: 'unchanged' | 'updated' }
  | { readonly outcome: 'damaged' | 'bricked'; readonly why: string };
