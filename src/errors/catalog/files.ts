import { entry, type PathAndReason, type PathField } from './entry.ts';
import { explainReason } from './system-reasons.ts';

export const filesEntries = {
  FILE_NOT_FOUND: entry<PathField & { what: string; suggestion?: string }>(
    2,
    ({ path, what }) => `${what.charAt(0).toUpperCase()}${what.slice(1)} not found: ${path}`,
    'A file or folder that the command needs does not exist.',
    ({ suggestion = '' }) => `${suggestion}Check the path.`,
  ),
  FILE_UNREADABLE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} could not be read: ${explainReason(reason)}`,
    'The operating system could not read the file, or the file was not written by ota-hooks.',
    ({ reason }) => {
      if (/EISDIR/.test(reason)) return 'Pass the path of a file, not a folder.';
      if (/device|socket|pipe/.test(reason))
        return 'Pass the path of a regular file, or a pipe that ends within 10 s and has at most 64 KB.';
      if (/larger than/.test(reason))
        return 'Check the path: files for this use are smaller. The limit for a pipe is 64 KB.';
      return 'Check the file, its permissions and the permissions of its folder.';
    },
  ),
  FILE_UNWRITABLE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} could not be written: ${explainReason(reason)}`,
    'The operating system reported an error. Files are replaced as a whole, so no partial file is left behind.',
    ({ reason }) => {
      if (reason === 'ENOSPC' || reason === 'EDQUOT') return 'Free some space on the disk and try again.';
      if (/EISDIR|ENOTDIR|EEXIST/.test(reason)) return 'Pass a different path, or move the existing file or folder.';
      return 'Check the permissions of the folder and make sure that the disk is not mounted read-only.';
    },
  ),
  FILE_UNREMOVABLE: entry<{ paths: readonly string[]; reason: string }>(
    1,
    ({ paths, reason }) => `${paths.join(', ')} could not be removed: ${explainReason(reason)}`,
    'The files are from an earlier build. Tools of the core would send a signed file of an earlier build instead of the new image.',
    ({ paths }) =>
      `Remove ${paths.length === 1 ? 'the file' : 'the files'} manually (as root after a build with sudo), and do not send ${paths.length === 1 ? 'it' : 'them'}.`,
  ),
  FOLDER_MISSING: entry<PathField>(
    1,
    ({ path }) => `${path} could not be written: its folder does not exist`,
    'Only `header` and `signing` create folders. For other commands, a missing folder usually means a mistyped path.',
    () => 'Create the folder, or correct the path.',
  ),
  FILE_EXISTS: entry<PathField & { what: string }>(
    1,
    ({ path, what }) => `${path} was not written: a ${what} with this name already exists`,
    'Overwriting a private key would lose it: devices that trust it could no longer be updated over the air.',
    () => 'Move the existing file elsewhere, or pass a different file name.',
  ),
};
