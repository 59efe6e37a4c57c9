/** Text of a `platform.txt` with the signing recipes of core 2.6.0 and later. */
export function platformText(version: string): string {
  const python = '"{runtime.tools.python3.path}/python3"';
  return [
    'name=Some boards',
    `version=${version}`,
    `recipe.hooks.sketch.prebuild.pattern=${python} -I "{runtime.tools.signing}" --mode header`,
    `recipe.objcopy.hex.2.pattern=${python} -I "{runtime.tools.signing}" --mode sign`,
    '',
  ].join('\n');
}
