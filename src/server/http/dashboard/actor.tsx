import type { ActorNames } from '../../services/tokens.ts';
import { personNamed } from '../../storage/person-id.ts';

/** Shows who made a change: the name of a person, or the name and the ID of a token. */
export function ActorName({ actor, names }: { readonly actor: string; readonly names: ActorNames }) {
  const person = personNamed(actor);
  if (person !== undefined) return <>{person}</>;
  const name = names.get(actor);
  return (
    <>
      {name === undefined ? undefined : `${name} `}
      <code>{actor}</code>
    </>
  );
}
