import {
  effectiveOption,
  effectiveValue,
  environmentsOf,
  findSection,
  type IniFile,
  type IniOption,
  type IniSection,
  itemsOf,
  readIni,
} from '../build/platformio-ini.ts';
import { type Insertion, withInsertions } from './insertion.ts';

const optionName = 'extra_scripts';

/** Time at which an environment runs the hook: before the libraries, after the libraries (too late), or never. */
export type HookState = 'hooked' | 'late' | 'absent';

/**
 * Returns the sections of ESP8266 environments. Returns all environments if no platform names the ESP8266, because a platform can be an
 * arbitrary path.
 */
export function esp8266Sections(ini: IniFile): readonly string[] {
  const all = environmentsOf(ini).map((name) => `env:${name}`);
  const named = all.filter((section) => /8266/.test(effectiveValue(ini, section, 'platform') ?? ''));
  return named.length > 0 ? named : all;
}

/** Returns the scripts of an environment, including the prefixes `pre:` and `post:`. */
export function scriptsOf(ini: IniFile, section: string): readonly string[] {
  return itemsOf(effectiveValue(ini, section, optionName) ?? '');
}

/** Finds the ota-hooks hook among an environment's scripts. */
export function hookOf(ini: IniFile, section: string): string | undefined {
  return scriptsOf(ini, section).find((script) => /[\\/]hooks[\\/]platformio\.py$/.test(script));
}

export function hookState(ini: IniFile, section: string): HookState {
  const hook = hookOf(ini, section);
  if (hook === undefined) return 'absent';
  return hook.startsWith('pre:') ? 'hooked' : 'late';
}

/**
 * Returns the insertions that make every ESP8266 environment run the hook. An existing list of scripts is extended in its own format.
 * Without an existing list, a line is added to `[env]` or to the only environment.
 *
 * @param script script with its prefix, such as `pre:node_modules/ota-hooks/hooks/platformio.py`
 * @returns undefined if no insertion is certain to leave the other scripts unchanged
 */
export function hookInsertions(text: string, script: string): readonly Insertion[] | undefined {
  const insertions: Insertion[] = [];
  for (const section of esp8266Sections(readIni(text))) {
    const ini = readIni(withInsertions(text, insertions));
    if (hookState(ini, section) !== 'absent') continue;
    const harmless = candidates(ini, section, script).find((one) => isHarmless(ini, one, section, script));
    if (harmless === undefined) return undefined;
    insertions.push(harmless);
  }
  return insertions;
}

/** Returns the possible insertions for the hook, in order of preference. */
function candidates(ini: IniFile, section: string, script: string): readonly Insertion[] {
  const found = effectiveOption(ini, section, optionName);
  if (found !== undefined) {
    return [...includedLists(ini, found.option), found.option].map((list) => newItem(ini, list, script));
  }
  const shared = findSection(ini, 'env');
  if (shared !== undefined) return [newLine(ini, shared, script)];
  const only = esp8266Sections(ini).length === 1 ? findSection(ini, section) : undefined;
  return [only === undefined ? newSection(ini, script) : newLine(ini, only, script)];
}

/**
 * Returns true if an insertion adds the hook and keeps all other scripts. The resulting text is parsed, because PlatformIO splits lists
 * in its own way.
 */
function isHarmless(ini: IniFile, candidate: Insertion, hooked: string, script: string): boolean {
  const after = readIni(withInsertions(ini.text, [candidate]));
  return environmentsOf(ini)
    .map((name) => `env:${name}`)
    .every((section) => {
      const others = scriptsOf(after, section).filter((item) => item !== script);
      const kept = scriptsOf(ini, section).filter((item) => item !== script);
      const isKept = others.length === kept.length && others.every((item, index) => item === kept[index]);
      return isKept && (section !== hooked || hookState(after, section) === 'hooked');
    });
}

/** Returns the references to other lists in a list of scripts, such as `${env.extra_scripts}`. */
function includedLists(ini: IniFile, { lines }: IniOption): readonly IniOption[] {
  const references = lines.flatMap(({ text }) => [...text.matchAll(/\$\{([^.{}]+)\.extra_scripts\}/g)]);
  return references.flatMap(([, name]) => effectiveOption(ini, name ?? '', optionName)?.option ?? []);
}

function newItem(ini: IniFile, { lines }: IniOption, script: string): Insertion {
  const [first] = lines;
  const last = lines.findLast(({ text }) => text !== '');
  if (last === undefined) return { at: first?.end ?? 0, text: ` ${script}` };
  if (last === first) return { at: first.end, text: `, ${script}` };
  return { at: last.next, text: ownLine(ini, last.next, `${last.indent}${script}`) };
}

function newLine(ini: IniFile, section: IniSection, script: string): Insertion {
  const separator = section.options.at(-1)?.separator ?? ' = ';
  return { at: section.end, text: ownLine(ini, section.end, `${optionName}${separator}${script}`) };
}

function newSection(ini: IniFile, script: string): Insertion {
  const lineEnd = lineEndOf(ini);
  const at = ini.text.length;
  return { at, text: ownLine(ini, at, `${lineEnd}[env]${lineEnd}${optionName} = ${script}`) };
}

/** Formats a line for insertion. The last line of the file may lack a line ending. */
function ownLine(ini: IniFile, at: number, line: string): string {
  const lineEnd = lineEndOf(ini);
  const isUnfinished = at > 0 && ini.text.charAt(at - 1) !== '\n';
  return isUnfinished ? `${lineEnd}${line}` : `${line}${lineEnd}`;
}

function lineEndOf({ text }: IniFile): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
