/** What `--compression` can name; a new way to compress is one file, one name here and one line in the registry. */
export const compressionNames = ['none', 'gzip', 'zopfli'] as const;
export type CompressionName = (typeof compressionNames)[number];
