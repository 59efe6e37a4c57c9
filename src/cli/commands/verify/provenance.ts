import type { Manifest } from '../../../core/model/manifest.ts';
import { manifestBeside } from '../../shared/file-to-check.ts';

/** Origin of a file, as its manifest states it. Null: not recorded. */
interface Provenance {
  readonly sourceCommit: string | null;
  readonly builder: string | null;
  readonly tool: string;
  readonly core: string | null;
}

/**
 * Reads the origin of a file from the manifest that lists exactly these bytes. The signature does not cover the manifest: it is the word of
 * the machine that packed the build.
 *
 * @returns null if no manifest beside the file lists it
 */
export async function provenanceOf(path: string, bytes: Uint8Array): Promise<Provenance | null> {
  const manifest = await manifestBeside(path, bytes);
  return manifest === undefined ? null : provenanceIn(manifest);
}

function provenanceIn({ sourceCommit, builder, tool, image }: Manifest): Provenance {
  return {
    sourceCommit: sourceCommit ?? null,
    builder: builder ?? null,
    tool: `${tool.name} ${tool.version}`,
    core: image.core ?? null,
  };
}

/** Describes the origin of a file for people. */
export function provenanceLines(provenance: Provenance | null): readonly string[] {
  if (provenance === null) return [];
  const { sourceCommit, builder, tool, core } = provenance;
  return [
    `  source commit: ${sourceCommit ?? 'not recorded'}`,
    `  builder: ${builder ?? 'not recorded'}`,
    `  packed with: ${tool}`,
    `  core: ${core ?? 'not recognized'}`,
  ];
}
