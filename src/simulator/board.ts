import { createHash } from 'node:crypto';
import type { DeviceError } from '../core/device-model/device-error.ts';
import { restart } from '../core/device-model/run-update.ts';
import { announcedSize, type Transport } from '../core/device-model/staging.ts';
import { beginUpdate, type EndResult, endUpdate, writeUpdate } from '../core/device-model/updater.ts';
import type { VirtualDevice } from '../core/device-model/virtual-device.ts';
import { flashModes } from '../core/firmware/flash-header.ts';
import type { FlashMode, ImageKind } from '../core/model/artifact.ts';
import { type Build, factsOf } from './build.ts';
import { recallFirmware } from './firmware-memory.ts';
import { FlashChip } from './flash-chip.ts';
import type { ReceivedBytes } from './received-bytes.ts';

/** What a transport hands to the Updater. */
export interface Delivery {
  readonly transport: Transport;
  readonly kind: ImageKind;
  /** Of the update, as announced. The web updater announces what it has room for, whatever this says. */
  readonly sizeBytes: number;
  readonly md5?: string | undefined;
  /** What an update server calls it. */
  readonly version?: string | undefined;
}

/** What `Update.end()` says. crashed: the device restarts without a word. */
export type Outcome =
  | { readonly outcome: 'accepted' | 'crashed' }
  | { readonly outcome: 'rejected'; readonly error: DeviceError };

type Facts = Omit<VirtualDevice, 'flash'>;

interface Pending {
  /** What `end` left, for a device that has its flash back. */
  readonly endWith: (device: VirtualDevice) => EndResult;
  readonly received: ReceivedBytes;
  readonly delivery: Delivery;
}

/** Chip and sketch of a virtual device: what an update changes, and what a restart makes of it. */
export class Board {
  readonly chip: FlashChip;
  #build: Build;
  #facts: Facts;
  #pending: Pending | undefined;
  #sketchMd5: string | undefined;

  /** @param image what lies at 0, read and never changed */
  constructor(chipSizeBytes: number, image: Uint8Array, sketchSizeBytes: number, build: Build) {
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

  get build(): Build {
    return this.#build;
  }

  get flashMode(): FlashMode {
    return this.#facts.flashMode;
  }

  get sketchSizeBytes(): number {
    return this.#facts.sketchSizeBytes;
  }

  /** What `ESP.getSketchMD5()` gives. */
  get sketchMd5(): string {
    this.#sketchMd5 ??= createHash('md5').update(this.chip.read(0, this.sketchSizeBytes)).digest('hex');
    return this.#sketchMd5;
  }

  /** The device as the models see it, with no more flash than its header: for questions that need no more. */
  get device(): VirtualDevice {
    return { ...this.#facts, flash: this.chip.read(0, 16) };
  }

  /** What the next restart is going to install. */
  get arriving(): Delivery | undefined {
    return this.#pending?.delivery;
  }

  /** What `Update.end()` left for eboot in the RTC memory is lost. */
  forgetArriving(): void {
    this.#pending = undefined;
  }

  /** `Update.begin()`, as a question: the error that it would end with. */
  errorOfBegin(delivery: Delivery): DeviceError | undefined {
    const begun = beginUpdate(this.device, this.#request(delivery));
    return begun.outcome === 'rejected' ? begun.error : undefined;
  }

  /**
   * `Update.begin()`, `write()` and `end()` in one go. All that an upload does to a device happens here, when it has ended: nobody can look
   * at the flash before.
   *
   * @param received what arrived; fewer than announced when the upload broke off
   * @param isWhole false for a form that broke off, whose size nobody announced
   */
  install(delivery: Delivery, received: ReceivedBytes, isWhole = true): Outcome {
    this.#pending = undefined;
    const end = this.chip.change((flash) => {
      const begun = beginUpdate({ ...this.#facts, flash }, this.#request(delivery));
      if (begun.outcome === 'rejected') return begun;
      const written = writeUpdate(begun.update, received.joined());
      return written.outcome === 'rejected'
        ? written
        : endUpdate(written.update, delivery.transport === 'web' && isWhole);
    });
    this.#remember(end.device);
    if (end.outcome === 'rejected') return { outcome: 'rejected', error: end.error };
    this.#pending = { endWith: (device) => ({ ...end, device }), received, delivery };
    return { outcome: end.outcome === 'crashed' ? 'crashed' : 'accepted' };
  }

  /**
   * The restart: eboot does what the Updater left for it.
   *
   * @param nextBuild how the new sketch was built; asked when there is one
   */
  restart(nextBuild: (image: Uint8Array, sketchMd5: string) => Build): RestartOutcome {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#facts = { ...this.#facts, leftoverMd5: undefined };
    if (pending === undefined) return { outcome: 'unchanged' };
    const { endWith, received, delivery } = pending;
    const bytes = received.joined();
    const options = { ...delivery, expected: imageIn(bytes) };
    const result = this.chip.change((flash) => restart(endWith({ ...this.#facts, flash }), bytes, options));
    this.#sketchMd5 = undefined;
    this.#remember(result.device);
    if (result.outcome === 'bricked') return { outcome: 'bricked', why: result.why };
    if (result.outcome !== 'updated' && result.outcome !== 'damaged') return { outcome: 'unchanged' };
    if (delivery.kind === 'sketch') {
      if (!this.#isLoadable()) return { outcome: 'bricked', why: 'not-loadable' };
      this.#build = nextBuild(this.chip.read(0, this.sketchSizeBytes), this.sketchMd5);
      this.#facts = { ...this.#facts, ...factsOf(this.#build) };
    }
    return result.outcome === 'damaged' ? { outcome: 'damaged', why: result.why } : { outcome: 'updated' };
  }

  /** An application whose checksum is wrong is not what was built: it may start, and will not get far. */
  #isLoadable(): boolean {
    const { sketch } = recallFirmware(this.chip.read(0, this.sketchSizeBytes));
    return sketch?.eboot.checksum?.matches === true && sketch.application?.checksum?.matches === true;
  }

  #request(delivery: Delivery) {
    const { transport, kind, sizeBytes, md5 } = delivery;
    return {
      kind,
      sizeBytes: announcedSize(this.#facts, transport, kind, sizeBytes),
      md5: transport === 'web' ? undefined : md5,
    };
  }

  #remember({ flash: _, ...facts }: VirtualDevice): void {
    this.#facts = facts;
  }
}

/** What an update is meant to leave in flash: a device that has something else there has been spoilt, even if it still starts. */
function imageIn(bytes: Uint8Array): Uint8Array | undefined {
  const { content } = recallFirmware(bytes);
  return content.length === 0 ? undefined : content;
}

/** What a restart made of the device; `why` is that of the model's verdict. bricked: it does not come back. */
export type RestartOutcome =
  | { readonly outcome: 'unchanged' | 'updated' }
  | { readonly outcome: 'damaged' | 'bricked'; readonly why: string };
