/** Timeout longer than any passing test needs, even on a very slow machine. It only reports which event a hanging test is waiting for. */
export const patienceMs = 100_000;

/** Duration longer than AVA's timeout of two minutes. A test that waits this long fails. */
export const endlessMs = 3_600_000;
