/** Timeout longer than any passing test needs, even on a very slow machine. It only reports which event a hanging test is waiting for. */
export const patienceMs = 100_000;

/**
 * Duration longer than AVA's timeout of two minutes. A test that waits this long fails. AVA's timeout ends no test after another test has
 * called `t.timeout` (AVA 7.0 does not start its timer again), so the duration ends the wait in time for CI to report the test.
 */
export const endlessMs = 600_000;
