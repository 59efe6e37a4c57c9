import * as v from 'valibot';
import { errorSchema } from './failure.ts';

/** JSON output of project and build system commands. All paths are absolute. */

const system = v.picklist(['platformio', 'arduino']);

export const initDocument = v.union([
  v.strictObject({
    folder: v.string(),
    system,
    done: v.array(
      v.strictObject({
        kind: v.picklist(['insert', 'keys', 'config', 'node', 'core']),
        path: v.string(),
        description: v.string(),
      }),
    ),
    notes: v.array(v.string()),
    /** Command line that builds the project. */
    next: v.string(),
  }),
  /** Result of undoing the steps, present only with --undo. */
  v.strictObject({
    folder: v.string(),
    undone: v.array(v.strictObject({ path: v.string(), outcome: v.string(), reason: v.optional(v.string()) })),
  }),
  /** Result if the user declines the steps. */
  v.strictObject({ folder: v.string(), declined: v.literal(true) }),
]);

export const doctorDocument = v.strictObject({
  error: v.optional(errorSchema),
  folder: v.string(),
  findings: v.array(
    v.strictObject({
      check: v.string(),
      level: v.picklist(['ok', 'note', 'warning', 'error']),
      message: v.string(),
      fix: v.optional(v.string()),
      /** True if `--fix` can fix the problem. */
      fixable: v.boolean(),
    }),
  ),
  /** Fixes that `--fix` applied. */
  fixed: v.array(v.string()),
});

export const buildDocument = v.strictObject({ source: v.string(), system });

/** Result of `install`: the Arduino cores with hooks, or the line for platformio.ini. */
export const installDocument = v.union([
  v.array(v.strictObject({ platform: v.string(), version: v.optional(v.string()), state: v.string() })),
  v.strictObject({ line: v.string() }),
]);

export const completionDocument = v.strictObject({
  shell: v.picklist(['bash', 'zsh', 'fish', 'powershell']),
  script: v.string(),
});
