/**
 * Replaces `ava` in bundled tests. AVA starts soon after the first test is declared and then accepts no further tests. This module therefore
 * records the tests of all files that share a process. After the top-level awaits of these files, the entry module calls `declareTests`.
 */
import { isDeepStrictEqual } from 'node:util';
import ava from 'ava';
import pLimit from 'p-limit';
import { skippedBecause } from './several/skipped.mjs';

/** Limits concurrent tests of a process. If all tests ran at once on a slow machine, requests would exceed their time limits. */
const limit = pLimit(8);

const declarations = [];

/** Returns the `test` of a file. It records the calls of `test`, `test.serial`, `test.before` and so on. */
export function recorderOf(file, path = []) {
  return new Proxy(ava, {
    apply: (_, __, args) => void declarations.push({ file, path, args }),
    get: (_, name) => recorderOf(file, [...path, name]),
  });
}

export function declareTests({ isGroup }) {
  for (const { file, path, args } of declarations) {
    const declare = path.reduce((value, name) => value[name], ava);
    const [title, run, ...rest] = args;
    if (typeof title !== 'string') declare(...args);
    else if (skippedBecause(file, title) !== undefined) ava.skip(`${file} › ${title}`, run, ...rest);
    else
      declare(
        isGroup ? `${file} › ${title}` : title,
        path.length > 0 ? compared(run) : limited(compared(run)),
        ...rest,
      );
  }
}

const limited =
  (run) =>
  (t, ...args) =>
    limit(run, t, ...args);

/**
 * Runs a test with a faster `t.deepEqual`: Node.js compares values first, and AVA explains only a difference. AVA compares bytes one by one,
 * which takes 0.25 s of CPU for a sketch of 400 KB, and Node.js less than a millisecond.
 */
const compared =
  (run) =>
  (t, ...args) => {
    const compare = t.deepEqual;
    const deepEqual = (actual, expected, message) =>
      isDeepStrictEqual(actual, expected) ? compare(true, true, message) : compare(actual, expected, message);
    t.deepEqual = Object.assign(deepEqual, { skip: compare.skip });
    return run(t, ...args);
  };
