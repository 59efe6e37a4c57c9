import { createHash } from 'node:crypto';
import type { Build } from '../../src/core/pack/build.ts';
import { sketchMd5Of, testBuild, testSigner } from '../server/builds.ts';
import type { RunnableBuild } from './devices.ts';

const sizeBytes = 200_000;

/** Makes builds, each with an image of its own, and keeps what devices report about them. */
export class Builds {
  readonly known = new Map<string, RunnableBuild>();
  readonly #signer = testSigner();
  #seed = 0;

  async make(project: string, version: string): Promise<Build> {
    const recipe = { version, project, signer: this.#signer, seed: ++this.#seed, sizeBytes };
    const build = await testBuild(recipe);
    const words = {
      version,
      sketchMd5: sketchMd5Of(build.manifest),
      sketchSizeBytes: build.manifest.image.contentBytes,
    };
    const md5s = [...build.files.values()].map((bytes) => createHash('md5').update(bytes).digest('hex'));
    this.known.set(version, { words, md5s });
    return build;
  }
}
