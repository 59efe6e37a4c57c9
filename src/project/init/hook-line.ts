import {
  ancestryOf,
  combined,
  effectiveOption,
  effectiveValue,
  environmentsOf,
  type FoundOption,
  type IniFile,
  type IniOption,
  type IniSection,
  type IniSections,
  itemsOf,
  readIni,
} from '../build/platformio-ini.ts';
import { type Insertion, withInsertions } from './insertion.ts';

const optionName = 'extra_scripts';

/** Insertions for one file, to be applied in order. */
interface HookEdit {
  readonly path: string;
  /** Sections that were changed, in the order of the insertions. */
  readonly sections: readonly string[];
  readonly insertions: readonly Insertion[];
}

export interface HookPlan {
  readonly edits: readonly HookEdit[];
  /** Sections for which no insertion is certain to leave the other scripts and the other environments unchanged. */
  readonly unresolved: readonly string[];
}

/** Insertion of the hook into a section of a file. */
interface Candidate extends Insertion {
  readonly path: string;
  readonly section: string;
}

/** Returns the scripts of an environment, including the prefixes `pre:` and `post:`. */
export function scriptsOf(ini: IniSections, section: string): readonly string[] {
  return itemsOf(effectiveValue(ini, section, optionName) ?? '');
}

/**
 * Plans the insertions that make environments run the hook. An existing list of scripts is extended in its own format. A list that other
 * environments also use stays as it is: the environment then receives a list of its own, which includes the inherited scripts.
 *
 * @param wanted sections that must run the hook; the scripts of all other environments stay exactly the same
 * @param script script with its prefix, such as `pre:node_modules/ota-hooks/hooks/platformio.py`
 * @param isEditable returns true for the paths of files that may be changed
 */
export function planHookLines(
  files: readonly IniFile[],
  wanted: readonly string[],
  script: string,
  isEditable: (path: string) => boolean = () => true,
): HookPlan {
  const request: HookRequest = { before: combined(files), wanted: new Set(wanted), script };
  const accepted: Candidate[] = [];
  let current = files;
  let open = unhooked(current, request);
  for (let round = 0; open.length > 0; round++) {
    const ini = combined(current);
    const lists = open.map((section) => candidates(current, ini, section, request));
    if (lists.every((list) => list.length <= round)) break;
    const proposed = lists.flatMap((list) => list[round] ?? []).filter(({ path }) => isEditable(path));
    const chosen = harmlessOf(current, distinct(proposed), request);
    const after = applied(current, chosen);
    if (unhooked(after, request).length === open.length) continue;
    accepted.push(...chosen);
    current = after;
    open = unhooked(current, request);
    // The change may offer better candidates to the remaining environments.
    round = -1;
  }
  return { edits: editsOf(accepted), unresolved: open };
}

interface HookRequest {
  readonly before: IniSections;
  readonly wanted: ReadonlySet<string>;
  readonly script: string;
}

function unhooked(files: readonly IniFile[], { wanted, script }: HookRequest): readonly string[] {
  const ini = combined(files);
  return [...wanted].filter((section) => !scriptsOf(ini, section).includes(script));
}

/** Returns the possible insertions for the hook of an environment, in order of preference. Each of them has an effect. */
function candidates(
  files: readonly IniFile[],
  ini: IniSections,
  section: string,
  { script, wanted }: HookRequest,
): readonly Candidate[] {
  const found = effectiveOption(ini, section, optionName);
  const into = (name: string) => ini.byName.get(name) ?? [];
  if (found === undefined) {
    const lineIn = (name: string) => into(name).map((one) => newLine(files, one, script));
    if (wanted.size === 1 && !ini.byName.has('env')) return lineIn(section);
    const shared = ini.byName.has('env') ? lineIn('env') : newSection(files, script);
    return [...shared, ...nearer(ini, section, 'env').flatMap(lineIn)];
  }
  const extended = [...includedLists(ini, found.option), found].map((list) => newItem(files, list, script));
  // A copy keeps the meaning of references such as ${this.name}, which depend on the section.
  const copied = itemsOf(
    found.option.lines
      .map(({ text }) => text)
      .join('\n')
      .trim(),
  );
  const inherited = [[`\${${found.section.name}.${optionName}}`], copied];
  const own = nearer(ini, section, found.section.name)
    .flatMap(into)
    .flatMap((one) => inherited.map((items) => newList(files, one, [...items, script])));
  return [...extended, ...own];
}

/** Returns the ancestors of a section whose options override those of `ancestor`, the most distant first. */
function nearer(ini: IniSections, section: string, ancestor: string): readonly string[] {
  const names = ancestryOf(ini, section);
  const end = names.indexOf(ancestor);
  return names.slice(0, end === -1 ? names.length : end).toReversed();
}

/**
 * Returns the proposed insertions that are harmless ({@link isHarmless}). Groups are tried first, because a project may have hundreds of
 * environments.
 */
function harmlessOf(
  files: readonly IniFile[],
  proposed: readonly Candidate[],
  request: HookRequest,
): readonly Candidate[] {
  let accepted: readonly Candidate[] = [];
  const tryGroup = (group: readonly Candidate[]): void => {
    if (group.length === 0) return;
    const together = inOrderOfUse([...accepted, ...group]);
    if (isHarmless(applied(files, together), request)) {
      accepted = together;
      return;
    }
    if (group.length === 1) return;
    const half = Math.ceil(group.length / 2);
    tryGroup(group.slice(0, half));
    tryGroup(group.slice(half));
  };
  tryGroup(proposed);
  return accepted;
}

/**
 * Returns true if the other scripts of the wanted environments and all scripts of the other environments are unchanged. The resulting text
 * is parsed, because PlatformIO splits lists in its own way.
 */
function isHarmless(files: readonly IniFile[], { before, wanted, script }: HookRequest): boolean {
  const after = combined(files);
  return environmentsOf(before).every((name) => {
    const section = `env:${name}`;
    const [old, now] = [scriptsOf(before, section), scriptsOf(after, section)];
    if (!wanted.has(section)) return isSame(now, old);
    const isOther = (item: string) => item !== script;
    return now.length - now.filter(isOther).length <= 1 && isSame(now.filter(isOther), old.filter(isOther));
  });
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

/** Returns the references to other lists in a list of scripts, such as `${env.extra_scripts}`. */
function includedLists(ini: IniSections, { lines }: IniOption): readonly FoundOption[] {
  const references = lines.flatMap(({ text }) => [...text.matchAll(/\$\{([^.{}]+)\.extra_scripts\}/g)]);
  return references.flatMap(([, name]) => effectiveOption(ini, name ?? '', optionName) ?? []);
}

function newItem(files: readonly IniFile[], { section, option }: FoundOption, script: string): Candidate {
  const { path, name } = section;
  const { lines } = option;
  const [first] = lines;
  const last = lines.findLast(({ text }) => text !== '');
  if (last === undefined) return { path, section: name, at: first?.end ?? 0, text: ` ${script}` };
  if (last === first) return { path, section: name, at: first.end, text: `, ${script}` };
  const text = ownLine(fileOf(files, path), last.next, `${last.indent}${script}`);
  return { path, section: name, at: last.next, text };
}

function newLine(files: readonly IniFile[], section: IniSection, script: string): Candidate {
  const separator = section.options.at(-1)?.separator ?? ' = ';
  return newOption(files, section, `${optionName}${separator}${script}`);
}

/** Adds a list with one item on each line. */
function newList(files: readonly IniFile[], section: IniSection, items: readonly string[]): Candidate {
  const separator = section.options.at(-1)?.separator.trimEnd() ?? ' =';
  return newOption(
    files,
    section,
    [`${optionName}${separator}`, ...items].join(`${lineEndOf(fileOf(files, section.path))}  `),
  );
}

function newOption(files: readonly IniFile[], { path, name, end }: IniSection, lines: string): Candidate {
  return { path, section: name, at: end, text: ownLine(fileOf(files, path), end, lines) };
}

function newSection(files: readonly IniFile[], script: string): readonly Candidate[] {
  const [main] = files;
  if (main === undefined) return [];
  const lineEnd = lineEndOf(main);
  const at = main.text.length;
  const text = ownLine(main, at, `${lineEnd}[env]${lineEnd}${optionName} = ${script}`);
  return [{ path: main.path, section: 'env', at, text }];
}

/** Formats a line for insertion. The last line of the file may lack a line ending. */
function ownLine(file: IniFile, at: number, line: string): string {
  const lineEnd = lineEndOf(file);
  const isUnfinished = at > 0 && file.text.charAt(at - 1) !== '\n';
  return isUnfinished ? `${lineEnd}${line}` : `${line}${lineEnd}`;
}

function lineEndOf({ text }: IniFile): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function fileOf(files: readonly IniFile[], path: string): IniFile {
  const file = files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`no such file: ${path}`);
  return file;
}

/** Sorts insertions by descending position: an insertion then leaves the positions of the following ones unchanged. */
function inOrderOfUse(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((one, other) => other.at - one.at);
}

function applied(files: readonly IniFile[], insertions: readonly Candidate[]): readonly IniFile[] {
  return files.map((file) => {
    const own = insertions.filter(({ path }) => path === file.path);
    return own.length === 0 ? file : readIni(withInsertions(file.text, own), file.path);
  });
}

function distinct(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...new Map(candidates.map((one) => [JSON.stringify([one.path, one.at, one.text]), one])).values()];
}

function editsOf(accepted: readonly Candidate[]): readonly HookEdit[] {
  const paths = [...new Set(accepted.map(({ path }) => path))];
  return paths.map((path) => {
    const own = accepted.filter((one) => one.path === path);
    const sections = [...new Set(own.map(({ section }) => section))];
    return { path, sections, insertions: own.map(({ at, text }) => ({ at, text })) };
  });
}
