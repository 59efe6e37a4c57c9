import type { Check } from '../check.ts';

const oldest = [20, 19] as const;

/** Checks the version of the running Node.js. Hooks use this Node.js unless the build system finds a different one. */
export const node: Check = ({ node: { version, path } }) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
  if (isEnough) return [{ level: 'ok', message: `Node.js ${version} (${path})` }];
  return [
    { level: 'error', message: `Node.js ${version} is too old`, fix: `Install Node.js ${oldest.join('.')} or later` },
  ];
};
