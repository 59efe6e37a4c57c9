import { randomBytes } from 'node:crypto';
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Points a link to a different target atomically: a new link is created and renamed over the old link. Windows cannot replace folder
 * links. On Windows the old link is moved away first, and for a moment no link exists.
 *
 * @param target path relative to the link's folder
 */
export async function switchLink(link: string, target: string, platform = process.platform): Promise<void> {
  const beside = () => join(dirname(link), `.${basename(link)}.${randomBytes(4).toString('hex')}.tmp`);
  const fresh = beside();
  // Only Windows uses the link type. A junction requires no special privileges.
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
