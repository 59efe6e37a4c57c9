import { commandGroup, type Declaration } from '../../../command.ts';
import { declareRolloutActions } from './act.ts';
import { declareRolloutList } from './list.ts';
import { declareRolloutShow } from './show.ts';
import { declareRolloutStart } from './start.ts';
import { declareRolloutWatch } from './watch.ts';

export function declareRollouts(declaration: Declaration): void {
  commandGroup(
    declaration,
    'rollouts',
    'Manage staged rollouts',
    [
      'ota-hooks server rollouts start door 1.4.3 --server https://ota.example.com',
      'ota-hooks server rollouts show --help',
    ],
    [declareRolloutStart, declareRolloutList, declareRolloutShow, declareRolloutWatch, declareRolloutActions],
  );
}
