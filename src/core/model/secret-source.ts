import * as v from 'valibot';
import type { Same } from './fields.ts';

/** Environment variable that contains a configuration value. */
export interface FromEnvironment {
  env: string;
}

/** Path of a file that contains a value, relative to the configuration file. */
export interface FromFile {
  file: string;
}

/** Password that the user enters at a prompt. */
export interface FromPrompt {
  prompt: true;
}

/** Source of a secret. The configuration never contains the secret itself. */
export type SecretSource = FromEnvironment | FromFile;

/**
 * Source of a password. A password can be entered at a prompt, because uploads can be interactive. Other secrets cannot, because builds
 * are not interactive.
 */
export type PasswordSource = SecretSource | FromPrompt;

/** @internal */
export const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

/** @internal */
export const fromEnvironment = v.strictObject({
  env: v.pipe(text, v.description('Name of the environment variable that contains the value.')),
});
/** @internal */
export const fromFile = v.strictObject({
  file: v.pipe(text, v.description('Path of the file that contains the value, relative to this configuration.')),
});
const fromPrompt = v.strictObject({
  prompt: v.pipe(v.literal(true), v.description('Prompt for the value on the terminal.')),
});

const never = 'the configuration must not contain the secret itself';

/** @internal */
export const secretSource = v.union(
  [fromEnvironment, fromFile],
  `must be {"env": "NAME"} or {"file": "PATH"}; ${never}`,
);

/** @internal */
export const passwordSource = v.union(
  [fromEnvironment, fromFile, fromPrompt],
  `must be {"env": "NAME"}, {"file": "PATH"} or {"prompt": true}; ${never}`,
);

true satisfies Same<SecretSource, v.InferOutput<typeof secretSource>>;
true satisfies Same<PasswordSource, v.InferOutput<typeof passwordSource>>;
