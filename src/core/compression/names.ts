/** Values of `--compression`. To add one, add a file, a name here and a line in the registry. */
export const compressionNames = ['none', 'gzip', 'zopfli'] as const;
export type CompressionName = (typeof compressionNames)[number];
