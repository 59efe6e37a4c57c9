import { type Role, roles } from '../../api/release.ts';
import type { TokenRecord } from '../storage/records.ts';

/** Extent of a permission: unlimited, only on the token's channels, or only for rules that the project permits. */
type Extent = 'always' | 'own-channels' | 'opened-rules';

interface Permission {
  /** Description for the documentation, such as `Yank a release`. */
  readonly what: string;
  /** Roles that permit the action. A token may have several roles; the widest extent counts. */
  readonly roles: { readonly [Name in Role]?: Extent };
}

/** Actions that a token can permit. The API, the dashboard, docs/server.md and the tests use this table. */
export const permissions = {
  view: {
    what: 'View projects, releases, rollouts, devices and `/metrics`',
    roles: { read: 'always', publish: 'always', operate: 'always', admin: 'always' },
  },
  upload: { what: 'Upload artifacts', roles: { publish: 'always', admin: 'always' } },
  draft: { what: 'Publish a draft', roles: { publish: 'always', admin: 'always' } },
  /** The recognized build of a device determines which release the device is sent. */
  reference: { what: 'Publish a reference build', roles: { admin: 'always' } },
  promote: {
    what: 'Promote a release to a channel that has not served it before',
    roles: { publish: 'own-channels', operate: 'always', admin: 'always' },
  },
  'promote-again': {
    what: 'Promote a release to a channel that has served it before, for example after a yank',
    roles: { operate: 'always', admin: 'always' },
  },
  overrule: {
    what: 'Publish despite a rule (`--allow`)',
    roles: { publish: 'opened-rules', admin: 'always' },
  },
  republish: { what: 'Publish an image that already has a different version or board', roles: { admin: 'always' } },
  signatures: {
    what: 'Record signatures, and compare a signing log with the record',
    roles: { publish: 'always', admin: 'always' },
  },
  notes: {
    what: 'Write release notes',
    roles: { publish: 'always', operate: 'always', admin: 'always' },
  },
  yank: { what: 'Yank a release', roles: { operate: 'always', admin: 'always' } },
  rollouts: {
    what: 'Start, pause, resume, advance, abort and roll back rollouts, and approve changes of another person',
    roles: { operate: 'always', admin: 'always' },
  },
  devices: {
    what: 'Enroll, change, retry, import and remove devices, and create and revoke their secrets',
    roles: { operate: 'always', admin: 'always' },
  },
  projects: { what: 'Create a project and change its settings', roles: { admin: 'always' } },
  administer: {
    what: 'Manage tokens and webhooks, read the audit log and create backups (only with a token for all projects)',
    roles: { admin: 'always' },
  },
} as const satisfies Readonly<Record<string, Permission>>;

export type Action = keyof typeof permissions;

type Holder = Pick<TokenRecord, 'roles'>;

/** Returns the widest extent to which a token permits an action; undefined if the token does not permit the action. */
export function extentOf({ roles }: Holder, action: Action): Extent | undefined {
  const { roles: extents }: Permission = permissions[action];
  const held = roles.flatMap((role) => extents[role] ?? []);
  return held.find((extent) => extent === 'always') ?? held[0];
}

/** Returns whether a token permits an action at least in some cases. */
export function permits(token: Holder, action: Action): boolean {
  return extentOf(token, action) !== undefined;
}

/** Returns whether a token permits an action in every case. */
export function permitsAlways(token: Holder, action: Action): boolean {
  return extentOf(token, action) === 'always';
}

/** Returns whether a token may promote a release to a channel that has not served it before. */
export function mayPromoteOn(token: Pick<TokenRecord, 'roles' | 'channels'>, channel: string): boolean {
  const extent = extentOf(token, 'promote');
  return extent === 'always' || (extent === 'own-channels' && token.channels.includes(channel));
}

/** Returns the roles that permit an action. */
export function rolesFor(action: Action): readonly Role[] {
  const { roles: extents }: Permission = permissions[action];
  return roles.filter((role) => extents[role] !== undefined);
}

/** Names the roles of a token in a sentence. */
export function rolesText(roles: readonly Role[]): string {
  return `${roles.length === 1 ? 'role' : 'roles'} ${roles.join(', ')}`;
}
