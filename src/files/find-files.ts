import { resolve } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';

/** Project whose files are searched. Its source tree may be untrusted. */
interface SearchedProject {
  /** Configuration file or source folder, for messages. */
  readonly name: string;
  /** Returns whether a path is outside the project. Symbolic links count as the files that they point to. */
  isOutside(path: string): boolean;
}

export interface FileSearch {
  /** Glob patterns, relative to `folder`. */
  readonly patterns: readonly string[];
  readonly folder: string;
  /** Suffix that is appended to each pattern. */
  readonly suffix?: string;
  /** Project that determines the patterns; undefined if the user named the folder. */
  readonly project: SearchedProject | undefined;
}

/** A pattern with more alternatives takes seconds to compile; 25 pairs of braces would take forever. */
const mostAlternatives = 1000;

/**
 * Finds files by patterns. Links to folders are not followed below a pattern's fixed beginning: links to parent folders would make the
 * search endless.
 *
 * @returns absolute paths in order
 * @throws OtaError CONFIG_INVALID if the project names patterns or files outside the project, or a pattern has too many alternatives
 */
export async function findFiles({ patterns, folder, suffix = '', project }: FileSearch): Promise<string[]> {
  const { default: glob } = await import('fast-glob');
  for (const pattern of patterns) {
    if (alternativesIn(pattern) > mostAlternatives) {
      throw invalid(project, folder, `the pattern ${pattern} has more than ${mostAlternatives} alternatives in braces`);
    }
    // Otherwise, the pattern /** would search the whole disk before a file outside the project is rejected.
    if (project?.isOutside(resolve(folder, fixedBeginning(pattern)))) throw outside(project, folder, pattern);
  }
  const found = await glob(
    patterns.map((pattern) => pattern + suffix),
    {
      cwd: folder,
      absolute: true,
      dot: true,
      followSymbolicLinks: false,
      suppressErrors: true,
      ignore: ['**/node_modules/**', '**/.git/**'],
    },
  );
  const foreign = project && found.find((path) => project.isOutside(path));
  if (foreign !== undefined) throw outside(project, folder, foreign);
  return found.map((path) => resolve(path)).sort();
}

/** Returns an upper bound for the number of patterns into which braces expand. */
function alternativesIn(pattern: string): number {
  const groups = pattern.match(/\{[^{}]*/g) ?? [];
  return groups.reduce((product, group) => product * group.split(/,|\.\./).length, 1);
}

/** Returns the folders of a pattern before the first part with a special character. */
function fixedBeginning(pattern: string): string {
  const parts = pattern.split('/');
  const end = parts.findIndex((part) => /[*?[\]{}()!+@|\\]/.test(part));
  const fixed = (end === -1 ? parts : parts.slice(0, end)).join('/');
  return fixed === '' && pattern.startsWith('/') ? '/' : fixed || '.';
}

function outside(project: SearchedProject | undefined, folder: string, what: string): OtaError {
  return invalid(project, folder, `${what} is outside the project; pass such a file on the command line`);
}

function invalid(project: SearchedProject | undefined, folder: string, problem: string): OtaError {
  return new OtaError('CONFIG_INVALID', { path: project?.name ?? folder, problems: [problem] });
}
