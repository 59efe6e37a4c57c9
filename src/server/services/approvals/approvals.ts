import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type * as v from 'valibot';
import type { LockOutRule, ReleasePart } from '../../../api/release.ts';
import type { rolloutRequestSchema } from '../../../api/rollout.ts';
import { permits } from '../../auth/permissions.ts';
import type { PendingApproval, ProjectRecord, TokenRecord } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { ApprovalEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import { requireNoLockOuts } from '../releases/fleet-lock-outs.ts';
import { promoteReleases } from '../releases/promote-releases.ts';
import { requireAllowedRules, requirePromotable } from '../releases/publisher-limits.ts';
import { withLatestView } from '../releases/with-latest-view.ts';
import { selectReleases } from '../releases/yank-releases.ts';
import { requireFreeChannel } from '../rollouts/rollouts.ts';
import { prepareRollout } from '../rollouts/start.ts';

type Parts = Pick<ServiceParts, 'store' | 'catalog' | 'events' | 'rollouts' | 'clock'>;

/** Maximum number of changes of a project that wait for approval. They are part of the project, which each update check reads. */
const mostPending = 20;

/**
 * Requests that a second person approves the start of a rollout. All checks of the start are made now and again after the approval.
 *
 * @throws DomainError not-found, conflict, invalid
 */
export function requestRollout(
  parts: Parts,
  rollout: {
    readonly project: string;
    readonly request: v.InferOutput<typeof rolloutRequestSchema>;
    readonly by: TokenRecord;
  },
): Promise<PendingApproval> {
  const { project, request, by } = rollout;
  const { version, channel, ...settings } = request;
  return addPending(parts, project, async (view) => {
    requireFreeChannel(view, channel);
    requireAllowedRules(by, requireProject(view, project), request.allow ?? []);
    const prepared = await prepareRollout(parts.store, { project, request, by: by.id, now: parts.clock.now() });
    return { ...newPending(by), version, channel, releaseIds: prepared.releaseIds, rollout: settings };
  });
}

/**
 * Requests that a second person approves a promotion.
 *
 * @throws DomainError not-found, conflict, role-missing, channel-not-permitted, image-known
 */
export function requestPromotion(
  parts: Parts,
  promotion: {
    readonly project: string;
    readonly channel: string;
    readonly version: string;
    readonly parts?: readonly ReleasePart[] | undefined;
    readonly allow?: readonly LockOutRule[] | undefined;
    readonly by: TokenRecord;
  },
): Promise<PendingApproval> {
  const { project, channel, version, by, allow = [] } = promotion;
  return addPending(parts, project, async (view) => {
    const chosen = await selectReleases(parts.store, project, promotion);
    await requirePromotable(parts.store, by, { project, channel, chosen });
    requireFreeChannel(view, channel);
    requireAllowedRules(by, requireProject(view, project), allow);
    await requireNoLockOuts(parts.store, {
      project,
      channel,
      manifests: chosen.map(({ manifest }) => manifest),
      allow,
    });
    const releaseIds = chosen.map(({ id }) => id);
    return { ...newPending(by), version, channel, releaseIds, parts: promotion.parts, allow: promotion.allow };
  });
}

function newPending({ id: by }: TokenRecord): Pick<PendingApproval, 'id' | 'at' | 'by'> {
  // A random ID is never used again, so an approval always concerns the change that was on the screen.
  return { id: randomBytes(6).toString('hex'), at: Date.now(), by };
}

type View = Parameters<typeof requireFreeChannel>[0];

async function addPending(
  parts: Parts,
  name: string,
  prepare: (view: View) => Promise<PendingApproval>,
): Promise<PendingApproval> {
  const { added, event } = await withLatestView(parts.catalog, name, async (view) => {
    const added = await prepare(view);
    const project = requireProject(view, name);
    const { approvals = [] } = project;
    const same = approvals.find(({ channel }) => channel === added.channel);
    if (same !== undefined) {
      const message = `${same.version} already waits for approval on ${same.channel}`;
      throw new DomainError('conflict', message, 'Approve or decline this request first.');
    }
    if (approvals.length >= mostPending) {
      const message = `${approvals.length} changes of ${name} already wait for approval`;
      throw new DomainError('conflict', message, 'Approve or decline some of them first.');
    }
    const event: ApprovalEvent = {
      type: 'approval.requested',
      project: name,
      actor: added.by,
      at: added.at,
      ...factsOf(added),
    };
    const changed = { ...project, approvals: [...approvals, added] };
    await parts.store.catalog.saveProject(changed, auditEntryOf(event), view?.revision ?? 0);
    return { added, event };
  });
  await parts.catalog.refresh(name);
  parts.events.emit(event);
  return added;
}

interface Decision {
  readonly project: string;
  readonly id: string;
  readonly by: TokenRecord;
}

/**
 * Approves a change, which is made at once in the name of the person who requested it. The request is removed after the change: if the
 * change fails, it still waits.
 *
 * @returns the ID of the rollout that was started
 * @throws DomainError not-found, role-missing, conflict, and the errors of the change
 */
export async function approve(parts: Parts, { project, id, by }: Decision): Promise<number | undefined> {
  const { store, catalog, rollouts, clock } = parts;
  const pending = pendingOf(requireProject(await catalog.latest(project), project), id);
  if (pending.by === by.id) {
    throw new DomainError(
      'role-missing',
      'the person who requested a change may not approve it',
      'Ask another person with the role operate or admin to approve it.',
    );
  }
  const requester = await store.tokens.find(pending.by);
  if (requester === undefined || !mayRequest(requester, project, pending)) {
    const message = 'the person who requested the change no longer has the required role';
    throw new DomainError('conflict', message, 'Decline the request, and let another person request the change.');
  }
  const { version, channel, releaseIds } = pending;
  const chosen = (await selectReleases(store, project, pending)).map((release) => release.id);
  if (!isDeepStrictEqual(new Set(chosen), new Set(releaseIds))) {
    const message = `the images of ${version} have changed since the request`;
    throw new DomainError('conflict', message, 'Decline the request, and request the change again.');
  }
  const approval = { by: pending.by, approvedBy: by.id };
  const started =
    pending.rollout === undefined
      ? undefined
      : await rollouts.start({
          project,
          request: { ...pending.rollout, version, channel },
          now: clock.now(),
          ...approval,
        });
  if (started === undefined) {
    const selection = { version, parts: pending.parts, allow: pending.allow };
    await promoteReleases(parts, { ...selection, project, channel, publisher: requester, ...approval });
  }
  await removePending(parts, { project, id, by }, 'approval.granted');
  return started?.id;
}

/**
 * Declines a change. The person who requested it may do so as well.
 *
 * @throws DomainError not-found
 */
export async function decline(parts: Parts, decision: Decision): Promise<void> {
  if (await removePending(parts, decision, 'approval.declined')) return;
  throw unknownApproval(decision.id);
}

/** @returns false if the request no longer exists: another person has decided it at the same time */
async function removePending(parts: Parts, { project: name, id, by }: Decision, type: ApprovalEvent['type']) {
  const event = await withLatestView(parts.catalog, name, async (view) => {
    const project = requireProject(view, name);
    const { approvals = [] } = project;
    const pending = approvals.find((each) => each.id === id);
    if (pending === undefined) return undefined;
    const facts = { project: name, actor: by.id, at: Date.now(), ...factsOf(pending), requestedBy: pending.by };
    const event: ApprovalEvent = { type, ...facts };
    const others = approvals.filter((each) => each.id !== id);
    const changed = { ...project, approvals: others.length === 0 ? undefined : others };
    await parts.store.catalog.saveProject(changed, auditEntryOf(event), view?.revision ?? 0);
    return event;
  });
  if (event === undefined) return false;
  await parts.catalog.refresh(name);
  parts.events.emit(event);
  return true;
}

function factsOf({ id, version, channel, rollout }: PendingApproval) {
  return { approval: id, change: rollout === undefined ? 'promotion' : 'rollout', version, channel } as const;
}

function mayRequest(requester: TokenRecord, project: string, { rollout }: PendingApproval): boolean {
  if (requester.project !== undefined && requester.project !== project) return false;
  return permits(requester, rollout === undefined ? 'promote' : 'rollouts');
}

function pendingOf({ approvals = [] }: ProjectRecord, id: string): PendingApproval {
  const pending = approvals.find((each) => each.id === id);
  if (pending === undefined) throw unknownApproval(id);
  return pending;
}

function requireProject(view: View, name: string): ProjectRecord {
  if (view !== undefined) return view.project;
  throw new DomainError('not-found', `project ${name} not found`, 'Check the name of the project.');
}

function unknownApproval(id: string): DomainError {
  return new DomainError(
    'not-found',
    `no change with the ID ${id.slice(0, 64)} waits for approval`,
    'It may have been decided. List the changes with `ota-hooks server approvals list`.',
  );
}
