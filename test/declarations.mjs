/**
 * Replaces `ava` in bundled tests. AVA starts soon after the first test is declared and then accepts no further tests. This module therefore
 * records the tests of all files that share a process. After the top-level awaits of these files, the entry module calls `declareTests`.
 */
import ava from 'ava';

const declarations = [];

/** Records calls of `test`, `test.serial`, `test.before` and so on. */
const recorderOf = (declare) =>
  new Proxy(declare, {
    apply: (_, __, args) => void declarations.push(() => declare(...args)),
    get: (_, name) => recorderOf(declare[name]),
  });

export default recorderOf(ava);

export function declareTests() {
  for (const declare of declarations) declare();
}
