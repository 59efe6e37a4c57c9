import type { Child } from 'hono/jsx';
import { attemptStateWords } from '../../../api/admin-info.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { ActorNames } from '../../services/tokens.ts';
import type { AuditEntry, SeenDevice } from '../../storage/records.ts';
import { ActorName } from './actor.tsx';
import { Sentence, Version } from './identifiers.tsx';
import { When } from './when.tsx';

/** Event in the timeline of a device. */
interface TimelineEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'check-in' | 'attempt' | 'version' | 'decision' | 'change';
  readonly text: Child;
}

const kindWords: Readonly<Record<TimelineEvent['kind'], string>> = {
  'check-in': 'Check-in',
  attempt: 'Update',
  version: 'Version',
  decision: 'Decision',
  change: 'Change',
};

interface TimelineProps {
  readonly device: SeenDevice;
  /** Audit entries of the device. */
  readonly entries: readonly AuditEntry[];
  readonly names: ActorNames;
}

/** Shows what is known about the past of a device, newest first: check-ins, attempts, versions, decisions, and changes by people. */
export function DeviceTimeline(props: TimelineProps) {
  const events = eventsOf(props);
  if (events.length === 0) return <p class="quiet">Nothing is known about the past of this device yet.</p>;
  return (
    <ol class="timeline">
      {events.map(({ at, kind, text }) => (
        <li class={`is-${kind}`}>
          <When at={at} /> <strong>{kindWords[kind]}</strong> <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}

function eventsOf({ device: { record, lastSeenAt }, entries, names }: TimelineProps): readonly TimelineEvent[] {
  const { firstSeenAt, running, attempts, decisions } = record;
  const events: TimelineEvent[] = [];
  if (lastSeenAt !== undefined) events.push({ at: lastSeenAt, kind: 'check-in', text: 'Last update check.' });
  if (firstSeenAt !== undefined) events.push({ at: firstSeenAt, kind: 'check-in', text: 'First update check.' });
  if (running?.from?.at !== undefined) {
    const text = (
      <>
        Seen running <Version version={running.version} />.
      </>
    );
    events.push({ at: running.from.at, kind: 'version', text });
  }
  for (const { version, kind, state, failure, sends, lastSentAt } of attempts) {
    const result = failure === undefined ? attemptStateWords[state] : `${attemptStateWords[state]}: ${failure}`;
    const text = (
      <>
        <Version version={version} /> ({kind}) {result}, {counted(sends, 'download')}; the last one began at this time.
      </>
    );
    events.push({ at: lastSentAt, kind: 'attempt', text });
  }
  for (const decision of [decisions.sketch, decisions.filesystem]) {
    if (decision !== undefined) {
      events.push({ at: decision.at, kind: 'decision', text: <Sentence text={decision.text} /> });
    }
  }
  for (const { at, action, actor } of entries) {
    events.push({ at, kind: 'change', text: <Change {...{ action, actor, names }} /> });
  }
  return events.sort((a, b) => b.at - a.at);
}

function Change({ action, actor, names }: { action: string; actor: string; names: ActorNames }) {
  return (
    <>
      {action} by <ActorName actor={actor} names={names} />
    </>
  );
}
