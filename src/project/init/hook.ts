import { join } from 'node:path';
import { effectiveValue } from '../build/platformio-ini.ts';
import { hookInsertions, hookState } from './hook-line.ts';
import { type Installation, pathInPackage } from './installation.ts';
import type { Project } from './project.ts';
import { nothing, type Part } from './step.ts';
import { inBytes } from './text-file.ts';

/** Plans the hook's line in platformio.ini. A sketch needs none, because `ota-hooks build` adds the hooks to each build. */
export function hookPart({ folder, ini, sections }: Project, installation: Installation): Part {
  if (ini === undefined) return nothing;
  if (sections.length === 0) {
    return { steps: [], notes: ['platformio.ini has no environment yet; add one, and run init again'] };
  }
  const script = `pre:${pathInPackage(installation, folder, 'hooks/platformio.py')}`;
  const insertions = hookInsertions(ini.text, inBytes(script));
  const late = sections.filter((section) => hookState(ini, section) === 'late');
  const notes = [
    ...late.map((section) => `[${section}] runs the hook too late to reach the libraries: put pre: before its path`),
    ...(effectiveValue(ini, 'platformio', 'extra_configs') === undefined
      ? []
      : ['extra_configs of platformio.ini are not looked into: environments there may need the line as well']),
  ];
  if (insertions === undefined) {
    const note = `the lists of extra_scripts in platformio.ini are too entangled to add to; put this in by hand: ${script}`;
    return { steps: [], notes: [...notes, note] };
  }
  if (insertions.length === 0) return { steps: [], notes };
  if (installation.kind === 'machine') {
    notes.push(
      'the path of the hook is one of this machine: to share the project, npm install --save-dev ota-hooks in it first',
    );
  }
  const says = `add the hook to platformio.ini: extra_scripts = ${script}`;
  return { steps: [{ kind: 'insert', path: join(folder, 'platformio.ini'), isNew: false, insertions, says }], notes };
}
