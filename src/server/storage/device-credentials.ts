import type { CredentialState } from '../../api/admin-info.ts';
import type { DeviceRecord, DeviceSecrets } from './records.ts';

/**
 * Returns whether a device's requests are rejected unless they contain its own password or secret. If so, no other client can change its
 * record.
 */
export function requiresCredentials({ credential, secrets }: Pick<DeviceRecord, 'credential' | 'secrets'>): boolean {
  return credential !== undefined || secrets?.required === true;
}

export function credentialState(secrets: DeviceSecrets | undefined): CredentialState {
  if (secrets === undefined) return 'none';
  const { newest, previous } = secrets;
  if (newest === undefined) return 'revoked';
  if (newest.usedAt !== undefined) return 'used';
  return previous === undefined ? 'unused' : 'rotating';
}

/** Adds a secret. The secret in use stays valid until the device has used the new one; an unused secret is replaced. */
export function withNewSecret(secrets: DeviceSecrets | undefined, hash: string, at: number): DeviceSecrets {
  const { required = false, newest, previous } = secrets ?? {};
  return { required, newest: { hash, createdAt: at }, previous: newest?.usedAt === undefined ? previous : newest };
}

/** Records that the device sent its newest secret. From now on, this secret is required, and the previous one is no longer valid. */
export function afterUse({ newest, ...others }: DeviceSecrets, at: number): DeviceSecrets {
  if (newest === undefined || newest.usedAt !== undefined) return { newest, ...others };
  return { required: true, newest: { ...newest, usedAt: at } };
}

/** Revokes all secrets. A device that has used a secret is rejected until it uses a new secret; other devices do not need a secret. */
export function withoutSecrets(secrets: DeviceSecrets | undefined): DeviceSecrets | undefined {
  return secrets?.required === true ? { required: true } : undefined;
}
