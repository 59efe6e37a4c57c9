import type * as v from 'valibot';
import { privateKeyRule } from '../../../api/release.ts';
import { defaultHistory, type projectRequestSchema } from '../../../api/release-admin.ts';
import { readPublicKey } from '../../../core/keys/public-key.ts';
import { isRuleId } from '../../../core/preflight/registry.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { withPassword } from '../../auth/credentials.ts';
import type { Actor, HistoryLimits, ProjectKey, ProjectRecord } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { newProject, saveProject } from './project.ts';
import { withLatestView } from './with-latest-view.ts';

type Request = v.InferOutput<typeof projectRequestSchema>;
type Parts = Pick<ServiceParts, 'store' | 'catalog' | 'events'>;

export interface ProjectChange {
  readonly project: string;
  readonly request: Request;
  readonly by: Actor;
  /** Only project that the token is valid for; undefined for all projects. */
  readonly onlyProject: string | undefined;
  /** Checks the project before the change, which is undefined if it does not exist. Throws an error to reject the change. */
  readonly requireBefore?: (before: ProjectRecord | undefined) => void;
}

/**
 * Creates a project, or changes its settings.
 *
 * @throws DomainError conflict, invalid, private-key
 */
export function changeProject(parts: Parts, change: ProjectChange): Promise<ProjectRecord> {
  const { project: name, request, by, onlyProject, requireBefore } = change;
  const { catalog } = parts;
  return withLatestView(catalog, name, async (view) => {
    requireBefore?.(view?.project);
    const project = await withChanges(view?.project ?? newProject(name, []), request);
    requireFreeAliases(parts, project, onlyProject);
    await saveProject(parts, view, project, by);
    return project;
  });
}

/** Projects may share an alias. A token for one project may not add one, because an alias that is shared serves fewer devices. */
function requireFreeAliases(
  { catalog }: Pick<Parts, 'catalog'>,
  { name, aliases }: ProjectRecord,
  only: string | undefined,
): void {
  if (only === undefined) return;
  for (const { path } of aliases) {
    const shared = catalog.aliases(path);
    if (shared.every(({ project }) => project === name) || shared.some(({ project }) => project === name)) continue;
    throw new DomainError(
      'conflict',
      `${path} is already an alias of another project`,
      'Share the alias with a token for all projects.',
    );
  }
}

async function withChanges(project: ProjectRecord, request: Request): Promise<ProjectRecord> {
  const {
    publicKeys,
    credential,
    access,
    aliases,
    confirmWithinMs,
    mostSends,
    stalledAfterMs,
    publisherRules,
    approval,
    history,
  } = request;
  return {
    ...project,
    access: access ?? project.access,
    aliases: aliases ?? project.aliases,
    confirmWithinMs: confirmWithinMs ?? project.confirmWithinMs,
    mostSends: mostSends ?? project.mostSends,
    stalledAfterMs: stalledAfterMs ?? project.stalledAfterMs,
    publisherRules: publisherRules?.map(knownRule) ?? project.publisherRules,
    approval: approval ?? project.approval,
    history: history === undefined ? project.history : changedHistory(project.history ?? defaultHistory, history),
    keys: publicKeys?.map(readKey) ?? project.keys,
    credential: await withPassword(project.credential, credential),
  };
}

function changedHistory(before: HistoryLimits, request: NonNullable<Request['history']>): HistoryLimits {
  const limit = (name: keyof HistoryLimits) =>
    request[name] === undefined ? before[name] : (request[name] ?? undefined);
  return { checkInDays: limit('checkInDays'), attemptDays: limit('attemptDays'), auditDays: limit('auditDays') };
}

function knownRule(rule: string): string {
  if (isRuleId(rule) || rule === privateKeyRule) return rule;
  throw new DomainError('invalid', `unknown rule ${rule}`, 'Use a rule from docs/never-brick.md.');
}

function readKey(pem: string): ProjectKey {
  try {
    const key = readPublicKey(pem, 'the key');
    return { fingerprint: key.fingerprint, pem: key.pem };
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    throw new DomainError(error.code === 'KEY_IS_PRIVATE' ? 'private-key' : 'invalid', error.message, error.hint);
  }
}
