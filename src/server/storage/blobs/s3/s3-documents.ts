/** Object in a bucket. */
export interface S3Object {
  readonly key: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** Returns the objects in a page of a listing (ListObjectsV2), and the token for the next page. */
export function listedObjects(xml: string): {
  readonly objects: readonly S3Object[];
  readonly next: string | undefined;
} {
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, object = '']) => ({
    key: element(object, 'Key') ?? '',
    sizeBytes: Number(element(object, 'Size')),
    modifiedAt: Date.parse(element(object, 'LastModified') ?? ''),
  }));
  return { objects, next: element(xml, 'NextContinuationToken') };
}

/** Returns the code in an error response, such as `NoSuchBucket`. */
export function errorCodeIn(xml: string): string {
  return element(xml, 'Code') ?? 'no error code';
}

/** Returns the text of an element. The keys of this program and the codes of S3 contain no characters that XML escapes. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}
