import * as v from 'valibot';

export const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

export const fromEnvironment = v.strictObject({
  env: v.pipe(text, v.description('Name of the environment variable that holds it.')),
});
const fromFile = v.strictObject({
  file: v.pipe(text, v.description('Path of the file that holds it, relative to this configuration.')),
});
const fromPrompt = v.strictObject({
  prompt: v.pipe(v.literal(true), v.description('It is asked for, on a terminal.')),
});

const never = 'a secret never stands in the configuration itself';

/** A secret never stands in the configuration itself. */
export const secretSource = v.union(
  [fromEnvironment, fromFile],
  `must be {"env": "NAME"} or {"file": "PATH"} (${never})`,
);

/** The same for what a person types, who sits at the terminal of an upload but not at that of a build. */
export const passwordSource = v.union(
  [fromEnvironment, fromFile, fromPrompt],
  `must be {"env": "NAME"}, {"file": "PATH"} or {"prompt": true} (${never})`,
);

export type SecretSource = v.InferOutput<typeof secretSource>;
export type PasswordSource = v.InferOutput<typeof passwordSource>;
