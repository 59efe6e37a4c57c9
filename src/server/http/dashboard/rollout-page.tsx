import { rolloutActionSchema, rolloutActions } from '../../../api/rollout.ts';
import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { isUnderWay } from '../../services/rollouts/step.ts';
import { type ActorNames, actorNames } from '../../services/tokens.ts';
import { checked } from '../api/session.ts';
import { ActorName } from './actor.tsx';
import { CountLink } from './count-link.tsx';
import { Facts } from './facts.tsx';
import { listPath, membersPath } from './fleet-filter.ts';
import { Sentence, Version } from './identifiers.tsx';
import { frameOf, Page, show } from './layout.tsx';
import { formTokenFor, type PageContext, readForm } from './page-login.ts';
import { projectPath } from './paths.ts';
import { ProgressChart } from './progress-chart.tsx';
import { RolloutBadge, Stalled } from './rollout-badge.tsx';
import { RolloutButtons } from './rollout-buttons.tsx';
import {
  gateText,
  haltText,
  mostNamed,
  reportSourcesText,
  rolloutText,
  stageText,
  stateWords,
} from './rollout-words.ts';
import { StageLimits } from './stage-limits.tsx';
import { TallyBar } from './tally-bar.tsx';
import { When } from './when.tsx';

/** Shows a rollout's state and progress. */
export async function rolloutPage(context: PageContext, parts: ServerParts, project: string, id: string) {
  const rollout = await parts.rollouts.show(project, numberOf(id));
  if (rollout === undefined) throw unknown();
  const { version, channel, state, tally, finalAt, previous } = rollout;
  const stages = await Promise.all(rollout.stages.map((stage) => withNames(parts, project, stage)));
  const formToken = formTokenFor(context, 'rollouts');
  const title = `${version} on ${channel}`;
  return show(
    context,
    <Page
      title={`Rollout of ${title}: ${stateWords[state].label}`}
      project={project}
      tab="rollouts"
      here={<RolloutName {...rollout} />}
      live={`project=${project}`}
      {...frameOf(context)}
    >
      <h1>
        Rollout of <RolloutName {...rollout} />
      </h1>
      <div id="state" class="lead" role="status" data-live>
        <RolloutBadge state={state} /> <Sentence text={rolloutText(rollout)} />
        <Stalled {...rollout} />
      </div>
      <div id="rollout" data-live>
        {formToken === undefined ? undefined : <RolloutButtons rollout={rollout} formToken={formToken} />}
        <TallyBar tally={tally} of="All devices" state={state} listPath={listPath(rollout)} />
        {isUnderWay(rollout) ? (
          <p class="alone">
            <a href={membersPath(project, { rollout: rollout.id, status: 'waiting' })}>
              Devices in the open stages that are not updated
            </a>
          </p>
        ) : undefined}
        {finalAt === undefined ? undefined : (
          <p class="quiet">
            Final numbers of <When at={finalAt} />. Later changes to devices are not included.
            {rollout.hasDeviceLists ? undefined : ' The devices behind the numbers are not stored.'}
          </p>
        )}
        <h2>Stages</h2>
        <Stages {...rollout} stages={stages} />
        <h2>Progress</h2>
        <ProgressChart {...rollout} />
        <h2>Rules</h2>
        <ul class="lines">
          <li>{gateText(rollout.gate)}</li>
          <li>{haltText(rollout.halt)}</li>
          <li>
            <Credentials {...rollout} />
          </li>
        </ul>
        <h2>History</h2>
        <Facts
          facts={[
            ['Previous release', previous === undefined ? 'none' : <Version version={previous} />],
            ['Reports without credentials', unprovenReports(rollout)],
          ]}
        />
        <History {...rollout} names={await actorNames(parts.store)} />
      </div>
    </Page>,
  );
}

function RolloutName({ version, channel }: RolloutInfo) {
  return (
    <>
      <Version version={version} /> on {channel}
    </>
  );
}

type Stage = RolloutInfo['stages'][number];

/** Replaces the MACs of canaries with the device names. */
async function withNames({ records }: ServerParts, project: string, stage: Stage): Promise<Stage> {
  if (stage.canaries.length > mostNamed) return stage;
  const names = stage.canaries.map(async (mac) => (await records.find(project, mac))?.name ?? mac);
  return { ...stage, canaries: await Promise.all(names) };
}

/** Performs an API action: pause, resume, advance, abort or rollback. */
export async function actOnRollout(
  context: PageContext,
  { rollouts }: ServerParts,
  project: string,
  [id, name]: readonly [id: string, action: string],
) {
  const form = await readForm(context, 'rollouts');
  const action = rolloutActions.find((known) => known === name);
  if (action === undefined) throw unknown();
  const reason = form['reason']?.trim() || undefined;
  const request = checked(rolloutActionSchema, { acceptFailures: form['acceptFailures'] === 'yes', reason });
  await rollouts.act(project, numberOf(id), action, request, context.get('token').id);
  return context.redirect(projectPath(project, 'rollouts', id), 303);
}

/** @throws DomainError not-found */
function numberOf(id: string): number {
  if (!/^\d{1,15}$/.test(id)) throw unknown();
  return Number(id);
}

function unknown(): DomainError {
  return new DomainError('not-found', 'Rollout not found.', 'Check its ID in the list of rollouts.');
}

function Stages(rollout: RolloutInfo) {
  const { stages, openStages, state } = rollout;
  return (
    <ol class="stages">
      {stages.map((stage, index) => (
        <li class={index < openStages ? 'open' : 'closed'}>
          <p>
            <strong>{`Stage ${index + 1}`}</strong> <Sentence text={stageText(stage)} />{' '}
            <span class="quiet">
              {index < openStages ? 'open' : 'not open yet'},{' '}
              <CountLink
                of={`Stage ${index + 1}`}
                text={counted(stage.tally.members, 'device')}
                path={stage.tally.members === 0 ? undefined : listPath(rollout, index + 1)?.(undefined)}
              />
            </span>
          </p>
          <TallyBar
            tally={stage.tally}
            of={`Stage ${index + 1}`}
            state={state}
            listPath={listPath(rollout, index + 1)}
          />
          {index < openStages ? <StageLimits {...rollout} stage={stage} number={index + 1} /> : undefined}
        </li>
      ))}
    </ol>
  );
}

/** States how many devices send reports that cannot be forged. */
function Credentials(rollout: RolloutInfo) {
  const { tally, projectPassword } = rollout;
  const path = listPath(rollout);
  if (projectPassword) return <>The project requires a password from all devices.</>;
  const { withCredentials, members } = tally;
  return (
    <>
      <CountLink
        of="With credentials"
        text={countText(withCredentials)}
        path={withCredentials === 0 ? undefined : path?.('with-credentials')}
      />{' '}
      of <CountLink of="All" text={counted(members, 'device')} path={path?.(undefined)} /> authenticate.{' '}
      {withCredentials === members ? undefined : (
        <>
          Anyone who knows the MAC of{' '}
          <CountLink
            of="Without credentials"
            text="a device without credentials"
            path={path?.('without-credentials')}
          />{' '}
          can send reports for it.
        </>
      )}
    </>
  );
}

function unprovenReports(rollout: RolloutInfo) {
  const { unproven } = rollout;
  if (unproven === undefined) return undefined;
  const path = listPath(rollout)?.('unproven');
  return (
    <>
      <CountLink of="Reports without credentials" text={countText(unproven.devices)} path={path} />
      {`, ${reportSourcesText(unproven)}`}
    </>
  );
}

function History({ history, names }: RolloutInfo & { readonly names: ActorNames }) {
  return (
    <table class="rows">
      <caption class="hidden">Events of the rollout, oldest first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Event</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {history.map(({ at, event, by, reason }) => (
          <tr>
            <th scope="row">
              <When at={at} />
            </th>
            <td data-label="Event">
              <Sentence text={reason === undefined ? event : `${event}: ${reason}`} />
            </td>
            <td data-label="By">
              <ActorName actor={by} names={names} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
