import type { Config } from './schema.ts';

/** What is wrong across several keys, each rule with a name and the place that it speaks of. */
interface ConfigRule {
  readonly name: string;
  readonly place: string;
  readonly broken: (config: Config) => boolean;
  readonly message: string;
}

export const configRules: readonly ConfigRule[] = [
  {
    name: 'compressed-filesystem-needs-compression',
    place: 'signCompressedFilesystem',
    broken: (config) => config.signCompressedFilesystem === true && config.compression === 'none',
    message: 'cannot be true while "compression" is "none"',
  },
  {
    name: 'passphrase-needs-a-private-key',
    place: 'passphrase',
    broken: (config) => config.passphrase !== undefined && config.privateKey === undefined,
    message: 'is given, but no "privateKey" that it opens',
  },
];
