import { projectsResponse, releasesResponse } from '../../../api/client/responses.ts';
import { didYouMean } from '../../../core/model/nearest-names.ts';
import { queryText, type ServerClient, segment } from './connection.ts';

/** Number of versions, newest first, among whose boards a board is looked up. */
const mostVersions = 100;
const mostWarnings = 5;

/** Warns about a project that the server does not know. The server accepts its name, because the project may be created later. */
export async function warnAboutProject({ request, report }: ServerClient, project: string | undefined): Promise<void> {
  if (project === undefined) return;
  const known = (await request('GET', '/projects', projectsResponse)).projects.map(({ name }) => name);
  if (known.includes(project)) return;
  report.warn(`the server has no project ${project} yet. ${didYouMean(project, known)}`.trimEnd());
}

/**
 * Warns about boards of devices for which the project has no image, so that such a device is sent nothing. The server accepts them, because
 * an image may be published later.
 */
export async function warnAboutBoards(
  { request, report }: ServerClient,
  project: string,
  boards: readonly (string | null | undefined)[],
): Promise<void> {
  const set = new Set(boards.filter((board) => board !== undefined && board !== null));
  if (set.size === 0) return;
  const path = `/projects/${segment(project)}/releases${queryText({ limit: mostVersions })}`;
  const { releases } = await request('GET', path, releasesResponse);
  const images = releases.flatMap((release) => release.images).filter(({ purpose }) => purpose === 'serve');
  const known = images.flatMap(({ board }) => board ?? []);
  // An image without a board is for every board.
  if (known.length < images.length || images.length === 0) return;
  for (const board of [...set].filter((name) => !known.includes(name)).slice(0, mostWarnings)) {
    report.warn(`no image of ${project} is for the board ${board}. ${didYouMean(board, known)}`.trimEnd());
  }
}
