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

/** How an environment runs our hook: before the libraries, too late to reach them, or not at all. */
export type HookState = 'hooked' | 'late' | 'absent';

/** The sections of the environments that build for an ESP8266; all environments when none says so, since a platform may have any path. */
export function esp8266Sections(ini: IniFile): readonly string[] {
  const all = environmentsOf(ini).map((name) => `env:${name}`);
  const named = all.filter((section) => /8266/.test(effectiveValue(ini, section, 'platform') ?? ''));
  return named.length > 0 ? named : all;
}

/** The scripts of an environment, with their `pre:` and `post:`. */
export function scriptsOf(ini: IniFile, section: string): readonly string[] {
  return itemsOf(effectiveValue(ini, section, optionName) ?? '');
}

/** Our hook among the scripts of an environment. */
export function hookOf(ini: IniFile, section: string): string | undefined {
  return scriptsOf(ini, section).find((script) => /[\\/]hooks[\\/]platformio\.py$/.test(script));
}

export function hookState(ini: IniFile, section: string): HookState {
  const hook = hookOf(ini, section);
  if (hook === undefined) return 'absent';
  return hook.startsWith('pre:') ? 'hooked' : 'late';
}

/**
 * What to put into a platformio.ini so that every environment for an ESP8266 runs the hook. A list of scripts gets one item more, in the
 * form that it has; where there is none, one line joins the section that all environments share.
 *
 * @param script such as `pre:node_modules/ota-hooks/hooks/platformio.py`
 * @returns undefined when the lists of scripts are too entangled to be sure that none is harmed
 */
export function hookInsertions(text: string, script: string): readonly Insertion[] | undefined {
  const insertions: Insertion[] = [];
  for (const section of esp8266Sections(readIni(text))) {
    const ini = readIni(withInsertions(text, insertions));
    if (hookState(ini, section) !== 'absent') continue;
    const harmless = waysIn(ini, section, script).find((way) => isHarmless(ini, way, section, script));
    if (harmless === undefined) return undefined;
    insertions.push(harmless);
  }
  return insertions;
}

/** Where the hook could go, the best place first. */
function waysIn(ini: IniFile, section: string, script: string): readonly Insertion[] {
  const found = effectiveOption(ini, section, optionName);
  if (found !== undefined) {
    return [...listsBehind(ini, found.option), found.option].map((list) => newItem(ini, list, script));
  }
  const shared = findSection(ini, 'env');
  if (shared !== undefined) return [newLine(ini, shared, script)];
  const only = esp8266Sections(ini).length === 1 ? findSection(ini, section) : undefined;
  return [only === undefined ? newSection(ini, script) : newLine(ini, only, script)];
}

/** PlatformIO splits lists in a way of its own: what comes out of it decides, not what the text looks like. */
function isHarmless(ini: IniFile, way: Insertion, hooked: string, script: string): boolean {
  const after = readIni(withInsertions(ini.text, [way]));
  return environmentsOf(ini)
    .map((name) => `env:${name}`)
    .every((section) => {
      const others = scriptsOf(after, section).filter((item) => item !== script);
      const kept = scriptsOf(ini, section).filter((item) => item !== script);
      const isKept = others.length === kept.length && others.every((item, index) => item === kept[index]);
      return isKept && (section !== hooked || hookState(after, section) === 'hooked');
    });
}

/** The lists of other sections that a list takes over: `${env.extra_scripts}`. */
function listsBehind(ini: IniFile, { lines }: IniOption): readonly IniOption[] {
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

/** A line of its own; the last line of a file may lack an end. */
function ownLine(ini: IniFile, at: number, line: string): string {
  const lineEnd = lineEndOf(ini);
  const isUnfinished = at > 0 && ini.text.charAt(at - 1) !== '\n';
  return isUnfinished ? `${lineEnd}${line}` : `${line}${lineEnd}`;
}

function lineEndOf({ text }: IniFile): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
