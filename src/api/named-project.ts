/**
 * Returns the project that a version or a file name names: `DOOR-7-g14f53a19`, as in the core's documentation, or `door@1.2.0`, as devices
 * with Homie report. The longest name counts, because a project name may contain a hyphen.
 */
export function namedProject(projects: readonly string[], text: string | undefined): string | undefined {
  const lower = text?.toLowerCase() ?? '';
  const named = projects.filter((name) => ['-', '@'].some((end) => lower.startsWith(name.toLowerCase() + end)));
  return named.sort((a, b) => b.length - a.length)[0];
}
