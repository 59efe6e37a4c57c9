/** Longer than anything takes that works, also on a very slow machine: it only names what a test that hangs waits for. */
export const patienceMs = 100_000;

/** Beyond the two minutes after which AVA ends a test: a test that waits for it to pass fails. */
export const endlessMs = 3_600_000;
