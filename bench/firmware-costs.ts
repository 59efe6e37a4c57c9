/** CPU time of the first run of one part, in milliseconds. firmware.ts runs each part in a separate process. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { alignGzip } from '../src/core/compression/alignment.ts';
import { gzip } from '../src/core/compression/gzip.ts';
import { runUpdate } from '../src/core/device-model/run-update.ts';
import { readFirmware } from '../src/core/firmware/firmware.ts';
import { sketchMd5s } from '../src/core/firmware/sketch-md5.ts';
import { readPublicKey } from '../src/core/keys/public-key.ts';
import { packImage } from '../src/core/pack/pack-image.ts';
import { checkRelease } from '../src/core/preflight/check-release.ts';
import { imageFacts, quickInflateFacts } from '../src/core/preflight/image-facts.ts';
import { deviceOf, sketchOf } from '../test/core/device-model/recipes.ts';

const fixture = (name: string) => readFileSync(fileURLToPath(new URL(`../test/fixtures/${name}`, import.meta.url)));

const parts: Record<string, () => Promise<number>> = {
  async inspect() {
    const image = megabyte();
    return cpuMs(() => readFirmware(image));
  },
  async md5s() {
    const image = megabyte();
    return cpuMs(() => sketchMd5s(image, image.length));
  },
  async model() {
    const image = megabyte();
    const device = deviceOf({ chipSizeBytes: 4 * 1024 * 1024, fsStart: 0x200000, fsEnd: 0x3fa000 });
    const update = alignGzip(await gzip(image));
    return cpuMs(() => {
      const { outcome } = runUpdate(device, update, { transport: 'espota', kind: 'sketch', expected: image });
      if (outcome !== 'updated') throw new Error(`the model ended in ${outcome}`);
    });
  },
  /** Work that `pack` does only for preflight: reading facts from the bytes and applying the rules. */
  async preflight() {
    const bin = fixture('firmware/door.bin');
    const compressed = alignGzip(await gzip(bin));
    const firmware = readFirmware(bin);
    const { build } = await packDoor();
    return cpuMs(async () => {
      imageFacts(firmware, false);
      await quickInflateFacts(compressed, bin, true);
      checkRelease(build.manifest, { allow: new Set() });
    });
  },
};

const part = parts[process.argv[2] ?? ''];
if (part === undefined) throw new Error(`name one of ${Object.keys(parts).join(', ')}`);
console.log(await part());

function megabyte(): Uint8Array {
  return sketchOf({ sizeBytes: 1024 * 1024, sizeNibble: 4 });
}

async function packDoor() {
  return packImage({
    path: 'door.bin',
    file: 'door.bin',
    image: fixture('firmware/door.bin'),
    elf: { path: 'door.elf', bytes: fixture('firmware/door.elf') },
    kind: undefined,
    publicKey: readPublicKey(fixture('keys/test-only-public.pem'), 'public.key'),
    compression: 'none',
    legacy: false,
    signCompressedFilesystem: false,
    enforcementDeclared: false,
    project: undefined,
    version: undefined,
    board: undefined,
    allow: [],
  });
}

async function cpuMs(run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
