import { type ArduinoHooks, arduinoHookProperties, arduinoPublishProperty } from './arduino-hooks.ts';

/** Property in the cache key of arduino-cli's core cache. No recipe of the ESP8266 core uses this property. */
const saltProperty = 'compiler.optimization_flags';

/**
 * Returns the `arduino-cli compile` options that add the hooks to one build, without changing the installed core.
 *
 * arduino-cli shares core.a between all sketches, and its cache key ignores hook output (arduino-cli#2382). A signed sketch could
 * therefore link an Updater that was compiled without the key. With the salt, each key has a separate cached core, as do unsigned builds.
 *
 * @param keyId fingerprint of the embedded public key; undefined if the build is unsigned
 * @param publishes whether the build may need to be published
 */
export function arduinoCliOptions(
  hooks: ArduinoHooks,
  keyId: string | undefined,
  publishes = false,
): readonly string[] {
  // No code reads this definition. It is harmless even if a fork of the core uses the property.
  const salt = `-DOTA_HOOKS_KEY=${keyId ?? 'none'}`;
  const properties = [...arduinoHookProperties(hooks), ...(publishes ? [arduinoPublishProperty(hooks)] : [])];
  return [...properties, [saltProperty, salt]].flatMap(([name, value]) => ['--build-property', `${name}=${value}`]);
}
