import { entry } from './entry.ts';

export const simulatorEntries = {
  CORE_UNKNOWN: entry<{ core: string; nearest: string }>(
    2,
    ({ core }) => `Core ${core} cannot be simulated: it is unknown`,
    'The virtual device models the behavior of one core release.',
    ({ nearest }) => `Use core release 2.0.0 or later; the nearest release is ${nearest}.`,
  ),
};
