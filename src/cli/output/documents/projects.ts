import * as v from 'valibot';

/** What the commands about projects and build systems say to programs. All paths are absolute. */

const system = v.picklist(['platformio', 'arduino']);

export const initDocument = v.union([
  v.strictObject({
    folder: v.string(),
    system,
    done: v.array(
      v.strictObject({
        kind: v.picklist(['insert', 'keys', 'node', 'core']),
        path: v.string(),
        says: v.string(),
      }),
    ),
    notes: v.array(v.string()),
    /** The command line that builds. */
    next: v.string(),
  }),
  /** Of --undo. */
  v.strictObject({
    folder: v.string(),
    undone: v.array(v.strictObject({ path: v.string(), outcome: v.string(), why: v.optional(v.string()) })),
  }),
  /** Whoever was asked said no. */
  v.strictObject({ folder: v.string(), declined: v.literal(true) }),
]);

export const doctorDocument = v.strictObject({
  folder: v.string(),
  findings: v.array(
    v.strictObject({
      check: v.string(),
      level: v.picklist(['ok', 'note', 'warning', 'error']),
      says: v.string(),
      mend: v.optional(v.string()),
      /** `--fix` can do it. */
      fixable: v.boolean(),
    }),
  ),
  /** What --fix did. */
  fixed: v.array(v.string()),
});

export const buildDocument = v.strictObject({ source: v.string(), system });

/** Of the Arduino IDE every core; of PlatformIO the line for platformio.ini. */
export const installDocument = v.union([
  v.array(v.strictObject({ platform: v.string(), version: v.optional(v.string()), state: v.string() })),
  v.strictObject({ line: v.string() }),
]);
