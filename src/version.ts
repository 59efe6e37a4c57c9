/** Set by the bundler from package.json. Undefined when the sources run unbundled, as in tests. */
declare const OTA_HOOKS_VERSION: string | undefined;

export const toolVersion = typeof OTA_HOOKS_VERSION === 'string' ? OTA_HOOKS_VERSION : '0.0.0-source';
