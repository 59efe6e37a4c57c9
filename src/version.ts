/** Put in place by the bundler, from package.json; absent when the sources run as they are, in tests. */
declare const OTA_HOOKS_VERSION: string | undefined;

export const toolVersion = typeof OTA_HOOKS_VERSION === 'string' ? OTA_HOOKS_VERSION : '0.0.0-source';
