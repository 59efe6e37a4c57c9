import { existsSync, statSync } from 'node:fs';
import { manifestSuffix } from '../core/model/artifact.ts';
import { OtaError } from '../errors/ota-error.ts';

/**
 * Finds the builds to publish: the given file, or all manifests in the given folder. Without a path, finds the manifests of the
 * configured images, or all manifests in the source folder.
 *
 * @param path absolute path
 * @throws OtaError FILE_NOT_FOUND, IMAGES_NONE
 */
export async function findBuilds(
  path: string | undefined,
  source: string,
  { config, folder }: { readonly config: { readonly images?: readonly string[] | undefined }; readonly folder: string },
): Promise<string[]> {
  if (path !== undefined && !existsSync(path)) {
    throw new OtaError('FILE_NOT_FOUND', { path, what: 'image, manifest or folder' });
  }
  if (path !== undefined && !statSync(path).isDirectory()) return [path];
  const isByConfig = path === undefined && config.images !== undefined;
  const patterns = (isByConfig && config.images) || ['**/*'];
  const within = path ?? (isByConfig ? folder : source);
  const { default: glob } = await import('fast-glob');
  const found = await glob(
    patterns.map((pattern) => pattern + manifestSuffix),
    { cwd: within, absolute: true, dot: true, ignore: ['**/node_modules/**', '**/.git/**'] },
  );
  if (found.length === 0)
    throw new OtaError('IMAGES_NONE', {
      what: 'manifest',
      patterns: patterns.map((pattern) => pattern + manifestSuffix),
      folder: within,
    });
  return found.sort();
}
