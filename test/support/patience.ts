/** Longer than any passing test needs, even on a very slow machine: the timeout only reports which event a hanging test is waiting for. */
export const patienceMs = 100_000;

/** Longer than AVA's timeout of two minutes: a test that waits this long fails. */
export const endlessMs = 3_600_000;
