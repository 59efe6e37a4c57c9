/** Prints the software bill of materials of the package (CycloneDX): its dependencies, and the packages whose code is in dist/. */
import { readFileSync } from 'node:fs';
import { execa } from 'execa';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly properties?: readonly { readonly name: string }[];
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn?: readonly string[];
}

const { name, version, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const root = `${name}@${version}`;
const { stdout } = await execa('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']);
const bom = JSON.parse(stdout);
const bundled = bundledPackages(readFileSync('dist/licenses.txt', 'utf8')).map(installed);
const components = (bom.components as readonly Component[]).filter(
  (each) => bundled.includes(each['bom-ref']) || !isForDevelopment(each),
);
const refs = new Set([root, ...components.map((each) => each['bom-ref'])]);
const dependencies = (bom.dependencies as readonly Dependency[])
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) }));
const missing = bundled.filter((each) => !refs.has(each));
if (missing.length > 0) throw new Error(`not in package-lock.json: ${missing.join(', ')}`);
// npm uses the name of the folder.
const metadata = { ...bom.metadata, component: { ...bom.metadata.component, name } };
console.log(JSON.stringify({ ...bom, metadata, components, dependencies }, null, 2));

/** npm marks packages that only development needs, except those that are also an optional peer of a dependency (TypeScript). */
function isForDevelopment({ name: of, properties = [] }: Component): boolean {
  return Object.hasOwn(devDependencies, of) || properties.some((each) => each.name === 'cdx:npm:package:development');
}

/** Returns the reference of an installed package: its name and version. */
function installed(of: string): string {
  return `${of}@${JSON.parse(readFileSync(`node_modules/${of}/package.json`, 'utf8')).version}`;
}

/** Reads the names from the file that the build writes: each license follows a line with the name of its package. */
function bundledPackages(licenses: string): readonly string[] {
  const [head = '', ...rest] = licenses.split(`\n\n${'-'.repeat(72)}\n\n`);
  const first = head.slice(head.indexOf('\n\n') + 2);
  return [first, ...rest].map((text) => text.slice(0, text.indexOf('\n')));
}
