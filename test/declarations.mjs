/**
 * The `ava` of bundled tests. AVA starts when the first test is declared and then accepts no more, so the tests of all files that share a
 * process are kept here until the top-level awaits of these files are over; then the bundle's entry calls `declareTests`.
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
