import { basename, dirname, join, sep } from 'node:path';
import * as v from 'valibot';
import type { BuildPart, BuildParts } from '../../core/pack/bill-of-materials.ts';
import { textOrNothing } from '../../files/read.ts';

const part = v.object({ name: v.string(), version: v.nullish(v.string()) });

/** File of the PlatformIO hook, in the folder of the header. */
const hookFile = v.object({
  packages: v.array(part),
  libraries: v.array(part),
  /** Folder of the core. */
  core: v.nullish(v.string()),
});

/** `compile_commands.json`, which arduino-cli writes into the build folder. */
const compileCommands = v.array(v.object({ arguments: v.pipe(v.array(v.string()), v.minLength(1)) }));

/**
 * Reads what a build was made of from the files of its build tool. Files of the build folder are only read, never executed.
 *
 * @param imagePath path of the image in the build folder
 * @returns undefined if neither arduino-cli nor the PlatformIO hook has built the image there
 */
export async function buildParts(imagePath: string): Promise<BuildParts | undefined> {
  const folder = dirname(imagePath);
  return (
    (await platformioParts(join(folder, 'ota', 'parts.json'))) ?? arduinoParts(join(folder, 'compile_commands.json'))
  );
}

async function platformioParts(path: string): Promise<BuildParts | undefined> {
  const found = await parsedFile(path, hookFile);
  if (found === undefined) return undefined;
  const { packages, libraries, core } = found;
  return {
    coreVersion: packages.find(({ name }) => name.startsWith('framework-'))?.version ?? undefined,
    coreParts: core ? await coreParts(core) : [],
    libraries: libraries.map(withVersion),
    tools: packages.filter(({ name }) => !name.startsWith('framework-')).map(withVersion),
  };
}

function withVersion({ name, version }: v.InferOutput<typeof part>): BuildPart {
  return version ? { name, version } : { name };
}

async function arduinoParts(path: string): Promise<BuildParts | undefined> {
  const commands = await parsedFile(path, compileCommands);
  if (commands === undefined) return undefined;
  const words = commands.flatMap(({ arguments: all }) => all);
  const includes = [...new Set(words.filter((word) => word.startsWith('-I')).map((word) => word.slice(2)))];
  const core = includes.find((folder) => /[\\/]cores[\\/]esp8266$/.test(folder));
  const coreFolder = core === undefined ? undefined : dirname(dirname(core));
  const platform = coreFolder === undefined ? undefined : await propertiesIn(join(coreFolder, 'platform.txt'));
  const libraries = await Promise.all(includes.map((folder) => libraryAt(folder, coreFolder)));
  const programs = [...new Set(commands.flatMap(({ arguments: [program] }) => program ?? []))];
  return {
    coreVersion: platform?.get('version'),
    coreParts: coreFolder === undefined ? [] : await coreParts(coreFolder),
    libraries: libraries.filter((library) => library !== undefined),
    tools: programs.flatMap((program) => toolAt(program) ?? []),
  };
}

/** The sources of a library are in its folder, or in the folder `src` below it. Only old libraries have no properties. */
async function libraryAt(folder: string, coreFolder: string | undefined): Promise<BuildPart | undefined> {
  for (const at of [folder, dirname(folder)]) {
    const properties = await propertiesIn(join(at, 'library.properties'));
    if (properties === undefined) continue;
    return withVersion({ name: properties.get('name') ?? basename(at), version: properties.get('version') });
  }
  const isOfCore = coreFolder !== undefined && folder.startsWith(coreFolder + sep);
  const isInLibraries = basename(dirname(folder)) === 'libraries';
  return isInLibraries && !isOfCore ? { name: basename(folder) } : undefined;
}

/** The folder of an installed tool contains its name and version: `tools/xtensa-lx106-elf-gcc/3.1.0-gcc10.3-e5f9fec/bin/…`. */
function toolAt(program: string): BuildPart | undefined {
  const [, name, version] = /[\\/]tools[\\/]([^\\/]+)[\\/]([^\\/]+)[\\/]bin[\\/][^\\/]+$/.exec(program) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}

/** Headers of the core with the versions of its parts, which `ESP.getFullVersion` prints. */
const versionHeaders = [
  { name: 'lwIP', path: 'tools/sdk/lwip2/include/lwip-git-hash.h', version: /LWIP_HASH_STR\s+"([^"]+)"/ },
  { name: 'BearSSL', path: 'tools/sdk/include/bearssl/bearssl_git.h', version: /BEARSSL_GIT\s+(\S+)/ },
] as const;

async function coreParts(coreFolder: string): Promise<readonly BuildPart[]> {
  const parts = versionHeaders.map(async ({ name, path, version }) => {
    const [, found] = version.exec(await textOrNothing(join(coreFolder, path))) ?? [];
    return found === undefined ? [] : [{ name, version: found }];
  });
  return (await Promise.all(parts)).flat();
}

/** Reads a file of Arduino's properties: lines with a name, an equals sign and a value. */
async function propertiesIn(path: string): Promise<ReadonlyMap<string, string> | undefined> {
  const text = await textOrNothing(path);
  if (text === '') return undefined;
  const lines = [...text.matchAll(/^[ \t]*([\w.]+)[ \t]*=[ \t]*(.*?)[ \t]*\r?$/gm)];
  return new Map(lines.map(([, name = '', value = '']) => [name, value]));
}

async function parsedFile<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
): Promise<v.InferOutput<Schema> | undefined> {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(await textOrNothing(path)));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
