import * as v from 'valibot';

/** The kinds of values that manifests and device facts are made of. */
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in lower-case hex'));
export const md5 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'not an MD5 in lower-case hex'));
export const sizeBytes = v.pipe(v.number(), v.integer(), v.minValue(0));
export const flashMode = v.picklist(['qio', 'qout', 'dio', 'dout']);

/**
 * `true` where two types are identical. Public interfaces are written out, so that the package's declarations need no schema library;
 * `true satisfies Same<Interface, v.InferOutput<typeof schema>>` beside each does not compile when it differs from its schema.
 */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** What a schema describes, as those see it who only read it. */
export type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value;
