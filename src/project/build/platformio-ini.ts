/**
 * Reads a platformio.ini as PlatformIO does (`ProjectConfig`, based on Python's configparser). Supports lowercase option names, multi-line
 * values, comments after blanks, `extends`, and `[env]` as the base of all environments. Positions are offsets into the text, so that an
 * insertion leaves all other lines unchanged.
 */

/** Sections of one file or of several files. A section may occur once in each file; a later file overrides an earlier one. */
export interface IniSections {
  readonly sections: readonly IniSection[];
  /** The sections by name, in the order of the files. */
  readonly byName: ReadonlyMap<string, readonly IniSection[]>;
}

export interface IniFile extends IniSections {
  /** Absolute path, or any name that identifies the file. */
  readonly path: string;
  readonly text: string;
}

export interface IniSection {
  readonly name: string;
  /** Path of the file that contains the section. */
  readonly path: string;
  readonly options: readonly IniOption[];
  /** Offset of the end of the last line that is neither blank nor a comment, including the line ending. */
  readonly end: number;
}

export interface IniOption {
  readonly name: string;
  /** Text between the name and the value, such as ` = `. */
  readonly separator: string;
  /** Lines of the value, without comments. The first line follows the name, and is often empty. */
  readonly lines: readonly IniLine[];
}

interface IniLine {
  readonly text: string;
  readonly indent: string;
  /** Offsets of the start and the end of `text`; the end is exclusive. */
  readonly start: number;
  readonly end: number;
  /** Offset of the start of the next line. */
  readonly next: number;
}

/** Parses the text. Lines with invalid syntax are ignored. */
export function readIni(text: string, path = 'platformio.ini'): IniFile {
  const sections: OpenSection[] = [];
  let optionIndent = 0;
  for (const { line, start, next } of linesOf(text)) {
    const bare = withoutComment(line);
    const section = sections.at(-1);
    const option = section?.options.at(-1);
    const indent = /^\s*/.exec(bare)?.[0].length ?? 0;
    if (bare === '') continue;
    if (section !== undefined && option !== undefined && indent > optionIndent) {
      option.lines.push(lineAt(bare, start, next));
      section.end = next;
      continue;
    }
    optionIndent = indent;
    const header = /^\s*\[(.+)\]/.exec(bare)?.[1];
    if (header !== undefined) {
      sections.push({ name: header, path, options: [], end: next });
      continue;
    }
    const [, name, separator] = /^(.*?)(\s*[=:][ \t]*)/.exec(bare) ?? [];
    if (section === undefined || name === undefined || separator === undefined) continue;
    const valueStart = name.length + separator.length;
    const value = { ...lineAt(bare.slice(valueStart), start + valueStart, next), indent: '' };
    section.options.push({ name: name.trim().toLowerCase(), separator, lines: [value] });
    section.end = next;
  }
  return { path, text, ...indexed(sections) };
}

interface OpenSection extends IniSection {
  readonly options: { name: string; separator: string; lines: IniLine[] }[];
  end: number;
}

/** Combines the sections of several files, in the order in which PlatformIO reads the files. */
export function combined(files: readonly IniFile[]): IniSections {
  return indexed(files.flatMap(({ sections }) => sections));
}

function indexed(sections: readonly IniSection[]): IniSections {
  const byName = new Map<string, IniSection[]>();
  for (const section of sections) {
    const same = byName.get(section.name);
    if (same === undefined) byName.set(section.name, [section]);
    else same.push(section);
  }
  return { sections, byName };
}

/** Returns the names of all environments, without the prefix `env:`. */
export function environmentsOf(ini: IniSections): readonly string[] {
  return [...ini.byName.keys()].flatMap((name) => /^env:(.+)$/.exec(name)?.[1] ?? []);
}

/** Effective option of a section, and the section that defines the option. */
export interface FoundOption {
  readonly section: IniSection;
  readonly option: IniOption;
}

/**
 * Finds the effective option of a section. The sources are the section itself, its `extends` sections, and `[env]` for environments
 * (`walk_options`).
 */
export function effectiveOption(ini: IniSections, sectionName: string, name: string): FoundOption | undefined {
  for (const ancestor of ancestryOf(ini, sectionName)) {
    const found = definedOption(ini, ancestor, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Finds an option in a section itself, in the last file that sets it. */
function definedOption(ini: IniSections, sectionName: string, name: string): FoundOption | undefined {
  for (const section of ini.byName.get(sectionName)?.toReversed() ?? []) {
    const option = section.options.find((one) => one.name === name);
    if (option !== undefined) return { section, option };
  }
  return undefined;
}

/** Returns the names and values of all effective options of a section. */
export function effectiveOptions(ini: IniSections, sectionName: string): ReadonlyMap<string, string> {
  const sections = ancestryOf(ini, sectionName).flatMap((name) => ini.byName.get(name) ?? []);
  const names = new Set(sections.flatMap(({ options }) => options.map(({ name }) => name)));
  return new Map([...names].map((name) => [name, effectiveValue(ini, sectionName, name) ?? '']));
}

/** Returns the effective value of an option, with `${section.option}` expanded. Returns undefined if the option is not set. */
export function effectiveValue(ini: IniSections, sectionName: string, name: string): string | undefined {
  return expanded(ini, sectionName, name, 0);
}

/** Splits a value into items: one item per line, or comma-separated items on a single line (`parse_multi_values`). */
export function itemsOf(value: string): readonly string[] {
  return value
    .split(value.includes('\n') ? '\n' : ', ')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Returns the names of the sections whose options apply to a section, in order of precedence: itself, `extends`, `[env]`. */
export function ancestryOf(ini: IniSections, sectionName: string): readonly string[] {
  const waiting = sectionName.startsWith('env:') ? ['env', sectionName] : [sectionName];
  const found = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (!ini.byName.has(name) || found.has(name)) continue;
    found.add(name);
    waiting.push(...basesOf(ini, name));
  }
  return [...found];
}

/** Returns the sections that a section extends. */
function basesOf(ini: IniSections, sectionName: string): readonly string[] {
  const base = definedOption(ini, sectionName, 'extends');
  return base === undefined ? [] : itemsOf(rawValue(base.option));
}

/** Returns the sections of a circular `extends`, in order. PlatformIO would follow such a circle forever. */
export function circularExtends(ini: IniSections): readonly string[] | undefined {
  const left = new Map([...ini.byName.keys()].map((name) => [name, basesOf(ini, name)]));
  const isLeft = (name: string) => left.has(name);
  for (let size = Infinity; left.size < size; ) {
    size = left.size;
    for (const [name, bases] of left) if (!bases.some(isLeft)) left.delete(name);
  }
  // Every section that is left extends a section that is left, so the walk returns to a section.
  const path: string[] = [];
  for (let [name] = left.keys(); name !== undefined; name = left.get(name)?.find(isLeft)) {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    path.push(name);
  }
  return undefined;
}

/**
 * Maximum depth of references, at which circular references end. Circular references and references to missing options are kept as text.
 */
const deepest = 20;

function expanded(ini: IniSections, sectionName: string, name: string, depth: number): string | undefined {
  const found = effectiveOption(ini, sectionName, name);
  if (found === undefined || depth > deepest) return undefined;
  return rawValue(found.option).replace(/\$\{([^.{}()]+)\.([^{}]+)\}/g, (written, section: string, option: string) => {
    if (section === 'this' && option === '__env__') return sectionName.replace(/^env:/, '');
    const target = section === 'this' ? sectionName : section;
    const value = expanded(ini, target, option.toLowerCase(), depth + 1);
    if (value === undefined) return written;
    return /^env(?::|$)/.test(target) && listOptions.has(option.toLowerCase()) ? itemsOf(value).join('\n') : value;
  });
}

function rawValue({ lines }: IniOption): string {
  return lines
    .map(({ text }) => text)
    .join('\n')
    .trim()
    .replaceAll('%%', '%');
}

/** Options of environments that are lists (`multiple` in PlatformIO). A reference to a list has one item on each line. */
const listOptions: ReadonlySet<string> = new Set([
  ...['build_flags', 'build_src_filter', 'build_src_flags', 'build_unflags', 'extends', 'extra_scripts', 'framework'],
  ...['lib_deps', 'lib_extra_dirs', 'lib_ignore', 'monitor_filters', 'platform_packages', 'targets', 'upload_flags'],
]);

/** Removes whole-line comments and comments that follow a blank. */
function withoutComment(line: string): string {
  return line.replace(/(?:^|\s)[;#].*$/, '').trimEnd();
}

function lineAt(line: string, start: number, next: number): IniLine {
  const text = line.trim();
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const textStart = start + (text === '' ? 0 : indent.length);
  return { text, indent, start: textStart, end: textStart + text.length, next };
}

function* linesOf(text: string): Generator<{ line: string; start: number; next: number }> {
  // Byte order mark, as it appears in text decoded as UTF-8 or latin1.
  let start = /^(?:\uFEFF|\u00EF\u00BB\u00BF)?/.exec(text)?.[0].length ?? 0;
  while (start < text.length) {
    const lineEnd = text.indexOf('\n', start);
    const next = lineEnd === -1 ? text.length : lineEnd + 1;
    yield { line: text.slice(start, next).replace(/\r?\n$/, ''), start, next };
    start = next;
  }
}
