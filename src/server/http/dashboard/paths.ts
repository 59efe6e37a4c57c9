/** Returns the path to a page of a project. */
export function projectPath(project: string, ...more: readonly (string | number)[]): string {
  return ['', 'projects', project, ...more].map((part) => encodeURIComponent(part)).join('/');
}

export function devicePath(project: string, mac: string): string {
  return projectPath(project, 'devices', mac);
}

/** Returns the path to the page of a release. A version may contain any ASCII characters, such as dots and slashes only. */
export function releasePath(project: string, version: string, more: Readonly<Record<string, string>> = {}): string {
  return withQuery(projectPath(project, 'release'), { version, ...more });
}

/** Appends a query string with the values that are defined. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | readonly string[] | undefined>>,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) parameters.append(name, each);
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}
