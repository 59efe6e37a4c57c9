import { quickTimings, type Timings } from '../../src/simulator/index.ts';
import { endlessMs } from '../support/patience.ts';

/** No pauses, and no timeout that could expire on a slow machine. A test that expects a timeout shortens only that timeout. */
export const patientTimings: Timings = {
  ...quickTimings,
  connectTimeoutMs: endlessMs,
  httpHeaderTimeoutMs: endlessMs,
  httpBodyTimeoutMs: endlessMs,
  webReadTimeoutMs: endlessMs,
};
