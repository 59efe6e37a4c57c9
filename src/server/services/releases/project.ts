import { defaultConfirmWithinMs, defaultHistory, defaultMostSends } from '../../../api/release-admin.ts';
import type { Actor, ProjectKey, ProjectRecord } from '../../storage/records.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import type { ProjectView } from './project-view.ts';

/** Creates the record for a new project. Access is open: any device may request updates. */
export function newProject(name: string, keys: readonly ProjectKey[]): ProjectRecord {
  return {
    name,
    createdAt: Date.now(),
    access: 'open',
    keys,
    aliases: [],
    confirmWithinMs: defaultConfirmWithinMs,
    mostSends: defaultMostSends,
  };
}

/**
 * Saves the settings of a project.
 *
 * @param before state on which the change is based; undefined for a new project
 * @throws StaleProjectError
 */
export async function saveProject(
  { store, catalog, events }: Pick<ServiceParts, 'store' | 'catalog' | 'events'>,
  before: ProjectView | undefined,
  project: ProjectRecord,
  by: Actor,
): Promise<void> {
  const event = projectEvent(before?.project, project, by);
  await store.catalog.saveProject(project, auditEntryOf(event), before?.revision ?? 0);
  await catalog.refresh(project.name);
  events.emit(event);
}

/** Describes a project change. */
export function projectEvent(before: ProjectRecord | undefined, after: ProjectRecord, by: Actor): DomainEvent {
  const {
    name,
    access,
    keys,
    aliases,
    credential,
    confirmWithinMs,
    mostSends,
    stalledAfterMs,
    publisherRules,
    approval = 'none',
    history,
  } = after;
  return {
    type: before === undefined ? 'project.created' : 'project.changed',
    project: name,
    actor: by,
    at: Date.now(),
    access,
    keys: keys.map(({ fingerprint }) => fingerprint),
    aliases,
    user: credential?.user,
    confirmWithinMs,
    mostSends,
    stalledAfterMs,
    publisherRules: publisherRules ?? [],
    approval,
    history: history ?? defaultHistory,
  };
}
