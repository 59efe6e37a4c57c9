import type { TokenInfo } from '../../../api/admin-info.ts';
import { personNamed } from '../../storage/person-id.ts';
import type { TokenRecord } from '../../storage/records.ts';

/** Describes a token without its secret. */
export function tokenInfo({ id, roles, channels, project, name, createdAt }: TokenRecord): TokenInfo {
  return {
    id,
    person: personNamed(id),
    roles: [...roles],
    channels: [...channels],
    project,
    name,
    createdAt: new Date(createdAt).toISOString(),
  };
}
