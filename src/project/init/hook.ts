import { join } from 'node:path';
import { effectiveValue } from '../build/platformio-ini.ts';
import { hookInsertions, hookState } from './hook-line.ts';
import { type Installation, pathInPackage } from './installation.ts';
import type { Project } from './project.ts';
import { emptyPlan, type SetupPlan } from './step.ts';
import { inBytes } from './text-file.ts';

/** Plans the hook line in platformio.ini. A sketch needs no line, because `ota-hooks build` adds the hooks to each build. */
export function planHook({ folder, ini, sections }: Project, installation: Installation): SetupPlan {
  if (ini === undefined) return emptyPlan;
  if (sections.length === 0) {
    return { steps: [], notes: ['platformio.ini has no environment; add one and run init again'] };
  }
  const script = `pre:${pathInPackage(installation, folder, 'hooks/platformio.py')}`;
  const insertions = hookInsertions(ini.text, inBytes(script));
  const late = sections.filter((section) => hookState(ini, section) === 'late');
  const notes = [
    ...late.map(
      (section) =>
        `[${section}] runs the hook too late to affect the libraries; put pre: before its path in extra_scripts`,
    ),
    ...(effectiveValue(ini, 'platformio', 'extra_configs') === undefined
      ? []
      : ['init does not read the files listed in extra_configs; environments in these files may also need the hook']),
  ];
  if (insertions === undefined) {
    const note = `init cannot extend the lists of extra_scripts in platformio.ini; add the hook by hand: ${script}`;
    return { steps: [], notes: [...notes, note] };
  }
  if (insertions.length === 0) return { steps: [], notes };
  if (installation.kind === 'machine') {
    notes.push(
      'the hook path is valid only on this machine; to share the project, run npm install --save-dev ota-hooks in it first',
    );
  }
  const description = `add the hook to platformio.ini: extra_scripts = ${script}`;
  return {
    steps: [{ kind: 'insert', path: join(folder, 'platformio.ini'), isNew: false, insertions, description }],
    notes,
  };
}
