import * as v from 'valibot';
import { type DeviceFacts, deviceFactsSchema } from '../core/model/device-facts.ts';
import { md5, sizeBytes } from '../core/model/fields.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { recognize } from '../core/preflight/running.ts';
import { type Remembered, type StateFile, stateFile } from './state-file.ts';

const entrySchema = v.strictObject({
  /** What `ESP.getSketchMD5()` gave. */
  sketchMd5: md5,
  /** mdns: the sketch announced it. http: an update request named it. */
  provenBy: v.picklist(['mdns', 'http']),
  provenAt: v.pipe(v.string(), v.isoTimestamp()),
  version: v.optional(v.string()),
  /** What follows from the build with this MD5. */
  facts: v.omit(deviceFactsSchema, ['transport', 'kind']),
  /** Its flash chip has at least this size: the device took updates that it refuses on a smaller one. */
  chipAtLeastBytes: v.optional(sizeBytes),
});

const ledgerSchema = v.strictObject({ version: v.literal(1), devices: v.record(v.string(), entrySchema) });

/** What is proven of one device. */
export type LedgerEntry = v.InferOutput<typeof entrySchema>;
type LedgerDocument = v.InferOutput<typeof ledgerSchema>;

/** A build that was seen to run on a device, after an update that the device had accepted. */
export interface Proof {
  readonly manifest: Manifest;
  readonly sketchMd5: string;
  readonly provenBy: LedgerEntry['provenBy'];
  /** As what the update was sent: a raw image the device checks itself against the size of its chip. */
  readonly encoding: Manifest['image']['encoding'];
}

/**
 * What is proven of the devices, in `.ota/devices.json`. An entry speaks of one sketch, named by its MD5: once a device runs another one (a
 * cable is all it takes), nothing in the entry holds any more but the size of the chip. So it is asked with the MD5 that the device shows
 * today.
 */
export class Ledger {
  readonly #file: StateFile<LedgerDocument>;
  #devices: Readonly<Record<string, LedgerEntry>>;

  private constructor(file: StateFile<LedgerDocument>, devices: LedgerDocument['devices']) {
    this.#file = file;
    this.#devices = devices;
  }

  /** @returns the ledger, and why what was there could not be used */
  static async open(folder: string): Promise<{ ledger: Ledger; damaged?: Remembered<never> & { state: 'damaged' } }> {
    const file = stateFile(folder, 'devices.json', ledgerSchema);
    const remembered = await file.read();
    if (remembered.state === 'damaged') return { ledger: new Ledger(file, {}), damaged: remembered };
    return { ledger: new Ledger(file, remembered.state === 'known' ? remembered.value.devices : {}) };
  }

  entry(device: string): LedgerEntry | undefined {
    return Object.hasOwn(this.#devices, device) ? this.#devices[device] : undefined;
  }

  /**
   * Notes what follows from a build that was seen to run.
   *
   * @returns the entry; undefined when the MD5 is none of the build's
   */
  async prove(device: string, { manifest, sketchMd5, provenBy, encoding }: Proof): Promise<LedgerEntry | undefined> {
    const recognized = recognize(sketchMd5, [manifest]);
    if (recognized === undefined) return undefined;
    const former = this.entry(device)?.chipAtLeastBytes ?? 0;
    const present = encoding === 'identity' ? checkedBytes(manifest, sketchMd5) : 0;
    const entry: LedgerEntry = {
      sketchMd5,
      provenBy,
      provenAt: new Date().toISOString(),
      version: manifest.version,
      facts: recognized.facts,
      chipAtLeastBytes: Math.max(former, present) || undefined,
    };
    this.#devices = { ...this.#devices, [device]: entry };
    await this.#file.write({ version: 1, devices: { ...this.#devices } });
    return entry;
  }
}

/**
 * What is known of a device of which this is proven, for an image that is to be sent.
 *
 * @param showsNow the MD5 that the device shows today; undefined when it shows none
 */
export function provenFacts(
  entry: LedgerEntry | undefined,
  showsNow: string | undefined,
  image: Pick<Manifest['image'], 'flashSizeBytes'>,
): DeviceFacts {
  if (entry === undefined) return {};
  const facts: DeviceFacts = entry.sketchMd5 === showsNow ? entry.facts : {};
  const { chipAtLeastBytes = 0 } = entry;
  // "At least so large" is as good as the size itself where that is large enough, and says nothing where it is not.
  const wanted = image.flashSizeBytes ?? facts.fsEnd ?? Number.POSITIVE_INFINITY;
  return chipAtLeastBytes >= wanted ? { ...facts, chipSizeBytes: chipAtLeastBytes } : facts;
}

/**
 * What the device has compared with the size of its chip when it took the image raw (`UpdaterClass::_verifyEnd`): byte 3, which stands in
 * its flash unchanged.
 */
function checkedBytes({ image }: Manifest, sketchMd5: string): number {
  const running = image.sketchMd5s.find(({ md5 }) => md5 === sketchMd5)?.flashSizeBytes;
  return running === image.flashSizeBytes ? (running ?? 0) : 0;
}
