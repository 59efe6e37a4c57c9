import * as v from 'valibot';
import { type DeviceFacts, deviceFactsSchema } from '../core/model/device-facts.ts';
import { md5, sizeBytes } from '../core/model/fields.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { recognize } from '../core/preflight/running.ts';
import { type StateFile, type StoredState, stateFile } from './state-file.ts';

const entrySchema = v.strictObject({
  /** MD5 of the sketch (`ESP.getSketchMD5()`). */
  sketchMd5: md5,
  /** Source of the MD5. `mdns`: the sketch announced the MD5. `http`: an update request contained the MD5. */
  provenBy: v.picklist(['mdns', 'http']),
  provenAt: v.pipe(v.string(), v.isoTimestamp()),
  version: v.optional(v.string()),
  /** Facts derived from the build that has this MD5. */
  facts: v.omit(deviceFactsSchema, ['transport', 'kind']),
  /** Minimum size of the flash chip. The device accepted an update that a device with a smaller chip rejects. */
  chipAtLeastBytes: v.optional(sizeBytes),
});

const ledgerSchema = v.strictObject({ version: v.literal(1), devices: v.record(v.string(), entrySchema) });

/** Proven facts about a device. */
export type LedgerEntry = v.InferOutput<typeof entrySchema>;
type LedgerDocument = v.InferOutput<typeof ledgerSchema>;

/** Build that a device was observed running after it accepted an update. */
export interface Proof {
  readonly manifest: Manifest;
  readonly sketchMd5: string;
  readonly provenBy: LedgerEntry['provenBy'];
  /** Encoding in which the image was sent. A device compares only raw images with its chip size. */
  readonly encoding: Manifest['image']['encoding'];
}

/**
 * Proven facts about devices, stored in `.ota/devices.json`. An entry applies to one sketch, identified by its MD5. If the device runs a
 * different sketch, for example after flashing over serial, only the chip size remains valid. A lookup therefore requires the MD5 that
 * the device currently announces.
 */
export class Ledger {
  readonly #file: StateFile<LedgerDocument>;
  #devices: Readonly<Record<string, LedgerEntry>>;

  private constructor(file: StateFile<LedgerDocument>, devices: LedgerDocument['devices']) {
    this.#file = file;
    this.#devices = devices;
  }

  /**
   * Opens the ledger in a configuration folder.
   *
   * @returns the ledger, and a reason if the existing file is unusable
   */
  static async open(folder: string): Promise<{ ledger: Ledger; damaged?: StoredState<never> & { state: 'damaged' } }> {
    const file = stateFile(folder, 'devices.json', ledgerSchema);
    const stored = await file.read();
    if (stored.state === 'damaged') return { ledger: new Ledger(file, {}), damaged: stored };
    return { ledger: new Ledger(file, stored.state === 'known' ? stored.value.devices : {}) };
  }

  get entries(): readonly LedgerEntry[] {
    return Object.values(this.#devices);
  }

  entry(device: string): LedgerEntry | undefined {
    return Object.hasOwn(this.#devices, device) ? this.#devices[device] : undefined;
  }

  /**
   * Records the facts of a build that a device was observed running.
   *
   * @returns the new entry; undefined if the MD5 does not belong to the build
   */
  async prove(device: string, { manifest, sketchMd5, provenBy, encoding }: Proof): Promise<LedgerEntry | undefined> {
    const recognized = recognize(sketchMd5, [manifest]);
    if (recognized === undefined) return undefined;
    const previous = this.entry(device)?.chipAtLeastBytes ?? 0;
    const present = encoding === 'identity' ? checkedBytes(manifest, sketchMd5) : 0;
    const entry: LedgerEntry = {
      sketchMd5,
      provenBy,
      provenAt: new Date().toISOString(),
      version: manifest.version,
      facts: recognized.facts,
      chipAtLeastBytes: Math.max(previous, present) || undefined,
    };
    const { devices } = await this.#file.update((stored) => {
      // Entries that another command has added meanwhile stay.
      const others = stored.state === 'known' ? stored.value.devices : this.#devices;
      return { version: 1, devices: { ...others, [device]: entry } };
    });
    this.#devices = devices;
    return entry;
  }
}

/**
 * Returns the facts about a device that an entry proves, for planning an update.
 *
 * @param currentMd5 sketch MD5 that the device currently announces, if any
 */
export function provenFacts(
  entry: LedgerEntry | undefined,
  currentMd5: string | undefined,
  image: Pick<Manifest['image'], 'flashSizeBytes'>,
): DeviceFacts {
  if (entry === undefined) return {};
  const facts: DeviceFacts = entry.sketchMd5 === currentMd5 ? entry.facts : {};
  const { chipAtLeastBytes = 0 } = entry;
  // A minimum chip size is useful only if it is large enough for the image.
  const wanted = image.flashSizeBytes ?? facts.fsEnd ?? Number.POSITIVE_INFINITY;
  return chipAtLeastBytes >= wanted ? { ...facts, chipSizeBytes: chipAtLeastBytes } : facts;
}

/**
 * Returns the flash size in byte 3 of the header, which the device compared with its chip size when it received the raw image
 * (`UpdaterClass::_verifyEnd`). Returns 0 if the running sketch has a different value in byte 3.
 */
function checkedBytes({ image }: Manifest, sketchMd5: string): number {
  const running = image.sketchMd5s.find(({ md5 }) => md5 === sketchMd5)?.flashSizeBytes;
  return running === image.flashSizeBytes ? (running ?? 0) : 0;
}
