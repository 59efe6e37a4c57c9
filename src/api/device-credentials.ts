import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { sha256 } from '../core/model/fields.ts';
import { credentialStates } from './admin-info.ts';
import { mac } from './release-admin.ts';

/**
 * Requests of `ota-hooks server devices credentials` and `revoke-credentials`. The client generates the secrets and sends their hashes. Both
 * requests may be repeated.
 */

/** Maximum number of devices per request. */
export const mostCredentials = 1000;

export const credentialsRequestSchema = v.strictObject({
  /** SHA-256 of each device's new secret. A secret must have at least 128 random bits. */
  credentials: v.pipe(v.array(v.strictObject({ mac, hash: sha256 })), v.maxLength(mostCredentials)),
  /** True to replace secrets that devices have used. An old secret stays valid until its device has used the new one. */
  rotate: v.optional(v.boolean(), false),
  /** True to replace unused secrets, which then become invalid. */
  replaceUnused: v.optional(v.boolean(), false),
});
export type CredentialsRequest = v.InferInput<typeof credentialsRequestSchema>;

export const credentialsResponseSchema = v.strictObject({
  created: v.array(v.string()),
  /** Devices whose secrets were not changed, with their state, which is `unknown` if the server has no record of the device. */
  skipped: v.array(v.strictObject({ mac: v.string(), state: v.picklist([...credentialStates, 'unknown']) })),
});
export type CredentialsResponse = DeepReadonly<v.InferOutput<typeof credentialsResponseSchema>>;

export const revocationRequestSchema = v.strictObject({
  macs: v.pipe(v.array(mac), v.maxLength(mostCredentials)),
  /** True to serve the devices without credentials afterward, as if no secret had been created. */
  forget: v.optional(v.boolean(), false),
});
export type RevocationRequest = v.InferInput<typeof revocationRequestSchema>;

/** Devices whose secrets were revoked. */
export const revocationResponseSchema = v.strictObject({ revoked: v.array(v.string()) });
export type RevocationResponse = DeepReadonly<v.InferOutput<typeof revocationResponseSchema>>;
