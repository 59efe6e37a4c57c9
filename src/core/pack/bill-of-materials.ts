import type { Manifest } from '../model/manifest.ts';

/** Named part of a build, in the version that its build tool reports. */
export interface BuildPart {
  readonly name: string;
  /** Absent if the part has no version, such as a library in the folder of the project. */
  readonly version?: string | undefined;
}

/** Parts of a build, read from the files of its build tool. */
export interface BuildParts {
  /** Version of the core, for an image whose core is not recognized. */
  readonly coreVersion?: string | undefined;
  /** Parts that the core contains: lwIP and BearSSL. */
  readonly coreParts: readonly BuildPart[];
  readonly libraries: readonly BuildPart[];
  /** Packages with the compiler and other tools. */
  readonly tools: readonly BuildPart[];
}

interface Component {
  readonly type: 'firmware' | 'framework' | 'library' | 'application';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string | undefined;
  readonly purl?: string | undefined;
  /** `excluded`: a tool, which is not part of the firmware. */
  readonly scope?: 'required' | 'excluded';
  readonly components?: readonly Component[] | undefined;
}

/**
 * Describes what an image consists of as a CycloneDX 1.6 document. Equal builds have equal documents, so it contains neither a time nor a
 * random number.
 *
 * @param parts undefined if no file of the build tool was found; the core and its SDK are then known only from the image
 * @param compilers compilers that have left their names in the ELF file
 */
export function billOfMaterials(
  manifest: Manifest,
  parts: BuildParts | undefined,
  compilers: readonly BuildPart[],
): object {
  const { image, tool, project, version, builder, sourceCommit } = manifest;
  const core = coreOf(manifest, parts);
  const libraries = (parts?.libraries ?? []).map((part) => component('library', 'library', part));
  const tools = [...compilers, ...(parts?.tools ?? [])].map((part) =>
    component('application', 'tool', part, 'excluded'),
  );
  const components = distinct([...(core === undefined ? [] : [core]), ...libraries, ...tools]);
  const root = `firmware:${image.file}`;
  const used = components.filter(({ scope }) => scope !== 'excluded').map((each) => each['bom-ref']);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: tool.name, version: tool.version }] },
      component: {
        type: 'firmware',
        'bom-ref': root,
        name: project ?? image.file,
        version,
        hashes: [
          { alg: 'MD5', content: image.md5 },
          { alg: 'SHA-256', content: image.sha256 },
        ],
        ...(sourceCommit !== undefined && { pedigree: { commits: [{ uid: sourceCommit }] } }),
        properties: properties({ file: image.file, kind: image.kind, board: manifest.board, builder }),
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: used }, ...components.map((each) => ({ ref: each['bom-ref'] }))],
    // The C library and the parts of the SDK have no version that a build tool reports.
    compositions: [{ aggregate: parts === undefined ? 'unknown' : 'incomplete', assemblies: [root] }],
  };
}

/** Returns the core of a sketch with its parts. Only the image shows which SDK the linker has used. */
function coreOf({ image }: Manifest, parts: BuildParts | undefined): Component | undefined {
  if (image.kind !== 'sketch') return undefined;
  const version = image.core ?? parts?.coreVersion;
  const sdks = (image.traces?.sdkVersions ?? []).map((sdk) => ({ name: 'ESP8266 NONOS SDK', version: sdk }));
  const own = [...sdks, ...(parts?.coreParts ?? [])].map((part) => component('library', 'core', part));
  return {
    ...component('framework', 'core', { name: 'Arduino core for ESP8266', version }),
    // A recognized core is a release, whose tag is its version.
    purl: image.core === undefined ? undefined : `pkg:github/esp8266/Arduino@${encodeURIComponent(image.core)}`,
    components: own.length === 0 ? undefined : distinct(own),
  };
}

function component(
  type: Component['type'],
  group: string,
  { name, version }: BuildPart,
  scope: Component['scope'] = 'required',
): Component {
  return { type, 'bom-ref': `${group}:${name}@${version ?? ''}`, name, version, scope };
}

/** A build tool can name a part twice. References must be unique. */
function distinct(components: readonly Component[]): readonly Component[] {
  return [...new Map(components.map((each) => [each['bom-ref'], each])).values()];
}

function properties(values: Readonly<Record<string, string | undefined>>) {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: `ota-hooks:${name}`, value }],
  );
}
