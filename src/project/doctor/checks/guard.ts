import { join } from 'node:path';
import { Ledger } from '../../../delivery/ledger.ts';
import { arduinoFolders } from '../../build/arduino-cores.ts';
import { findOwnVerifiers, type OwnVerifier } from '../../build/own-verifier.ts';
import type { ProjectSettings } from '../../config/settings.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';

/** Checks that no other code replaces the verifier of the hooks, and mentions the guard once a device verifies signatures. */
export const guard: Check = async (context) => {
  const settings = settingsOf(context);
  if (context.project === undefined || settings === undefined || settings.publicKey === undefined) return [];
  const replaced = settings.config.enforcement === 'declared' ? [] : await replacements(context, settings);
  return [...replaced, ...(await mention(settings))];
};

async function replacements(context: CheckContext, settings: ProjectSettings): Promise<readonly DoctorFinding[]> {
  const { folder } = context.project ?? context;
  const { user } = arduinoFolders(context.env, context.platform, context.home);
  const [own, libraries] = await Promise.all([
    findOwnVerifiers([folder]),
    context.project?.platformio === undefined ? findOwnVerifiers([join(user, 'libraries')]) : [],
  ]);
  const verifier = settings.config.guard === undefined ? 'the verifier that the hooks build in' : 'the guard';
  const place = ({ path, line }: OwnVerifier) => `${context.path(path)}:${line}`;
  const fix =
    settings.config.guard === undefined
      ? 'Remove the call, or set "enforcement": "declared" if the sketch is to verify updates itself'
      : 'Remove the call, or remove "guard" from the configuration';
  return [
    ...own.map((found) => ({
      level: settings.config.guard === undefined ? ('warning' as const) : ('error' as const),
      message: `${place(found)} calls Update.installSignature, which replaces ${verifier}`,
      fix,
    })),
    ...libraries.map((found) => ({
      level: 'warning' as const,
      message: `${place(found)} calls Update.installSignature: in a sketch that uses this library, it replaces ${verifier}`,
      fix: 'Do not use this library in a signed sketch',
    })),
  ];
}

/** Mentions the guard after the first signed update: the ledger then has a device that verifies signatures. */
async function mention({ config, folder }: ProjectSettings): Promise<readonly DoctorFinding[]> {
  if (config.guard !== undefined) return [{ level: 'ok', message: 'Builds contain the guard' }];
  const { ledger } = await Ledger.open(folder);
  if (!ledger.entries.some(({ facts }) => facts.signing === 'required')) return [];
  return [
    {
      level: 'note',
      message: 'Devices check only the signature of an update: they accept old versions, and one key',
      fix: 'Read about the guard in docs/keys.md: several keys, no rollback, no update of another product',
    },
  ];
}
