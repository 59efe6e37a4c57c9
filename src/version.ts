/** Defined by the bundler, from package.json; undefined when the sources run unbundled, in tests. */
declare const OTA_HOOKS_VERSION: string | undefined;

export const toolVersion = typeof OTA_HOOKS_VERSION === 'string' ? OTA_HOOKS_VERSION : '0.0.0-source';
