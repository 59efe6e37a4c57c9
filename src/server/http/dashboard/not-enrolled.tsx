import type { Child } from 'hono/jsx';
import type { NotEnrolledDevice } from '../../storage/records.ts';
import { Version } from './identifiers.tsx';
import { devicePath } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { When } from './when.tsx';

interface NotEnrolledProps {
  readonly devices: readonly NotEnrolledDevice[];
  /** Undefined if the user may not enroll devices. */
  readonly formToken: string | undefined;
}

/** Shows the devices that were sent nothing because they are not enrolled in a project with the requested alias. */
export function NotEnrolled({ devices, formToken }: NotEnrolledProps) {
  if (devices.length === 0) return undefined;
  return (
    <>
      <h2>Not enrolled</h2>
      <p>These devices request a shared path. They are sent nothing until you enroll them.</p>
      <ul class="cards">
        {devices.map((device) => (
          <li class="card">
            <NotEnrolledCard {...device} formToken={formToken} />
          </li>
        ))}
      </ul>
    </>
  );
}

function NotEnrolledCard({
  mac,
  path,
  projects,
  knownIn,
  version,
  address,
  lastSeenAt,
  formToken,
}: NotEnrolledDevice & Pick<NotEnrolledProps, 'formToken'>) {
  return (
    <>
      <h3 class="mac">{mac}</h3>
      <dl class="facts">
        <Fact name="Path" value={path} />
        <Fact name="Reported version" value={version === undefined ? 'none' : <Version version={version} />} />
        {knownIn.length === 0 ? undefined : <Fact name="Known in" value={knownIn.join(', ')} />}
        <Fact name="Address" value={address} />
        <div>
          <dt>Last seen</dt>
          <dd>
            <When at={lastSeenAt} />
          </dd>
        </div>
      </dl>
      {formToken === undefined ? undefined : (
        <div class="actions">
          {projects.map((project) => (
            <SendForm action={`${devicePath(project, mac)}/enroll`} formToken={formToken}>
              <button type="submit">Enroll in {project}</button>
            </SendForm>
          ))}
        </div>
      )}
    </>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
