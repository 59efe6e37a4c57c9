import { resolve } from 'node:path';
import { deviceVerdict } from '../../../core/firmware/device-verdict.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import type { Encoding } from '../../../core/model/artifact.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import type { RuleId } from '../../../core/preflight/registry.ts';
import { runRules } from '../../../core/preflight/run-rules.ts';
import { verificationRules } from '../../../core/preflight/verification-rules.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { deviceFacts } from '../../shared/device-facts.ts';
import { prepareBytes } from '../../shared/file-to-check.ts';
import { namedKeys, projectKeys } from '../../shared/known-keys.ts';
import { collect } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { provenanceLines, provenanceOf } from './provenance.ts';

const verifyCommand = (declaration: Declaration) =>
  command(declaration, 'verify <file>', 'Verify the signature of a file as a device does', [
    'ota-hooks verify build/sketch.ino.bin.signed --public-key public.key',
    'ota-hooks verify old.bin.legacy_sig --public-key public.key --legacy',
  ])
    .option('--public-key <file>', "Public key of the device (repeatable, default: the project's keys)", collect, [])
    .addOption(projectOptions.device)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .option('--legacy', 'Verify as a device on core 2.5.x does');

type VerifyOptions = OptionsOf<typeof verifyCommand>;

export function declareVerify(declaration: Declaration) {
  return verifyCommand(declaration).action((file, options) => verify(file, options, declaration.io));
}

/**
 * Checks whether a device with one of the keys in its firmware would accept the file. The exit code is 1 if the device would reject the
 * file.
 */
export async function verify(file: string, options: VerifyOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const named = await namedKeys(options, io);
  const { source, config } = options;
  const settings = await readProjectSettings({ source, config }, io, report);
  const keys = named.length > 0 ? named : await projectKeys(settings, io);
  if (options.device !== undefined) {
    const facts = await deviceFacts({ device: options.device, reference: [] }, settings, io);
    return verifyFor(facts, path, keys, io, report);
  }
  if (keys.length === 0) throw new OtaError('KEY_MISSING_FOR', { command: 'verify', wanted: '--public-key FILE' });
  const bytes = await readNamedFile(path, 'file to verify');
  const format = options.legacy === true ? 'legacy' : 'current';
  const verdicts = keys.map((key) => ({ key, verdict: deviceVerdict(bytes, key, format) }));
  const accepted = verdicts.find(({ verdict }) => verdict.accepted);
  if (accepted !== undefined) {
    const { fingerprint } = accepted.key;
    const warnings = await protectionWarnings(path, bytes, keys, io);
    const provenance = await provenanceOf(path, bytes);
    const line = `${report.path(path)}: accepted by devices with key ${fingerprint}`;
    const result = { file: path, accepted: true as const, format, fingerprint, provenance, warnings: [...warnings] };
    report.result('verify', result, [line, ...provenanceLines(provenance)]);
    for (const { message, fix } of warnings) report.warn(`${report.path(path)}: ${message}; ${fix}`);
    return;
  }
  const [verdict = ''] = verdicts.flatMap((each) => (each.verdict.accepted ? [] : [each.verdict.error]));
  const error = new OtaError('NOT_ACCEPTED', { path: report.path(path), verdict });
  report.result('verify', { file: path, accepted: false, format, verdict }, undefined, error);
}

/**
 * Checks whether a device with these facts would accept the signature and the metadata of a file. The other rules of `preflight`, such as
 * those about space, are not checked.
 *
 * @throws OtaError UPDATE_BLOCKED
 */
async function verifyFor(
  facts: DeviceFacts,
  path: string,
  keys: readonly RsaPublicKey[],
  io: Io,
  report: Report,
): Promise<void> {
  const bytes = await readNamedFile(path, 'file to verify');
  const { release } = await prepareBytes(path, bytes, { kind: facts.kind, knownKeys: keys }, io);
  const [artifact] = release.artifacts;
  if (artifact === undefined) throw new Error('a file is a release with one artifact');
  const checked = [...verificationRules, ...guardedRules(facts, artifact.encoding)];
  const findings = runRules({ release, artifact, facts }).filter(({ rule }) => checked.includes(rule));
  const blockedBy = findings.filter(({ severity }) => severity === 'error');
  const [blocking] = blockedBy;
  const format = artifact.signature;
  if (blocking !== undefined) {
    const error = new OtaError('UPDATE_BLOCKED', { path: report.path(path), blockedBy });
    const verdict = `${blocking.rule}: ${blocking.message}`;
    return report.result('verify', { file: path, accepted: false, format, verdict }, undefined, error);
  }
  const fingerprint = artifact.keyFingerprint ?? null;
  const warnings = findings.map(({ rule, message, fix }) => ({ rule, message, fix }));
  const provenance = await provenanceOf(path, bytes);
  const line = `${report.path(path)}: accepted by the device`;
  const result = { file: path, accepted: true as const, format, fingerprint, provenance, warnings };
  report.result('verify', result, [line, ...provenanceLines(provenance)]);
  for (const { message, fix } of warnings) report.warn(`${report.path(path)}: ${message}; ${fix}`);
}

/** Facts that the guard of a device compares with a compressed update, and the rules for them. Without the fact, the rules guess. */
const guardedFacts = {
  kind: 'kind-mismatch',
  flashMode: 'flash-mode-gz',
  chipSizeBytes: 'flash-size',
  fsStart: 'inflate-over-fs',
} as const satisfies Partial<Record<keyof DeviceFacts, RuleId>>;

/** Returns the rules that predict the remaining rejections by the guard. Without the guard, a device would install these files. */
function guardedRules(facts: DeviceFacts, encoding: Encoding): readonly string[] {
  if (facts.guard === undefined || encoding !== 'gzip') return [];
  const known = Object.entries(guardedFacts) as [keyof typeof guardedFacts, RuleId][];
  return known.flatMap(([fact, rule]) => (facts[fact] === undefined ? [] : [rule]));
}

/** Rules about images that leave a device without signature checks, or with other keys. */
const protectionRules: readonly RuleId[] = ['embedded-key-missing', 'embedded-key-other', 'enforcement-unproven'];

/** Returns findings about what a device verifies after it has installed the file. */
async function protectionWarnings(path: string, bytes: Uint8Array, keys: readonly RsaPublicKey[], io: Io) {
  const { release } = await prepareBytes(path, bytes, { kind: undefined, knownKeys: keys }, io);
  const findings = release.artifacts.flatMap((artifact) => runRules({ release, artifact, facts: undefined }));
  return findings
    .filter(({ rule }) => protectionRules.includes(rule))
    .map(({ rule, message, fix }) => ({ rule, message, fix }));
}
