import { defaultChannel } from '../../../api/release.ts';

/** Target of a device request. Its parts are used only for lookups, never in a file path. */
export type DeviceRoute =
  | { readonly to: 'update'; readonly project: string; readonly channel: string }
  | { readonly to: 'file'; readonly project: string; readonly from: string; readonly file: string }
  /** Alias of at least one project. */
  | { readonly to: 'alias'; readonly path: string }
  /** Path below `/update/` or `/files/` that does not exist. */
  | { readonly to: 'nowhere' };

/**
 * Parses the path of a request.
 *
 *     /update/PROJECT[/CHANNEL]             the artifact that the planner chooses
 *     /files/PROJECT/VERSION/FILE           an artifact from a version, by its name
 *     /files/PROJECT/@CHANNEL/FILE          an artifact from a channel, by its name
 *
 * Any other path is an alias if a project has it.
 *
 * @returns undefined if the path is not a device path
 */
export function deviceRoute(url: string, isAlias: (path: string) => boolean): DeviceRoute | undefined {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  if (path.startsWith('/update/')) return updateRoute(path);
  if (path.startsWith('/files/')) return fileRoute(path);
  return isAlias(path) ? { to: 'alias', path } : undefined;
}

function updateRoute(path: string): DeviceRoute {
  const [project, channel = defaultChannel, more] = segments(path, '/update/'.length);
  return project === undefined || more !== undefined ? { to: 'nowhere' } : { to: 'update', project, channel };
}

function fileRoute(path: string): DeviceRoute {
  const [project, from, file, more] = segments(path, '/files/'.length);
  const isWhole = project !== undefined && from !== undefined && file !== undefined && more === undefined;
  return isWhole ? { to: 'file', project, from, file } : { to: 'nowhere' };
}

/**
 * Splits and decodes the path. Returns an empty list if a segment cannot be decoded or contains a NUL character, which PostgreSQL rejects. A
 * trailing slash is ignored.
 */
function segments(path: string, start: number): string[] {
  const parts = path.slice(start).split('/');
  if (parts.at(-1) === '') parts.pop();
  try {
    const decoded = path.includes('%') ? parts.map(decodeURIComponent) : parts;
    return decoded.some((segment) => segment.includes('\0')) ? [] : decoded;
  } catch {
    return [];
  }
}
