/** Values of `--compression`. To add a compressor, create a file and add its name here and in the registry. */
export const compressionNames = ['none', 'gzip', 'zopfli'] as const;
export type CompressionName = (typeof compressionNames)[number];
