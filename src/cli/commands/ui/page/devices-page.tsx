import { relative } from 'node:path';
import { SendForm } from '../../../../server/http/dashboard/send-form.tsx';
import { StatusBadge } from '../../../../server/http/dashboard/status-badge.tsx';
import { nameOfBuild } from '../build-for-device.ts';
import type { DeviceState, Readiness, UpdateState } from '../device-state.ts';
import type { LocalFleetView } from '../local-fleet.ts';
import type { UnlistedDevice } from '../sightings.ts';
import { LocalPage, type Notice, NoticeText } from './layout.tsx';

interface DevicesPageProps {
  /** Undefined if the project cannot be read. */
  readonly view?: LocalFleetView | undefined;
  readonly notice: Notice | undefined;
  readonly formToken: string;
}

export function DevicesPage({ view, notice, formToken }: DevicesPageProps) {
  const isBusy = view?.devices.some(({ status }) => status === 'updating') ?? false;
  return (
    <LocalPage title="Devices" project={view?.project.settings.config.project} isLive isBusy={isBusy}>
      <h1>Devices</h1>
      <div id="notice" data-live="">
        {notice === undefined ? undefined : <NoticeText {...notice} />}
      </div>
      {view === undefined ? undefined : <Content view={view} formToken={formToken} />}
    </LocalPage>
  );
}

interface ContentProps {
  readonly view: LocalFleetView;
  readonly formToken: string;
}

function Content({ view, formToken }: ContentProps) {
  const { devices, locked, unlisted, mdnsProblem } = view;
  return (
    <>
      <div id="summary" data-live="">
        <p class="lead" role="status">
          {summaryText(devices)}
        </p>
        <Builds view={view} />
      </div>
      <section id="all" data-live="" aria-label="Update all devices">
        <UpdateAll devices={devices} formToken={formToken} />
      </section>
      <section aria-labelledby="inventory-title">
        <h2 id="inventory-title">Your devices</h2>
        <div id="inventory" data-live="">
          {devices.length === 0 ? (
            <p>
              The configuration lists no devices. Add one that is found on the network, or add it to ota.config.json.
            </p>
          ) : (
            <ul class="cards">
              {devices.map((device, index) => (
                <DeviceCard
                  id={`device-${index}`}
                  device={device}
                  isLocked={locked.includes(device.target.name)}
                  formToken={formToken}
                />
              ))}
            </ul>
          )}
        </div>
      </section>
      <section aria-labelledby="found-title">
        <h2 id="found-title">Found on the network</h2>
        <div id="found" data-live="">
          <Found unlisted={unlisted} mdnsProblem={mdnsProblem} />
        </div>
      </section>
    </>
  );
}

function summaryText(devices: readonly DeviceState[]): string {
  const count = (status: DeviceState['status']) => devices.filter((device) => device.status === status).length;
  const parts = [
    [count('updating'), 'updating'],
    [count('up-to-date'), 'up to date'],
    [count('pending') + count('unknown'), 'ready to update'],
    [count('failed'), 'failed'],
    [count('blocked'), 'blocked'],
  ] as const;
  const shown = parts.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`);
  return shown.length === 0 ? 'No devices.' : `${devicesText(devices.length)}: ${shown.join(', ')}.`;
}

function devicesText(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}

function Builds({ view: { project } }: { view: LocalFleetView }) {
  const { builds, buildProblem, settings } = project;
  if (buildProblem !== undefined)
    return <NoticeText kind="problem" text={buildProblem.message} hint={buildProblem.hint} />;
  return (
    <ul class="lines quiet">
      {builds.map((build) => (
        <li>
          Build {nameOfBuild(build)}
          {build.manifest?.board === undefined ? '' : ` for ${build.manifest.board}`}:{' '}
          {relative(settings.source, build.path)}
        </li>
      ))}
    </ul>
  );
}

/** Form for all devices that preflight does not block and that do not run their build yet. */
function UpdateAll({ devices, formToken }: { devices: readonly DeviceState[]; formToken: string }) {
  const wanted = devices.filter(
    ({ readiness, status }) => readiness.kind === 'ready' && status !== 'up-to-date' && status !== 'updating',
  );
  const blocked = devices.filter(({ readiness }) => readiness.kind === 'blocked').length;
  if (wanted.length < 2) return undefined;
  return (
    <div class="card">
      <SendForm action="update" formToken={formToken}>
        {wanted.map(({ target }) => (
          <input type="hidden" name="device" value={target.name} />
        ))}
        <div class="all">
          <div>
            <label for="canary">Devices to update first</label>
            <input
              id="canary"
              name="canary"
              type="number"
              inputmode="numeric"
              min={0}
              max={wanted.length - 1}
              value="1"
              aria-describedby="canary-hint"
            />
          </div>
          <button id="update-all" class="main" type="submit">
            Update all {wanted.length} devices
          </button>
        </div>
        <p id="canary-hint" class="quiet">
          The other devices follow only if the first ones restart and respond.
          {blocked === 0 ? '' : ` ${blocked === 1 ? '1 blocked device is' : `${blocked} blocked devices are`} skipped.`}
        </p>
      </SendForm>
    </div>
  );
}

interface DeviceCardProps {
  readonly id: string;
  readonly device: DeviceState;
  readonly isLocked: boolean;
  readonly formToken: string;
}

function DeviceCard({ id, device, isLocked, formToken }: DeviceCardProps) {
  const { target, seen, running, readiness, update, status } = device;
  return (
    <li class="card">
      <div class="head">
        <h3>{target.name}</h3>
        <StatusBadge status={status} />
      </div>
      <dl class="facts">
        <dt>Runs</dt>
        <dd>{running}</dd>
        <dt>Address</dt>
        <dd class="address">
          {target.host}:{target.port}
        </dd>
        <dt>Board</dt>
        <dd>{target.facts.board ?? 'not set'}</dd>
        <dt>Network</dt>
        <dd>{seen.isPresent ? 'responds to mDNS' : 'does not respond to mDNS'}</dd>
        <Sends readiness={readiness} isLocked={isLocked} />
      </dl>
      {update === undefined ? undefined : <Update name={target.name} update={update} />}
      <Preflight id={id} readiness={readiness} />
      {readiness.kind === 'ready' && update?.kind !== 'active' ? (
        <SendForm action="update" formToken={formToken}>
          <input type="hidden" name="device" value={target.name} />
          <button id={`${id}-update`} class={status === 'up-to-date' ? undefined : 'main'} type="submit">
            {status === 'up-to-date' ? 'Send again' : 'Update'}
            <span class="hidden"> {target.name}</span>
          </button>
        </SendForm>
      ) : undefined}
    </li>
  );
}

function Sends({ readiness, isLocked }: { readiness: Readiness; isLocked: boolean }) {
  if (readiness.kind !== 'ready') return undefined;
  return (
    <>
      <dt>Update</dt>
      <dd>
        {nameOfBuild(readiness.build)}: {readiness.artifact}
      </dd>
      {isLocked ? (
        <>
          <dt>Password</dt>
          <dd>asked before the update</dd>
        </>
      ) : undefined}
    </>
  );
}

function Update({ name, update }: { name: string; update: UpdateState }) {
  if (update.kind === 'active') {
    const percent = update.share === undefined ? undefined : Math.floor(update.share * 100);
    return (
      <div>
        <p>
          {update.text}
          {percent === undefined ? '' : `: ${percent}%`}
        </p>
        <progress max={100} value={percent} aria-label={`Progress of ${name}`} />
      </div>
    );
  }
  return (
    <div>
      <p>{update.text}</p>
      {update.hint === undefined ? undefined : <p class="quiet">{update.hint}</p>}
    </div>
  );
}

function Preflight({ id, readiness }: { id: string; readiness: Readiness }) {
  if (readiness.kind === 'blocked') {
    return (
      <ul class="reasons" aria-label="Reasons why the update is blocked">
        {readiness.reasons.map(({ rule, reason, fix }) => (
          <li>
            <p>
              {rule === undefined ? undefined : <code>{rule}</code>} {reason}
            </p>
            <p class="quiet">{fix}</p>
          </li>
        ))}
      </ul>
    );
  }
  const { warnings } = readiness;
  if (warnings.length === 0) return undefined;
  return (
    <details id={`${id}-warnings`}>
      <summary>{warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`}</summary>
      <ul class="reasons">
        {warnings.map(({ rule, message, fix }) => (
          <li>
            <p>
              <code>{rule}</code> {message}
            </p>
            <p class="quiet">{fix}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Found({ unlisted, mdnsProblem }: { unlisted: readonly UnlistedDevice[]; mdnsProblem: string | undefined }) {
  if (mdnsProblem !== undefined) {
    return (
      <p>
        mDNS is not available ({mdnsProblem}), so devices cannot be found. Add them to ota.config.json by their
        addresses.
      </p>
    );
  }
  if (unlisted.length === 0)
    return <p class="quiet">No other devices responded. The page shows new ones as they appear.</p>;
  return (
    <ul class="cards">
      {unlisted.map(({ host, services }) => (
        <li class="card">
          <div class="head">
            <h3>{host}</h3>
          </div>
          <dl class="facts">
            <dt>Address</dt>
            <dd class="address">
              {[...new Set(services.map(({ address, port }) => `${address}:${port}`))].join(', ')}
            </dd>
            <dt>Service</dt>
            <dd>{services.map(({ method }) => (method === 'web' ? 'web server' : 'ArduinoOTA')).join(', ')}</dd>
            <dt>Board</dt>
            <dd>{services.find(({ board }) => board !== undefined)?.board ?? 'not announced'}</dd>
          </dl>
          <a class="button" href={`add?host=${encodeURIComponent(host)}`}>
            Add…<span class="hidden"> {host}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
