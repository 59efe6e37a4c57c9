import { isAbsolute, join } from 'node:path';
import { generateRsaKeyPair } from '../../core/keys/generate.ts';
import { readPublicKey } from '../../core/keys/public-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { relativePath } from '../../files/relative-path.ts';
import { removeFiles, rewriteFile, writeAtomically } from '../../files/write.ts';
import { readCore } from '../build/arduino-cores.ts';
import { installIdeHooks } from '../build/arduino-ide.ts';
import type { CliCopy } from '../build/cli-copy.ts';
import { createPrivateKeyFile, createPublicKeyFile } from '../keys/key-files.ts';
import { configInsertions } from './config.ts';
import { withInsertions } from './insertion.ts';
import { type RecordEntry, readRecord, writeRecord } from './record.ts';
import type { InitStep } from './step.ts';
import { readText, toBytes } from './text-file.ts';

const keyBits = 2048;

/**
 * Runs the planned steps in order. Each step is recorded before it runs.
 *
 * @param copyCli makes the copy of the CLI that hooks in a core run
 * @param done called after each step
 * @throws OtaError if a file cannot be written, or the signal's abort reason; the record then contains all steps that were started
 */
export async function applySteps(
  folder: string,
  steps: readonly InitStep[],
  copyCli: () => Promise<CliCopy>,
  signal: AbortSignal,
  done: (step: InitStep) => void,
): Promise<void> {
  const entries = [...(await readRecord(folder))];
  for (const step of steps) {
    const { entry, apply } = await prepare(folder, step, copyCli);
    signal.throwIfAborted();
    entries.push(entry);
    await writeRecord(folder, entries);
    await apply();
    done(step);
  }
}

/** Resolves a path in the record. Paths may be relative, so that a project can be moved or opened on a different system. */
export function fromProject(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

interface PreparedStep {
  readonly entry: RecordEntry;
  readonly apply: () => Promise<unknown>;
}

async function prepare(folder: string, step: InitStep, copyCli: () => Promise<CliCopy>): Promise<PreparedStep> {
  switch (step.kind) {
    case 'insert':
      return {
        entry: {
          action: 'insert',
          path: relativePath(folder, step.path),
          isNew: step.isNew,
          insertions: [...step.insertions],
          ...(step.guards === undefined ? {} : { guards: relativePath(folder, step.guards) }),
        },
        apply: () => insert(step),
      };
    case 'keys':
      return prepareKeys(folder, step);
    case 'config':
      return prepareConfig(folder, step, copyCli);
    case 'node':
      return {
        entry: { action: 'node', path: relativePath(folder, step.path) },
        apply: () => writeAtomically(step.path, `${step.node}\n`),
      };
    case 'core':
      return {
        entry: { action: 'core', folder: step.folder },
        apply: async () => installIdeHooks(await readCore(step.folder), await copyCli()),
      };
  }
}

type StepOf<Kind extends InitStep['kind']> = Extract<InitStep, { kind: Kind }>;

async function prepareKeys(folder: string, { privateKey, publicKey }: StepOf<'keys'>): Promise<PreparedStep> {
  const pair = await generateRsaKeyPair(keyBits);
  return {
    entry: {
      action: 'keys',
      privateKey: relativePath(folder, privateKey),
      publicKey: relativePath(folder, publicKey),
      fingerprint: readPublicKey(pair.publicKey, publicKey).fingerprint,
    },
    apply: async () => {
      await createPrivateKeyFile(privateKey, pair.privateKey);
      await createPublicKeyFile(publicKey, pair.publicKey).catch(async (error) => {
        // A key pair must not be left incomplete.
        await removeFiles([privateKey]);
        throw error;
      });
    },
  };
}

/** Prepares the insertion into the configuration. Its text depends on the public key, which an earlier step may have created. */
async function prepareConfig(
  folder: string,
  step: StepOf<'config'>,
  copyCli: () => Promise<CliCopy>,
): Promise<PreparedStep> {
  const insertions = await configInsertions(step, (await readText(step.path)) ?? '');
  const { path, description } = step;
  return prepare(folder, { kind: 'insert', path, isNew: step.content !== undefined, insertions, description }, copyCli);
}

async function insert({ path, isNew, insertions }: StepOf<'insert'>): Promise<void> {
  const present = await readText(path);
  if (isNew && present !== undefined) throw new OtaError('FILE_EXISTS', { path, what: 'file' });
  await rewriteFile(path, toBytes(withInsertions(present ?? '', insertions)));
}
