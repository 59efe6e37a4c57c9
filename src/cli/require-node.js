/**
 * Exits with an error if Node.js is too old. The CLI imports this file before anything else, and npm runs it before the build and the
 * tests. It is plain JavaScript with old syntax, so that old Node.js versions can run it.
 */
var needed = [20, 19];
var found = process.versions.node.split('.').map(Number);

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(`ota-hooks needs Node.js ${needed.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(2);
}
