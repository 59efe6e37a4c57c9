import { entry } from './entry.ts';

export const simulatorEntries = {
  CORE_UNKNOWN: entry<{ core: string }>(
    2,
    ({ core }) => `Core ${core} cannot be simulated: it is unknown`,
    'The virtual device behaves like one core release, so it needs to know what that release does.',
    () => 'Use core release 2.4.0 or later, such as 3.1.2.',
  ),
};
