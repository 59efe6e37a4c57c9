import { type ArduinoHooks, arduinoHookProperties, arduinoPublishProperty } from './arduino-hooks.ts';

/** Property that arduino-cli includes in its core cache key and that no ESP8266 core recipe uses. */
const saltProperty = 'compiler.optimization_flags';

/**
 * Returns the `arduino-cli compile` options that add our hooks to one build without changing anything installed.
 *
 * arduino-cli shares core.a between all sketches, and hook output is not part of the cache key (arduino-cli#2382). A signed sketch could
 * therefore link an Updater that was compiled unsigned, or the reverse. The salt gives each key its own cached core, and unsigned builds
 * another one.
 *
 * @param keyId fingerprint of the embedded public key; undefined if the build is unsigned
 * @param publishes whether the build may need to be published
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
