import { randomBytes } from 'node:crypto';
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Lets a link point elsewhere, in one step: it is made beside and renamed over the old one. Windows has no such step for folders; there
 * the old one is moved away first, and for a moment there is none.
 *
 * @param target relative to the link's folder
 */
export async function switchLink(link: string, target: string, platform = process.platform): Promise<void> {
  const beside = () => join(dirname(link), `.${basename(link)}.${randomBytes(4).toString('hex')}.tmp`);
  const fresh = beside();
  // Other systems take no notice of the type; on Windows it needs no special rights.
  await symlink(target, fresh, 'junction');
  try {
    if (platform !== 'win32') return await rename(fresh, link);
    const old = beside();
    await rename(link, old).catch(() => undefined);
    await rename(fresh, link);
    await rm(old, { force: true, recursive: true });
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
}
