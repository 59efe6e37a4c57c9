import { createHash } from 'node:crypto';
import type * as v from 'valibot';
import { defaultHistory, defaultStalledAfterMs, projectRequestSchema } from '../../../api/release-admin.ts';
import { DomainError } from '../../services/domain-error.ts';
import type { ProjectRecord } from '../../storage/records.ts';
import { checked } from '../api/session.ts';
import { linesIn, namesIn } from './form-field.tsx';
import type { Form } from './page-login.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Returns the content of the form for the settings of a project. Passwords are never shown. */
export function settingsForm(project: ProjectRecord): Form {
  const { access, keys, aliases, credential, confirmWithinMs, mostSends, publisherRules = [] } = project;
  const { stalledAfterMs = defaultStalledAfterMs, history = defaultHistory } = project;
  return {
    access,
    ...Object.fromEntries(keys.map(({ fingerprint }) => [`key-${fingerprint}`, 'yes'])),
    aliases: aliases.map(({ path, channel }) => (channel === 'stable' ? path : `${path}=${channel}`)).join('\n'),
    user: credential?.user ?? '',
    confirmWithin: String(confirmWithinMs / minuteMs),
    mostSends: String(mostSends),
    stalledAfter: String(stalledAfterMs / hourMs),
    rules: publisherRules.join(' '),
    approval: project.approval === 'second-person' ? 'yes' : '',
    checkInDays: history.checkInDays?.toString() ?? '',
    attemptDays: history.attemptDays?.toString() ?? '',
    auditDays: history.auditDays?.toString() ?? '',
  };
}

/**
 * Converts the form for the settings of a project.
 *
 * @throws DomainError invalid
 */
export function settingsRequest(form: Form, project: ProjectRecord): v.InferOutput<typeof projectRequestSchema> {
  const number = (name: string) => {
    const text = form[name]?.trim() ?? '';
    return text === '' ? undefined : Number(text);
  };
  const milliseconds = (name: string, unitMs: number) => {
    const count = number(name);
    return count === undefined ? undefined : Math.round(count * unitMs);
  };
  const kept = project.keys.filter(({ fingerprint }) => form[`key-${fingerprint}`] === 'yes').map(({ pem }) => pem);
  return checked(projectRequestSchema, {
    access: form['access'],
    publicKeys: [...kept, ...pemsIn(form['newKeys'])],
    aliases: linesIn(form['aliases']).map((line) => {
      const [path = '', channel = 'stable'] = line.split('=');
      return { path, channel };
    }),
    credential: credentialOf(form, project),
    confirmWithinMs: milliseconds('confirmWithin', minuteMs),
    mostSends: number('mostSends'),
    stalledAfterMs: milliseconds('stalledAfter', hourMs),
    publisherRules: namesIn(form['rules']),
    approval: form['approval'] === 'yes' ? 'second-person' : 'none',
    history: {
      checkInDays: number('checkInDays') ?? null,
      attemptDays: number('attemptDays') ?? null,
      auditDays: number('auditDays') ?? null,
    },
  });
}

/** Separates keys in PEM format. A text that contains no key is returned as it is, so that it is rejected with a reason. */
function pemsIn(text = ''): readonly string[] {
  const parts = text.split(/(?<=-----END [A-Z ]+-----)/).map((part) => part.trim());
  return parts.filter((part) => part !== '').map((part) => `${part}\n`);
}

/** Returns the password that devices must send: undefined keeps the current one, and null removes it. */
function credentialOf(
  form: Form,
  { credential }: ProjectRecord,
): { user: string; password: string } | null | undefined {
  const { user: typed = '', password = '' } = form;
  const user = typed.trim();
  if (password !== '') return { user, password };
  if (user === (credential?.user ?? '')) return undefined;
  if (user === '') return null;
  const hint = 'Enter the password as well. The server stores only its hash.';
  throw new DomainError('invalid', 'the user name was changed without a password', hint);
}

/** Identifies the settings that a form shows, so that two people do not undo the changes of each other. */
export function settingsDigest(project: ProjectRecord): string {
  const { approvals: _, ...settings } = project;
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}
