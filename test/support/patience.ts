/** Longer than any passing test needs, also on a very slow machine: the time-out only names the event that a hanging test waits for. */
export const patienceMs = 100_000;

/** Beyond the two minutes after which AVA ends a test: a test that waits for it to pass fails. */
export const endlessMs = 3_600_000;
