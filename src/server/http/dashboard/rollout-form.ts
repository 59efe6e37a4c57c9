import type * as v from 'valibot';
import { rolloutRequestSchema } from '../../../api/rollout.ts';
import { DomainError } from '../../services/domain-error.ts';
import { checked } from '../api/session.ts';
import type { Form } from './page-login.ts';

/** Fields of the form for a new rollout. A URL may contain them, so that the form keeps its content after a login. */
export const rolloutFields = [
  'version',
  'channel',
  'stages',
  'running',
  'soak',
  'failures',
  'percent',
  'sample',
  'unconfirmed',
  'from',
  'to',
  'zone',
  'pace',
] as const;
export type RolloutField = (typeof rolloutFields)[number];

/** Values of an empty form: the defaults of the API. */
export const rolloutDefaults: Form = {
  channel: 'stable',
  stages: '5\n20\n50\n100',
  running: '90',
  soak: '10',
  failures: '5',
  percent: '10',
  sample: '10',
  unconfirmed: '2',
};

const minuteMs = 60_000;

/**
 * Converts the form for a new rollout.
 *
 * @throws DomainError invalid
 */
export function rolloutRequestOf(form: Form): v.InferOutput<typeof rolloutRequestSchema> {
  const text = (name: RolloutField) => form[name]?.trim() || undefined;
  const number = (name: RolloutField) => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  const soak = number('soak');
  const hasWindow = text('from') !== undefined || text('to') !== undefined;
  return checked(rolloutRequestSchema, {
    version: text('version') ?? '',
    channel: text('channel'),
    stages: text('stages')?.split('\n').map(stageOfLine),
    gate: { runningPercent: number('running'), soakMs: soak === undefined ? undefined : Math.round(soak * minuteMs) },
    halt: {
      failures: number('failures'),
      failurePercent: number('percent'),
      minimumSample: number('sample'),
      notConfirmed: number('unconfirmed'),
    },
    window: hasWindow ? { from: text('from') ?? '', to: text('to') ?? '', timeZone: text('zone') } : undefined,
    perHour: number('pace'),
  });
}

/** Parses a stage as after `--stage`: a percentage, canary=NAME or group=NAME, separated by commas. */
function stageOfLine(line: string) {
  const shares: number[] = [];
  const canaries: string[] = [];
  const groups: string[] = [];
  for (const part of line.split(',').map((each) => each.trim())) {
    const [, kind, name] = /^(canary|group)=(.+)$/.exec(part) ?? [];
    const [, share] = /^(\d{1,3}(?:\.\d{1,6})?)\s?%?$/.exec(part) ?? [];
    if (name !== undefined) (kind === 'canary' ? canaries : groups).push(name);
    else if (share !== undefined) shares.push(Number(share));
    else throw invalidStage(line);
  }
  if (shares.length > 1) throw invalidStage(line);
  return { ...(shares[0] !== undefined && { share: shares[0] }), canaries, groups };
}

function invalidStage(line: string): DomainError {
  const shown = line.trim().slice(0, 80);
  return new DomainError(
    'invalid',
    shown === '' ? 'a stage is an empty line' : `"${shown}" is not a stage`,
    'Write one stage a line: a percentage, canary=NAME or group=NAME, separated by commas.',
  );
}
