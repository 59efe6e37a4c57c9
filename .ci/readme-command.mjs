/** Prints the README's command for the demo or the tests, so that CI runs what a newcomer would copy. */
import { readFileSync } from 'node:fs';

const wanted = `npm ${process.argv[2] === 'demo' ? 'run demo' : 'test'}`;
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const command = readme.split('\n').find((line) => line.startsWith('npm ci') && line.endsWith(wanted));
if (command === undefined) throw new Error(`README.md has no line "npm ci && … ${wanted}"`);
console.log(command);
