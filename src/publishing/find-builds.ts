import { existsSync, statSync } from 'node:fs';
import { manifestSuffix } from '../core/model/artifact.ts';
import type { ProjectTrust } from '../core/model/secret-policy.ts';
import { withoutCopies } from '../delivery/present-names.ts';
import { OtaError } from '../errors/ota-error.ts';
import { findFiles } from '../files/find-files.ts';

interface SearchSettings {
  readonly config: { readonly images?: readonly string[] | undefined };
  /** Folder of the configuration. */
  readonly folder: string;
  readonly trust: ProjectTrust;
}

/**
 * Finds the builds to publish: the file at `path`, or all manifests in the folder at `path`. Without a path, finds the manifests of the
 * configured images, or all manifests in the source folder.
 *
 * @param path absolute path of a file or a folder
 * @throws OtaError FILE_NOT_FOUND, IMAGES_NONE, CONFIG_INVALID
 */
export async function findBuilds(
  path: string | undefined,
  source: string,
  { config, folder, trust }: SearchSettings,
): Promise<string[]> {
  if (path !== undefined && !existsSync(path)) {
    throw new OtaError('FILE_NOT_FOUND', { path, what: 'image, manifest or folder' });
  }
  if (path !== undefined && !statSync(path).isDirectory()) return [path];
  const isByConfig = path === undefined && config.images !== undefined;
  const patterns = (isByConfig && config.images) || ['**/*'];
  const within = path ?? (isByConfig ? folder : source);
  const project = path === undefined ? trust : undefined;
  const found = await findFiles({ patterns, folder: within, suffix: manifestSuffix, project });
  if (found.length === 0)
    throw new OtaError('IMAGES_NONE', {
      what: 'manifest',
      patterns: patterns.map((pattern) => pattern + manifestSuffix),
      folder: within,
    });
  return withoutCopies(found);
}
