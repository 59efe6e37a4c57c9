import { entry } from './entry.ts';

export const simulatorEntries = {
  CORE_UNKNOWN: entry<{ core: string }>(
    2,
    ({ core }) => `Core ${core} cannot be simulated: it is unknown`,
    'The virtual device models the behavior of one core release.',
    () => 'Use core release 2.0.0 or later, such as 3.1.2.',
  ),
};
