import { dirname, join, resolve } from 'node:path';
import { requireDescribed } from '../../../core/pack/require-described.ts';
import { payloadsToSign, requireExpectedKey, signBuild } from '../../../core/pack/sign-build.ts';
import { readBuild, removeStaleSignatures, writeBuild } from '../../../project/build/build-files.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { findElf } from '../../shared/elf-beside.ts';
import { recordInLog, signaturesOf } from '../../shared/record-signatures.ts';
import { writeDigests } from './detached.ts';
import type { SignOptions } from './options.ts';
import { keyOf } from './signing-key.ts';

/** Signs the build that a manifest describes, after checking that its files are those of the manifest. */
export async function signByManifest(options: SignOptions, manifest: string, io: Io, report: Report): Promise<void> {
  const path = resolve(io.cwd, manifest);
  const build = await readBuild(path).catch(async (error) => {
    await removeStaleSignatures(path, undefined);
    throw error;
  });
  await removeStaleSignatures(path, build.manifest);
  const key = await keyOf(options, io, report);
  const { signer, requireAllUsed } = await key.open();
  requireExpectedKey(build.manifest, signer, key.name);
  const elf = await findElf(join(dirname(path), build.manifest.image.file), options.elf, io);
  await requireDescribed(build, {
    path: report.path(path),
    key: signer.publicKey,
    elf: elf?.bytes,
    declared: options.declareEnforcement === true,
  });
  if (options.digestOnly === true) {
    const wanted = await payloadsToSign(build, signer.publicKey);
    return writeDigests(
      wanted.map(({ file, format, payload }) => ({ path: join(dirname(path), file), format, payload })),
      options,
      report,
    );
  }
  const signed = await signBuild(build, signer, key.name);
  requireAllUsed();
  await recordInLog(signaturesOf(signed.manifest), io, report);
  if (build.manifest.signing.publicKey === undefined && signed.manifest.image.kind === 'sketch') {
    report.warn(
      `${report.path(path)}: nothing shows that the Updater verifies signatures; pack the image with --public-key FILE to check`,
    );
  }
  const written = await writeBuild(signed, dirname(path), new Set(build.files.keys()));
  for (const file of written.slice(0, -1)) report.say(`Signed binary: ${report.path(file)}`);
  report.result('sign', signed.manifest);
}
