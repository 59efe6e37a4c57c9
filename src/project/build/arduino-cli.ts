import { type ArduinoHooks, arduinoHookProperties, arduinoPublishProperty } from './arduino-hooks.ts';

/** Property that is part of the key of arduino-cli's core cache and that no recipe of the ESP8266 core uses. */
const saltProperty = 'compiler.optimization_flags';

/**
 * Returns the options of `arduino-cli compile` that add our hooks to one build and change nothing that is installed.
 *
 * arduino-cli shares core.a between all sketches, and the output of a hook is not part of the cache's key (arduino-cli#2382). So a signed
 * sketch would link an Updater that was compiled unsigned, or the reverse. With the salt, each key has its own core, and so have unsigned
 * builds.
 *
 * @param keyId fingerprint of the embedded public key; undefined if the build is unsigned
 * @param publishes whether the build may have to be published
 */
export function arduinoCliOptions(
  hooks: ArduinoHooks,
  keyId: string | undefined,
  publishes = false,
): readonly string[] {
  // Nothing reads this definition, so it is harmless even if a fork of the core uses the property.
  const salt = `-DOTA_HOOKS_KEY=${keyId ?? 'none'}`;
  const properties = [...arduinoHookProperties(hooks), ...(publishes ? [arduinoPublishProperty(hooks)] : [])];
  return [...properties, [saltProperty, salt]].flatMap(([name, value]) => ['--build-property', `${name}=${value}`]);
}
