import { readPrivateKey } from '../../src/core/keys/private-key.ts';
import type { RsaPublicKey } from '../../src/core/keys/public-key.ts';
import type { Manifest } from '../../src/core/model/manifest.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { packImage } from '../../src/core/pack/pack-image.ts';
import { signBuild } from '../../src/core/pack/sign-build.ts';
import { keyFileSigner } from '../../src/core/signing/key-file-signer.ts';
import type { Signer } from '../../src/core/signing/signer.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { rsaPems } from '../support/key-pairs.ts';
import { buildLittleFs } from '../support/littlefs-builder.ts';

/** Properties of a test build. Builds with different seeds differ. */
export interface BuildRecipe {
  readonly seed?: number;
  readonly version?: string;
  readonly project?: string;
  readonly board?: string;
  readonly coreGitHash?: string;
  readonly sizeBytes?: number;
  /** Signs the build. The sketch contains the public key of the signature. */
  readonly signer?: Signer;
  /** Makes the build a hop: this key signs it, and the sketch contains the public key of `signer`. */
  readonly hopFrom?: Signer;
  /** True to omit the declaration that the sketch enforces signatures. */
  readonly unproven?: boolean;
  readonly legacy?: boolean;
  /** `none` for a test that needs only the raw artifacts. */
  readonly compression?: 'none' | 'gzip';
}

export function testSigner(): Signer {
  return keyFileSigner(readPrivateKey(rsaPems().privatePem, 'a key of the tests'));
}

/** Packs a synthetic sketch as the `pack` command does. */
export async function testBuild(recipe: BuildRecipe = {}): Promise<Build> {
  const { signer, seed = 1, sizeBytes = 8192 } = recipe;
  const publicKey: RsaPublicKey | undefined = signer?.publicKey;
  const image = syntheticSketch({ seed, sizeBytes, publicKey, coreGitHash: recipe.coreGitHash });
  return packed(recipe, 'door.bin', image);
}

interface FilesRecipe extends BuildRecipe {
  readonly content: Uint8Array;
  readonly blockCount?: number;
}

/** Packs a filesystem image that contains `content`. */
export function testFilesystem({ content, blockCount = 16, ...recipe }: FilesRecipe): Promise<Build> {
  return packed(recipe, 'littlefs.bin', buildLittleFs({ blockCount, content }));
}

async function packed(recipe: BuildRecipe, file: string, image: Uint8Array): Promise<Build> {
  const { signer } = recipe;
  const { build } = await packImage({
    path: file,
    file,
    image,
    elf: undefined,
    kind: file === 'littlefs.bin' ? 'filesystem' : undefined,
    // Without the key, packing does not detect a private key in a filesystem image, so the server must reject the image.
    publicKey: file === 'littlefs.bin' ? undefined : signer?.publicKey,
    previousKey: recipe.hopFrom?.publicKey,
    compression: recipe.compression ?? 'gzip',
    legacy: recipe.legacy ?? false,
    signCompressedFilesystem: false,
    enforcementDeclared: signer !== undefined && recipe.unproven !== true,
    project: recipe.project,
    version: recipe.version,
    board: recipe.board,
  });
  return signer === undefined ? build : signBuild(build, recipe.hopFrom ?? signer, 'a key of the tests');
}

/** `ESP.getSketchMD5()` on a device with the flash mode and flash size that the build was made for. */
export function sketchMd5Of({ image }: Manifest): string {
  const found = image.sketchMd5s.find(
    ({ flashMode, flashSizeBytes }) => flashMode === image.flashMode && flashSizeBytes === image.flashSizeBytes,
  );
  if (found === undefined) throw new Error('a sketch without MD5s');
  return found.md5;
}
