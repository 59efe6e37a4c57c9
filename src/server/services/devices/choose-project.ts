import { namedProject } from '../../../api/named-project.ts';
import type { ServiceParts } from '../parts.ts';
import type { Alias } from '../releases/catalog.ts';
import type { ProjectView } from '../releases/project-view.ts';
import type { DeviceReport } from './report.ts';

/** Update check on an alias, which may belong to several projects. */
interface AliasRequest {
  readonly aliases: readonly Alias[];
  readonly mac: string;
  /** MAC of the device's access point. Some device tables list this address. */
  readonly apMac: string | undefined;
  readonly report: DeviceReport;
}

/**
 * Project for an update check on an alias.
 *
 * - chosen: `mac` is the address under which the device is enrolled, otherwise its own address.
 * - none: the device belongs to other projects (`knownIn`), or on a shared alias, it is not known at all or belongs to several projects.
 */
export type ProjectChoice =
  | { readonly kind: 'chosen'; readonly alias: Alias; readonly mac: string }
  | { readonly kind: 'none'; readonly knownIn: readonly string[] };

type Parts = Pick<ServiceParts, 'catalog' | 'records'>;

/** Projects that a piece of evidence points to, and the MAC under which the device is enrolled. */
interface Evidence {
  readonly projects: readonly string[];
  readonly mac: string;
  readonly isEnrollment: boolean;
}

/**
 * Chooses the project of a device on an alias. The strongest evidence decides: the device's enrollment, then its running build, then the
 * name in the version that it reports, which is only a claim. A device that is known in other projects is never sent a release of the
 * alias's projects. Without any evidence, only an alias of a single project serves the device.
 */
export async function chooseProject(parts: Parts, request: AliasRequest): Promise<ProjectChoice> {
  const { aliases, mac } = request;
  let left = aliases;
  let knownIn: readonly string[] = [];
  for await (const { projects, ...evidence } of evidenceOf(parts, request)) {
    const narrowed = left.filter(({ project }) => projects.includes(project));
    if (knownIn.length === 0) knownIn = projects;
    else if (narrowed.length === 0) continue;
    const [alias, ...others] = narrowed;
    if (alias === undefined) return { kind: 'none', knownIn };
    if (others.length === 0) return chosen(parts, alias, evidence, aliases.length > 1);
    left = narrowed;
  }
  const [alias, ...others] = aliases;
  if (alias === undefined || others.length > 0) return { kind: 'none', knownIn };
  return { kind: 'chosen', alias, mac };
}

/** On a shared alias, a closed project does not reject other devices: they may belong to the alias's other projects. */
function chosen(
  { catalog }: Parts,
  alias: Alias,
  { mac, isEnrollment }: Pick<Evidence, 'mac' | 'isEnrollment'>,
  isShared: boolean,
): ProjectChoice {
  const isClosed = catalog.view(alias.project)?.project.access === 'closed';
  if (isShared && isClosed && !isEnrollment) return { kind: 'none', knownIn: [] };
  return { kind: 'chosen', alias, mac };
}

/** Yields the evidence about a device, strongest first. */
async function* evidenceOf(parts: Parts, { mac, apMac, report }: AliasRequest): AsyncGenerator<Evidence> {
  const { catalog } = parts;
  const views = catalog.views();
  const projects = views.map(({ project }) => project.name);
  for (const each of [mac, apMac]) {
    if (each === undefined) continue;
    const found = await enrolledIn(parts, projects, each);
    if (found.length > 0) yield { projects: found, mac: each, isEnrollment: true };
  }
  const running = await recognizedIn(views, report);
  if (running.length > 0) yield { projects: running, mac, isEnrollment: false };
  const named = namedProject(projects, report.version);
  if (named !== undefined) yield { projects: [named], mac, isEnrollment: false };
}

async function enrolledIn({ records }: Parts, projects: readonly string[], mac: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const project of projects) if ((await records.find(project, mac))?.enrolled === true) found.push(project);
  return found;
}

/** Returns the projects with a trusted release or reference build that has the MD5 of the running sketch. */
async function recognizedIn(views: readonly ProjectView[], { sketchMd5 }: DeviceReport): Promise<readonly string[]> {
  if (sketchMd5 === undefined) return [];
  const found: string[] = [];
  for (const { project, recognize } of views) {
    if ((await recognize(sketchMd5)).some(({ isTrusted }) => isTrusted)) found.push(project.name);
  }
  return found;
}
