import type { RolloutInfo } from '../../../api/rollout-info.ts';
import type { ServerParts } from '../../parts.ts';
import { ApprovalsLink } from './approvals-page.tsx';
import { listPath } from './fleet-filter.ts';
import { Sentence, Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext } from './page-login.ts';
import { projectPath } from './paths.ts';
import { RolloutBadge, Stalled } from './rollout-badge.tsx';
import { rolloutText } from './rollout-words.ts';
import { TallyBar } from './tally-bar.tsx';
import { When } from './when.tsx';

/** Shows a project's rollouts, newest first. */
export async function rolloutsPage(context: PageContext, parts: ServerParts, project: string) {
  const found = await parts.rollouts.list(project);
  return show(
    context,
    <Page
      title={`Rollouts of ${project}`}
      project={project}
      tab="rollouts"
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>Rollouts</h1>
      {formTokenFor(context, 'rollouts') === undefined ? undefined : (
        <p>
          <a class="button" href={projectPath(project, 'rollouts', 'new')}>
            Start a rollout
          </a>
        </p>
      )}
      <div id="rollouts" data-live>
        <ApprovalsLink parts={parts} project={project} />
        {found.length === 0 ? <NoRollouts project={project} /> : undefined}
        {found.map((rollout) => (
          <RolloutCard {...rollout} />
        ))}
      </div>
    </Page>,
  );
}

function NoRollouts({ project }: { project: string }) {
  return (
    <p>
      No rollouts yet. Publish a draft with <code>ota-hooks publish --draft</code>, then run{' '}
      <code>ota-hooks server rollouts start {project} VERSION</code>.
    </p>
  );
}

function RolloutCard(rollout: RolloutInfo) {
  const { id, project, version, channel, state, tally, startedAt } = rollout;
  return (
    <article class="card" aria-labelledby={`rollout-${id}`}>
      <h2 id={`rollout-${id}`}>
        <a href={projectPath(project, 'rollouts', id)}>
          <Version version={version} /> on {channel}
        </a>
      </h2>
      <p class="lead">
        <RolloutBadge state={state} /> <Sentence text={rolloutText(rollout)} />
      </p>
      <Stalled {...rollout} />
      <TallyBar tally={tally} of={version} state={state} listPath={listPath(rollout)} />
      <p class="quiet">
        Started <When at={startedAt} />
      </p>
    </article>
  );
}
