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

/** What a test wants of a build; two with other seeds differ. */
export interface BuildRecipe {
  readonly seed?: number;
  readonly version?: string;
  readonly project?: string;
  readonly board?: string;
  readonly coreGitHash?: string;
  readonly sizeBytes?: number;
  /** In the sketch, and the signer's. */
  readonly signer?: Signer;
  /** Without it the proof is the sketch's own word. */
  readonly unproven?: boolean;
  readonly legacy?: boolean;
  /** Where only the raw artifacts matter. */
  readonly compression?: 'none' | 'gzip';
}

export function testSigner(): Signer {
  return keyFileSigner(readPrivateKey(rsaPems().privatePem, 'a key of the tests'));
}

/** A build as `pack` makes it, of a sketch that runs nowhere. */
export async function testBuild(recipe: BuildRecipe = {}): Promise<Build> {
  const { signer, seed = 1, sizeBytes = 16_384 } = recipe;
  const publicKey: RsaPublicKey | undefined = signer?.publicKey;
  const image = syntheticSketch({ seed, sizeBytes, publicKey, coreGitHash: recipe.coreGitHash });
  return packed(recipe, 'door.bin', image);
}

interface FilesRecipe extends BuildRecipe {
  readonly content: Uint8Array;
  readonly blockCount?: number;
}

/** The same of a filesystem with this in it. */
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
    publicKey: signer?.publicKey,
    compression: recipe.compression ?? 'gzip',
    legacy: recipe.legacy ?? false,
    signCompressedFilesystem: false,
    enforcementDeclared: signer !== undefined && recipe.unproven !== true,
    project: recipe.project,
    version: recipe.version,
    board: recipe.board,
  });
  return signer === undefined ? build : signBuild(build, signer, 'a key of the tests');
}

/** `ESP.getSketchMD5()` of a device that runs it, with the mode that it was built for. */
export function sketchMd5Of({ image }: Manifest): string {
  const found = image.sketchMd5s.find(
    ({ flashMode, flashSizeBytes }) => flashMode === image.flashMode && flashSizeBytes === image.flashSizeBytes,
  );
  if (found === undefined) throw new Error('a sketch without MD5s');
  return found.md5;
}
