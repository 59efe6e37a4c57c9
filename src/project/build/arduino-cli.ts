import { type ArduinoHooks, arduinoHookProperties, arduinoPublishProperty } from './arduino-hooks.ts';

/** A property that goes into the key of arduino-cli's core cache, and that no recipe of the ESP8266 core uses. */
const saltProperty = 'compiler.optimization_flags';

/**
 * The options of `arduino-cli compile` that put our hooks into one build and change nothing that is installed.
 *
 * arduino-cli keeps core.a for all sketches; what a hook generated is no part of the cache's key (arduino-cli#2382), so a
 * signed sketch would link an Updater that was compiled unsigned, or the reverse. The salt gives each key, and building
 * without one, a core of its own.
 *
 * @param keyId what tells the embedded public key from others (its fingerprint); absent: the build is unsigned
 * @param publishes whether the build may have to be published
 */
export function arduinoCliOptions(
  hooks: ArduinoHooks,
  keyId: string | undefined,
  publishes = false,
): readonly string[] {
  // A definition that nothing reads: harmless where a fork of the core does use the property.
  const salt = `-DOTA_HOOKS_KEY=${keyId ?? 'none'}`;
  const properties = [...arduinoHookProperties(hooks), ...(publishes ? [arduinoPublishProperty(hooks)] : [])];
  return [...properties, [saltProperty, salt]].flatMap(([name, value]) => ['--build-property', `${name}=${value}`]);
}
