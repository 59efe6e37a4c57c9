import { defaultChannel } from '../../../api/release.ts';
import type { Alias } from '../../services/releases/catalog.ts';

/** Where a device's request leads. No part of it ever becomes part of a file's path: all are looked up. */
export type Route =
  | { readonly to: 'update'; readonly project: string; readonly channel: string }
  | { readonly to: 'file'; readonly project: string; readonly from: string; readonly file: string }
  /** Below these paths, and nothing there. */
  | { readonly to: 'nowhere' };

/**
 * Reads the path of a request.
 *
 *     /update/PROJECT[/CHANNEL]             what the planner chooses
 *     /files/PROJECT/VERSION/FILE           an artifact by its name
 *     /files/PROJECT/@CHANNEL/FILE          the same of what a channel offers
 *
 * @returns undefined for paths that are not for devices
 */
export function deviceRoute(url: string, alias: (path: string) => Alias | undefined): Route | undefined {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  if (path.startsWith('/update/')) return updateRoute(path);
  if (path.startsWith('/files/')) return fileRoute(path);
  const found = alias(path);
  return found && { to: 'update', ...found };
}

function updateRoute(path: string): Route {
  const [project, channel = defaultChannel, more] = segments(path, '/update/'.length);
  return project === undefined || more !== undefined ? { to: 'nowhere' } : { to: 'update', project, channel };
}

function fileRoute(path: string): Route {
  const [project, from, file, more] = segments(path, '/files/'.length);
  const isWhole = project !== undefined && from !== undefined && file !== undefined && more === undefined;
  return isWhole ? { to: 'file', project, from, file } : { to: 'nowhere' };
}

/** Empty where one of them can't be decoded; a slash at the end means nothing. */
function segments(path: string, start: number): string[] {
  const parts = path.slice(start).split('/');
  if (parts.at(-1) === '') parts.pop();
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return [];
  }
}
