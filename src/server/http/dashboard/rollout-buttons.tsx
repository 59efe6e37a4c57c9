import type { RolloutAction, RolloutState } from '../../../api/rollout.ts';
import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { projectPath } from './paths.ts';
import { SendForm } from './send-form.tsx';

interface RolloutButtonsProps {
  readonly rollout: RolloutInfo;
  readonly formToken: string;
}

const possible: Readonly<Record<RolloutState, readonly RolloutAction[]>> = {
  active: ['pause', 'advance', 'abort', 'rollback'],
  paused: ['resume', 'abort', 'rollback'],
  halted: ['resume', 'abort', 'rollback'],
  aborted: ['rollback'],
  'rolled-back': [],
  complete: [],
};

const words: Readonly<Record<RolloutAction, { readonly label: string; readonly warning?: string }>> = {
  pause: { label: 'Pause' },
  resume: { label: 'Resume' },
  advance: { label: 'Advance to next stage' },
  abort: { label: 'Abort', warning: 'Ends the rollout permanently. Devices already updated keep this version.' },
  rollback: {
    label: 'Roll back',
    warning: 'Ends the rollout permanently. Devices already updated return to the previous release where that is safe.',
  },
};

/** Shows the actions that are currently possible. Actions that cannot be undone require two steps. */
export function RolloutButtons({ rollout, formToken }: RolloutButtonsProps) {
  const { project, id, state, openStages, stages } = rollout;
  const path = (action: RolloutAction) => projectPath(project, 'rollouts', id, action);
  const actions = possible[state].filter((action) => action !== 'advance' || openStages < stages.length);
  if (actions.length === 0) return undefined;
  return (
    <div class="actions">
      {state === 'halted' ? <ResumeHalted action={path('resume')} formToken={formToken} /> : undefined}
      {actions.map((action) => {
        const { label, warning } = words[action];
        if (action === 'resume' && state === 'halted') return undefined;
        return warning === undefined ? (
          <SendForm action={path(action)} formToken={formToken}>
            <button class={action === 'resume' ? 'main' : undefined} type="submit">
              {label}
            </button>
          </SendForm>
        ) : (
          <details id={`ask-${action}`}>
            <summary>{label}…</summary>
            <p>{warning}</p>
            <SendForm action={path(action)} formToken={formToken}>
              <Reason id={`reason-${action}`} />
              <button class="danger" type="submit">
                {label}
              </button>
            </SendForm>
          </details>
        );
      })}
    </div>
  );
}

/** Offers to accept the existing failures, because they would otherwise halt the rollout again immediately. */
function ResumeHalted({ action, formToken }: { action: string; formToken: string }) {
  return (
    <div class="primary">
      <SendForm action={action} formToken={formToken}>
        <button class="main" type="submit">
          Resume
        </button>
        <p class="quiet">Continues to update the devices in the open stages.</p>
        <p>
          <input id="accept" type="checkbox" name="acceptFailures" value="yes" />
          <label for="accept">Accept all current failures, so that they do not halt the rollout again</label>
        </p>
        <Reason id="reason-resume" />
      </SendForm>
    </div>
  );
}

function Reason({ id }: { id: string }) {
  return (
    <>
      <label for={id}>Reason</label>
      <input id={id} name="reason" maxlength={200} autocomplete="off" />
    </>
  );
}
