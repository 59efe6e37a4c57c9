import { quickTimings, type Timings } from '../../src/simulator/index.ts';
import { endlessMs } from '../support/patience.ts';

/** No pauses, and no time-out that could end on a slow machine. A test that expects a time-out shortens that one. */
export const patientTimings: Timings = {
  ...quickTimings,
  dialTimeoutMs: endlessMs,
  httpHeaderTimeoutMs: endlessMs,
  httpBodyTimeoutMs: endlessMs,
  webReadTimeoutMs: endlessMs,
};
