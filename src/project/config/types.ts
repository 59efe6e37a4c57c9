/** Types of `ota.config.json`. */

export type { DeviceAccess, DeviceConfig, UploadConfig } from '../../core/model/inventory-schema.ts';
export type {
  FromEnvironment,
  FromFile,
  FromPrompt,
  PasswordSource,
  SecretSource,
} from '../../core/model/secret-source.ts';
export type { GuardConfig } from './guard-schema.ts';
export type { KeyEntry, KeyRole, KeySource } from './keys-schema.ts';
export type { PublishConfig } from './publish-schema.ts';
export type { Config, FromGitTag } from './schema.ts';
