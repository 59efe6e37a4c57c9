/** Types of `ota.config.json`. */
export type { PublishConfig } from '../config/publish-schema.ts';
export type { Config, KeySource } from '../config/schema.ts';
export type { FromEnvironment, FromFile, FromPrompt, PasswordSource, SecretSource } from '../config/secret-source.ts';
export type { DeviceAccess, DeviceConfig, UploadConfig } from '../config/upload-schema.ts';
