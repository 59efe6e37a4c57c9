import { commandGroup, type Declaration } from '../../command.ts';
import { declareLog } from './log.ts';
import { declareAdd, declareNew } from './new.ts';
import { declareActivate, declareRetire } from './roles.ts';
import { declareStatus } from './status.ts';

/** Commands about signing keys. */
export function declareKeys(declaration: Declaration): void {
  commandGroup(
    declaration,
    'keys',
    'Manage the signing key and backup keys of a project, and check the record of what was signed',
    ['ota-hooks keys status', 'ota-hooks keys log verify'],
    [declareNew, declareAdd, declareActivate, declareRetire, declareStatus, declareLog],
  );
}
