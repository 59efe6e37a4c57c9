import { counted } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { approve, decline } from '../../services/approvals/approvals.ts';
import { actorNames } from '../../services/tokens.ts';
import type { PendingApproval } from '../../storage/records.ts';
import { ActorName } from './actor.tsx';
import { Done, doneQuery, doneText } from './done.tsx';
import { Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext, readForm } from './page-login.ts';
import { projectPath, releasePath, withQuery } from './paths.ts';
import { gateText, haltText, stageText } from './rollout-words.ts';
import { SendForm } from './send-form.tsx';
import { When } from './when.tsx';

/** Returns the changes that wait for approval. */
function pendingApprovals({ catalog }: ServerParts, project: string): readonly PendingApproval[] {
  return catalog.view(project)?.project.approvals ?? [];
}

/** Returns whether a second person must approve rollouts and promotions of a project. */
export function needsApproval({ catalog }: ServerParts, project: string): boolean {
  return catalog.view(project)?.project.approval === 'second-person';
}

/** Link to the changes that wait for approval. */
export function ApprovalsLink({ parts, project }: { readonly parts: ServerParts; readonly project: string }) {
  const { length } = pendingApprovals(parts, project);
  if (length === 0) return undefined;
  return (
    <p class="notice alone">
      <a href={projectPath(project, 'approvals')}>{`${counted(length, 'change')} waiting for approval`}</a>
    </p>
  );
}

/** Shows the changes that wait for the approval of a second person. */
export async function approvalsPage(context: PageContext, parts: ServerParts, project: string) {
  const approvals = pendingApprovals(parts, project);
  const names = await actorNames(parts.store);
  const formToken = formTokenFor(context, 'rollouts');
  const own = context.get('token').id;
  return show(
    context,
    <Page
      title={`Approvals of ${project}`}
      project={project}
      tab="rollouts"
      here="Approvals"
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>Approvals</h1>
      <Done text={doneText(context)} />
      <div id="approvals" data-live>
        {approvals.length === 0 ? <p>No change waits for approval.</p> : undefined}
        {approvals.map((pending) => {
          const { id, version, channel, by, at, rollout } = pending;
          return (
            <article class="card" aria-labelledby={`approval-${id}`}>
              <h2 id={`approval-${id}`}>
                {rollout === undefined ? 'Promote' : 'Roll out'} <Version version={version} /> on {channel}
              </h2>
              <p>
                Requested by <ActorName actor={by} names={names} /> <When at={at} />.
              </p>
              <Details pending={pending} project={project} />
              {formToken === undefined ? undefined : (
                <Decision {...{ project, pending, formToken }} isOwn={by === own} />
              )}
            </article>
          );
        })}
      </div>
    </Page>,
  );
}

function Details({ pending, project }: { readonly pending: PendingApproval; readonly project: string }) {
  const { version, releaseIds, rollout, parts } = pending;
  const selected = parts
    ?.map(({ kind, board }) => [kind, board].filter((part) => part !== undefined).join(' '))
    .join(', ');
  return (
    <ul class="lines">
      <li>
        <a href={releasePath(project, version)}>
          <Version version={version} />
        </a>
        : {counted(releaseIds.length, 'image')}
        {selected === undefined ? undefined : ` (${selected})`}
      </li>
      {rollout?.stages.map((stage, index) => (
        <li>{`Stage ${index + 1}: ${stageText(stage)}`}</li>
      ))}
      {rollout === undefined ? undefined : <li>{gateText(rollout.gate)}</li>}
      {rollout === undefined ? undefined : <li>{haltText(rollout.halt)}</li>}
      {rollout?.window === undefined ? undefined : (
        <li>{`Sends from ${rollout.window.from} to ${rollout.window.to} (${rollout.window.timeZone}).`}</li>
      )}
      {rollout?.perHour === undefined ? undefined : (
        <li>{`Sends to ${counted(rollout.perHour, 'device')} per hour at most.`}</li>
      )}
    </ul>
  );
}

interface DecisionProps {
  readonly project: string;
  readonly pending: PendingApproval;
  readonly formToken: string;
  /** True if the user has requested the change. */
  readonly isOwn: boolean;
}

function Decision({ project, pending, formToken, isOwn }: DecisionProps) {
  const path = (decision: string) => projectPath(project, 'approvals', pending.id, decision);
  return (
    <div class="actions">
      {isOwn ? (
        <p class="quiet">You have requested this change, so another person must approve it.</p>
      ) : (
        <SendForm action={path('approve')} formToken={formToken}>
          <button class="main" type="submit">
            {`Approve: ${pending.rollout === undefined ? 'promote' : 'start the rollout'}`}
          </button>
        </SendForm>
      )}
      <SendForm action={path('decline')} formToken={formToken}>
        <button type="submit">{isOwn ? 'Cancel the request' : 'Decline'}</button>
      </SendForm>
    </div>
  );
}

/** Approves a change, and shows its result. */
export async function approveFromPage(context: PageContext, parts: ServerParts, project: string, id: string) {
  await readForm(context, 'rollouts');
  const rollout = await approve(parts, { project, id, by: context.get('token') });
  const place = rollout === undefined ? projectPath(project, 'releases') : projectPath(project, 'rollouts', rollout);
  return context.redirect(place, 303);
}

export async function declineFromPage(context: PageContext, parts: ServerParts, project: string, id: string) {
  await readForm(context, 'rollouts');
  await decline(parts, { project, id, by: context.get('token') });
  return context.redirect(withQuery(projectPath(project, 'approvals'), doneQuery('declined')), 303);
}
