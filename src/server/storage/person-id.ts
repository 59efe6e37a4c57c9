/** Prefix of the IDs of people. The ID of a token consists of hex digits, so neither can be mistaken for the other. */
const prefix = 'person:';

/** Returns the ID under which the access of a person is stored. It is also the actor of their changes in the audit log. */
export function personId(name: string): string {
  return prefix + name;
}

/** Returns the name of a person from their ID; undefined if the ID belongs to a token. */
export function personNamed(id: string): string | undefined {
  return id.startsWith(prefix) ? id.slice(prefix.length) : undefined;
}
