import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { readRegular } from '../../files/bounded-read.ts';

/**
 * State of the hook in an environment. `hooked`: runs before the libraries. `late`: runs after the libraries, so its builds fail.
 * `missing`: the script does not exist. `absent`: the environment does not list the hook.
 */
type HookState = 'hooked' | 'late' | 'missing' | 'absent';

export interface ListedHook {
  readonly state: HookState;
  /** The item of `extra_scripts`, if the environment lists the hook. */
  readonly script?: string;
}

/** Start of hooks/platformio.py in every version. Other projects have scripts of the same name. */
const hookStart = '"""PlatformIO hook of ota-hooks';

/** Path at which npm installs the hook. A missing file can be recognized as the hook only by this path. */
const installedPath = /(?:^|[\\/])node_modules[\\/]ota-hooks[\\/]hooks[\\/]platformio\.py$/;

/** Recognizes the hook of ota-hooks by its content. Each script is read once. */
export interface HookScripts {
  hookIn(scripts: readonly string[]): Promise<ListedHook>;
}

/**
 * @param folder project folder, to which the paths of scripts are relative
 */
export function hookScripts(folder: string): HookScripts {
  const known = new Map<string, Promise<'hook' | 'missing' | 'other'>>();
  const kindOf = (script: string) => {
    const found = known.get(script) ?? kindOfScript(pathOf(script, folder));
    known.set(script, found);
    return found;
  };
  return {
    async hookIn(scripts) {
      const kinds = await Promise.all(scripts.map(kindOf));
      const script = ['hook', 'missing'].flatMap((kind) => scripts.find((_, index) => kinds[index] === kind) ?? [])[0];
      if (script === undefined) return { state: 'absent' };
      if (kinds[scripts.indexOf(script)] === 'missing') return { state: 'missing', script };
      const isEarly = scripts.some((each, index) => kinds[index] === 'hook' && each.startsWith('pre:'));
      return { state: isEarly ? 'hooked' : 'late', script };
    },
  };
}

function pathOf(script: string, folder: string): string {
  const path = script.replace(/^(?:pre|post):/, '').replace(/\$(?:PROJECT_DIR\b|\{PROJECT_DIR\})/, folder);
  return isAbsolute(path) ? path : resolve(folder, path);
}

async function kindOfScript(path: string): Promise<'hook' | 'missing' | 'other'> {
  if (!existsSync(path)) return installedPath.test(path) ? 'missing' : 'other';
  const text = await readRegular(path, mostScriptBytes).then(String, () => '');
  return text.trimStart().startsWith(hookStart) ? 'hook' : 'other';
}

/** Ten times the size of the hook. */
const mostScriptBytes = 512 * 1024;
