import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { gzipSync } from 'fflate';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import type { Step } from '../../../core/preflight/choice.ts';
import type { BlockingFinding } from '../../../core/preflight/explanation.ts';
import { type IntermediateProposal, proposeIntermediate } from '../../../core/preflight/intermediate.ts';
import { type Plan, type PlanInput, plan } from '../../../core/preflight/plan.ts';
import type { Release } from '../../../core/preflight/release.ts';
import type { PreflightFinding } from '../../../core/preflight/run-rules.ts';
import { unusableIntermediates } from '../../../core/preflight/unusable-intermediates.ts';
import { openPackedRelease } from '../../../delivery/packed-release.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { labeled, type TextBlock } from '../../output/text-block.ts';
import { allowOption, rulesToAllow } from '../../shared/allowed-rules.ts';
import { deviceFacts } from '../../shared/device-facts.ts';
import { withDeviceOptions } from '../../shared/device-options.ts';
import { type FileToCheck, readFileToCheck } from '../../shared/file-to-check.ts';
import { intermediateSteps } from '../../shared/intermediate-steps.ts';
import { namedKeys, projectKeys, withProjectKey } from '../../shared/known-keys.ts';
import { collect } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';

const preflightCommand = (declaration: Declaration) =>
  withDeviceOptions(
    command(declaration, 'preflight <file>', 'Check whether an update is safe for a device before sending it', [
      'ota-hooks preflight build/sketch.ino.bin.gz.signed --device door.json',
      'ota-hooks preflight build/sketch.ino.bin.ota.json --core 2.7.4 --signing none --layout 4m2m --transport espota',
    ])
      .addOption(projectOptions.device)
      .option('--request <file>', 'File with the header lines of an HTTP update request from the device')
      .option(
        '--reference <manifest>',
        'Manifest of a build that may be running on the device that sent the --request (repeatable)',
        collect,
        [],
      ),
  )
    .addOption(new Option('--transport <transport>', 'Update transport').choices(['espota', 'web', 'http'] as const))
    .addOption(
      new Option('--kind <kind>', 'Kind of update that the device expects').choices(['sketch', 'filesystem'] as const),
    )
    .option('--via <file>', 'Intermediate release that may be sent first (repeatable)', collect, [])
    .addOption(allowOption)
    .option('--public-key <file>', 'Additional public key for checking signatures (repeatable)', collect, [])
    .addOption(projectOptions.elf)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config);

type PreflightOptions = OptionsOf<typeof preflightCommand>;

export function declarePreflight(declaration: Declaration) {
  return preflightCommand(declaration).action((file, options) => preflight(file, options, declaration.io));
}

/**
 * Checks whether an update is safe for a device. For a manifest, the artifacts that the planner would send are checked. The exit code is
 * 3 if the update is blocked.
 */
export async function preflight(file: string, options: PreflightOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const settings = await readProjectSettings({ source: options.source, config: options.config }, io, report);
  const facts = await deviceFacts(options, settings, io);
  const knownKeys = [...(await namedKeys(options, io)), ...(await projectKeys(settings, io))];
  const checked = await readFileToCheck(path, { elf: options.elf, kind: facts.kind, knownKeys }, io);
  const fileToCheck = { ...checked, release: await withProjectKey(checked.release, settings, io) };
  const intermediateReleases = await Promise.all(
    options.via.map((via) => intermediateRelease(resolve(io.cwd, via), knownKeys, settings, io)),
  );
  const allow = rulesToAllow(options.allow, settings.config, [fileToCheck.release, ...intermediateReleases], report);
  const planFor = (target: Release) =>
    plan<Release>({ facts, target, build: checked.build, intermediateReleases, allow });
  const first = planFor(fileToCheck.release);
  const decision = lacksSpace(first) ? planFor(withGzipSize(fileToCheck)) : first;
  const alternative = decision.kind === 'blocked' ? otherArtifact(fileToCheck, facts) : undefined;
  const via = unusableVia(decision, { facts, target: fileToCheck.release, intermediateReleases, allow }, options.via);
  const proposal =
    alternative === undefined ? proposeIntermediate(facts, fileToCheck.release, decision, allow) : undefined;
  const context = { target: path, source: settings.folder, board: facts.board ?? fileToCheck.release.board };
  const steps = proposal === undefined ? [] : intermediateSteps(proposal, context, io, report);
  const document = documentOf(path, facts, decision, { alternative, proposal, via });
  const sheet = [
    ...sheetOf(decision, alternative),
    ...via.map(({ file, reason }) => row('via', `${file} ${reason}`)),
    ...steps,
  ];
  if (decision.kind !== 'blocked') return report.result('preflight', document, sheet);
  printOtherErrors(decision, report);
  const blocked = new OtaError('UPDATE_BLOCKED', { path: report.path(path), blockedBy: decision.blockedBy });
  report.result('preflight', document, sheet, blocked);
}

/** Returns the reasons why the intermediate releases of a blocked update do not help, by file. */
function unusableVia(decision: Plan<Release>, input: PlanInput<Release>, files: readonly string[]): Options['via'] {
  if (decision.kind !== 'blocked') return [];
  // The reasons are in the order of the releases.
  return unusableIntermediates(input).map(({ reason }, index) => ({ file: files[index] ?? '', reason }));
}

function lacksSpace(decision: Plan<Release>): boolean {
  return (
    decision.kind === 'blocked' &&
    decision.artifacts.some(({ findings }) => findings.some(({ rule }) => rule === 'no-space'))
  );
}

/** Adds the gzip size, so that the result can report whether a compressed image would fit. */
function withGzipSize({ release, firmware }: FileToCheck): Release {
  if (firmware === undefined || firmware.encoding === 'gzip') return release;
  const gzipBytes = gzipSync(firmware.content, { level: 9, mtime: 0 }).length;
  return { ...release, image: { ...release.image, gzipBytes } };
}

/** Returns a different artifact of the same build that is safe for the device, if any. */
function otherArtifact({ build }: FileToCheck, facts: DeviceFacts): string | undefined {
  if (build === undefined) return undefined;
  const decision = plan<Release>({ facts, target: build });
  return decision.kind === 'send' ? decision.artifact.file : undefined;
}

interface Options {
  readonly alternative: string | undefined;
  readonly proposal: IntermediateProposal | undefined;
  /** Intermediate releases that do not help, and the reasons. */
  readonly via: readonly { readonly file: string; readonly reason: string }[];
}

/** Reads an intermediate release: a manifest, an image with a manifest, or a file without one, whose facts are those in its bytes. */
async function intermediateRelease(
  path: string,
  knownKeys: readonly RsaPublicKey[],
  settings: ProjectSettings,
  io: Io,
): Promise<Release> {
  const packed = await openPackedRelease(path);
  const release = packed?.manifest ?? (await readFileToCheck(path, { kind: undefined, knownKeys }, io)).release;
  return withProjectKey(release, settings, io);
}

function documentOf(
  path: string,
  facts: DeviceFacts,
  decision: Plan<Release>,
  { alternative, proposal, via }: Options,
) {
  const steps = stepsOf(decision);
  return {
    file: path,
    safe: decision.kind !== 'blocked',
    device: facts,
    plan: {
      kind: decision.kind,
      steps: steps.map(({ artifact: { file, encoding, signature, sizeBytes }, release }) => ({
        artifact: file,
        version: release.version ?? null,
        encoding,
        signature,
        sizeBytes,
      })),
    },
    blockedBy: decision.kind === 'send' ? [] : decision.blockedBy.map(ruleDocument),
    blockedArtifacts:
      decision.kind === 'send'
        ? []
        : decision.artifacts.map(({ artifact: { file }, findings }) => ({
            artifact: file,
            blockedBy: findings.map(ruleDocument),
          })),
    warnings: steps.flatMap(({ warnings, artifact }) =>
      warnings.map((warning) => ruleDocument({ ...warning, artifact: artifact.file })),
    ),
    alternative: alternative ?? null,
    intermediate: proposal ?? null,
    unusableVia: [...via],
  };
}

function ruleDocument({ rule, message, fix, fixes, artifact }: PreflightFinding & Pick<BlockingFinding, 'artifact'>) {
  return { rule, message, fix, fixes: [...fixes], artifact };
}

function stepsOf(decision: Plan<Release>): readonly Step<Release>[] {
  switch (decision.kind) {
    case 'send':
      return [decision];
    case 'hops':
      return decision.hops;
    case 'blocked':
      return [];
  }
}

function sheetOf(decision: Plan<Release>, alternative: string | undefined): readonly TextBlock[] {
  const rows: TextBlock[] = [];
  for (const [index, { artifact, warnings }] of stepsOf(decision).entries()) {
    const hop = decision.kind === 'hops' ? `hop ${index + 1}: ` : '';
    rows.push(row('safe', `${hop}send ${artifact.file} (${artifact.sizeBytes} bytes)`));
    for (const { rule, message, fix } of warnings) rows.push(row('warning', `${rule}: ${message}`), fixRow(fix));
  }
  if (decision.kind === 'blocked') {
    for (const { artifact, findings } of decision.artifacts) {
      rows.push(row('blocked', `${artifact.file}: ${findings.map(({ rule }) => rule).join(', ')}`));
    }
    if (alternative !== undefined) rows.push(row('safe', `${alternative}, from the same build`));
  }
  return rows;
}

/** Prints why the other artifacts are blocked. The error that ends the command describes the best candidate. */
function printOtherErrors({ artifacts }: Extract<Plan<Release>, { kind: 'blocked' }>, report: Report): void {
  for (const { artifact, rule, message, fix } of artifacts.slice(1).flatMap(({ findings }) => findings)) {
    report.detail(`${artifact} is blocked by ${rule}: ${message}; fix: ${fix}`);
  }
}

function row(word: string, text: string): TextBlock {
  return labeled(word, 9, text);
}

function fixRow(fix: string): TextBlock {
  return row('', `fix: ${fix}`);
}
