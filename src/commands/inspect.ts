import { resolve } from 'node:path';
import { readNamedFile } from '../files/read.ts';
import { type Firmware, readFirmware } from '../firmware/firmware.ts';
import { digests } from '../pack/digests.ts';
import type { Io } from './io.ts';
import { type KnownKeyOptions, namedKeys, projectKeys } from './known-keys.ts';
import { makeReport, type OutputOptions } from './report.ts';
import { collect, type Declaration, verb } from './verb.ts';

export interface InspectOptions extends OutputOptions, KnownKeyOptions {}

/** Declares the verb. */
export function declare(declaration: Declaration) {
  return verb(declaration, 'inspect <file>', 'say what a .bin is', [
    'ota-hooks inspect build/sketch.ino.bin.gz.signed --public-key public.key',
    'ota-hooks inspect unknown.bin --json',
  ])
    .option('--public-key <file>', "a known key beside the project's; may be repeated", collect, [])
    .option('--source <dir>', 'folder of the sketch or platformio.ini (default: here)')
    .option('--config <file>', 'the configuration (default: ota.config.json in the source folder or above)')
    .action((file, options) => inspect(file, options, declaration.io));
}

/** Says what a .bin is. */
export async function inspect(file: string, options: InspectOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const knownKeys = [...(await namedKeys(options, io)), ...(await projectKeys(options, io))];
  const bytes = await readNamedFile(path, 'file to inspect');
  const firmware = readFirmware(bytes, { knownKeys });
  report.result({ file: path, ...digests(bytes), ...summary(firmware) }, sheet(report.path(path), firmware));
}

function summary({ encoding, kind, sketch, filesystem, trailer, embeddedKeys, content, findings }: Firmware) {
  return {
    encoding,
    kind,
    contentBytes: content.length,
    sketch: sketch && {
      core: sketch.core.release ?? null,
      coreGitHash: sketch.core.gitHash ?? null,
      flashMode: sketch.flash.mode ?? null,
      flashSizeBytes: sketch.flash.sizeBytes ?? null,
      flashFrequencyMHz: sketch.flash.frequencyMHz ?? null,
      sizeBytes: sketch.sketchSizeBytes ?? null,
      segments: sketch.application?.segments ?? [],
    },
    filesystem,
    signature: trailer && {
      format: trailer.format,
      keyBits: trailer.keyBits,
      verifiedBy: trailer.verifiedBy?.fingerprint ?? null,
    },
    embeddedKeys: embeddedKeys.map(({ encoding: form, offset, key }) => ({
      encoding: form,
      offset,
      bits: key.bits,
      fingerprint: key.fingerprint,
    })),
    findings,
  };
}

function sheet(name: string, firmware: Firmware): string {
  const { encoding, kind, sketch, trailer, embeddedKeys, findings, sizeBytes, content } = firmware;
  const rows: [string, string][] = [
    ['file', `${name}, ${sizeBytes} bytes`],
    ['is', `${kind}${encoding === 'gzip' ? `, gzip of ${content.length} bytes` : ''}`],
  ];
  if (sketch !== undefined) {
    const { mode, sizeBytes: flashBytes, frequencyMHz } = sketch.flash;
    rows.push(['core', sketch.core.release ?? sketch.core.gitHash ?? 'unknown']);
    rows.push([
      'flash',
      `${mode ?? '?'}, ${flashBytes === undefined ? '?' : flashBytes / 1024} KB, ${frequencyMHz ?? '?'} MHz`,
    ]);
  }
  rows.push(['signature', trailer === undefined ? 'none' : `${trailer.format}, RSA ${trailer.keyBits} bits`]);
  if (trailer?.verifiedBy !== undefined) rows.push(['signed by', trailer.verifiedBy.fingerprint]);
  for (const { key } of embeddedKeys) rows.push(['holds key', `${key.fingerprint} (RSA ${key.bits} bits)`]);
  for (const { id, message } of findings) rows.push(['note', `${id}: ${message}`]);
  return rows.map(([label, text]) => `${label.padEnd(10)} ${text}`).join('\n');
}
