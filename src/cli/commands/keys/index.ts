import { commandGroup, type Declaration } from '../../command.ts';
import { declareLog } from './log.ts';

/** Commands about signing keys. */
export function declareKeys(declaration: Declaration): void {
  commandGroup(
    declaration,
    'keys',
    'Check the record of what was signed',
    ['ota-hooks keys log verify', 'ota-hooks keys log verify --verbose'],
    [declareLog],
  );
}
