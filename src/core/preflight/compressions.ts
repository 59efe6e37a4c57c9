import type { Reading } from '../firmware/finding.ts';
import { type Envelope, largestFlashBytes } from '../firmware/firmware.ts';
import { type GunzippedFile, readGzip } from '../firmware/gzip-framing.ts';
import { looksLikeGzip } from '../firmware/gzip-header.ts';
import type { Artifact } from '../model/manifest.ts';
import { quickInflateFacts } from './image-facts.ts';

/**
 * Maximum number of different gzip files in a build. `pack` and `sign` create two: the image as is, and the image with an aligned header.
 */
const mostCompressions = 2;

interface Compression {
  /** Gzip data, without any signature after it. */
  readonly member: Uint8Array;
  readonly gunzipped: Reading<GunzippedFile>;
}

/**
 * Gzip files in a build. zlib can take 0.1 s per MB for crafted deflate data. Therefore identical data is inflated only once, and the
 * number of inflated files is limited to what a valid build can contain.
 */
export class Compressions {
  readonly #isSketch: boolean;
  readonly #found: Compression[] = [];
  #inflated: { readonly payload: Uint8Array; readonly facts: Artifact['inflate'] } | undefined;

  constructor(isSketch: boolean) {
    this.#isSketch = isSketch;
  }

  /**
   * Inflates a gzip file, at most once.
   *
   * @returns empty framing and content for any file beyond `mostCompressions`
   */
  readonly gunzip = (file: Uint8Array): Reading<GunzippedFile> => {
    const known = this.#found.find(({ member }) => beginsWith(file, member) && !looksLikeGzip(file, member.length));
    if (known !== undefined) return known.gunzipped;
    if (this.#found.length === mostCompressions) return notInflated;
    const gunzipped = readGzip(file, largestFlashBytes);
    this.#found.push({ member: file.subarray(0, gunzipped.value.framing.endOffset), gunzipped });
    return gunzipped;
  };

  /** Inflates an artifact. Artifacts that differ only in their signature share one result. */
  async inflateFacts({ payload, content }: Envelope): Promise<Artifact['inflate']> {
    const last = this.#inflated;
    if (last !== undefined && Buffer.compare(last.payload, payload) === 0) return last.facts;
    const facts = await quickInflateFacts(payload, content, this.#isSketch);
    this.#inflated = { payload, facts };
    return facts;
  }
}

const notInflated: Reading<GunzippedFile> = {
  value: { framing: { firstHeader: undefined, members: [], endOffset: undefined }, content: new Uint8Array(0) },
  findings: [],
};

function beginsWith(file: Uint8Array, start: Uint8Array): boolean {
  return Buffer.compare(file.subarray(0, start.length), start) === 0;
}
