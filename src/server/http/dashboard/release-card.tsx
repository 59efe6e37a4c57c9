import type { Manifest, RuleAllowance } from '../../../core/model/manifest.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import { checkRelease } from '../../../core/preflight/check-release.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { Facts } from './facts.tsx';
import { projectPath } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { When } from './when.tsx';

interface ReleaseCardProps {
  readonly release: ReleaseRecord;
  /** Channels that serve this release as their current release. */
  readonly channels: readonly string[];
  /** Form token for the yank button; undefined if the user may not yank the release. */
  readonly formToken: string | undefined;
}

const enforcements: Readonly<Record<Manifest['enforcement'], string>> = {
  elf: 'yes: the ELF file contains the verifier of the core',
  declared: 'declared, not verified',
  unproven: 'unknown',
};

export function ReleaseCard({ release, channels, formToken }: ReleaseCardProps) {
  const { id, version, kind, board, purpose, publishedAt, yanked, manifest } = release;
  const { image, signing, enforcement, sourceCommit } = manifest;
  return (
    <article class="card" id={`release-${id}`} aria-labelledby={`title-${id}`}>
      <h2 id={`title-${id}`}>
        {version} <span class="quiet">{[kind, board].filter((word) => word !== '').join(', ')}</span>
      </h2>
      <p class="lead">
        <Marks {...release} channels={channels} />
      </p>
      <Facts
        facts={[
          ['Published', <When at={publishedAt} exact />],
          ['Reason for yanking', yanked],
          ['Core', image.core],
          ['Source commit', sourceCommit !== undefined && <code>{sourceCommit}</code>],
          ['Image', `${image.file}, ${sizeText(image.sizeBytes)}`],
          ['Signing key', signing.publicKey === undefined ? 'unsigned' : <code>{signing.publicKey.fingerprint}</code>],
          [
            'Verifies update signatures',
            kind === 'sketch' && signing.publicKey !== undefined && enforcements[enforcement],
          ],
        ]}
      />
      {purpose === 'reference' ? undefined : <Artifacts {...manifest} />}
      {purpose === 'reference' ? undefined : <Warnings manifest={manifest} />}
      <AllowedRules rules={manifest.allowedRules ?? []} />
      {formToken === undefined || purpose === 'reference' || yanked !== undefined ? undefined : (
        <Yank release={release} formToken={formToken} />
      )}
    </article>
  );
}

function Marks({ purpose, yanked, channels }: ReleaseRecord & { channels: readonly string[] }) {
  if (yanked !== undefined) return <span class="badge failed">✕ yanked</span>;
  if (purpose === 'reference') return <span class="badge unknown">– reference build</span>;
  if (channels.length === 0) return <span class="badge unknown">– no channel</span>;
  return (
    <>
      {channels.map((channel) => (
        <span class="badge up-to-date">✓ {channel}</span>
      ))}
    </>
  );
}

function Artifacts({ artifacts }: Manifest) {
  return (
    <section class="scroll" aria-label="Artifacts" tabindex={0}>
      <table>
        <caption class="hidden">Artifacts</caption>
        <thead>
          <tr>
            <th scope="col">Artifact</th>
            <th scope="col">Size</th>
            <th scope="col">Encoding</th>
            <th scope="col">Signature</th>
          </tr>
        </thead>
        <tbody>
          {artifacts.map(({ file, sizeBytes, encoding, signature }) => (
            <tr>
              <th scope="row">{file}</th>
              <td class="number">{sizeText(sizeBytes)}</td>
              <td>{encoding === 'identity' ? 'uncompressed' : encoding}</td>
              <td>{signature}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Shows the findings of the rules that do not depend on a device, including findings that were allowed when the release was published. */
function Warnings({ manifest }: { manifest: Manifest }) {
  const { blockedBy, warnings } = checkRelease(manifest, { publishing: true });
  const findings = [...blockedBy, ...warnings];
  if (findings.length === 0) return <p class="quiet">No preflight findings.</p>;
  return (
    <>
      <h3>Preflight findings</h3>
      <ul class="lines">
        {findings.map(({ rule, message, fix }) => (
          <li>
            <code>{rule}</code>: {message}; {fix}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Shows the rules that the project allows, with the reasons. */
function AllowedRules({ rules }: { rules: readonly RuleAllowance[] }) {
  if (rules.length === 0) return undefined;
  return (
    <>
      <h3>Rules that the project allows</h3>
      <ul class="lines">
        {rules.map(({ rule, reason }) => (
          <li>
            <code>{rule}</code>: {reason}
          </li>
        ))}
      </ul>
    </>
  );
}

function Yank({ release, formToken }: { release: ReleaseRecord; formToken: string }) {
  const { id, project, version, kind, board } = release;
  return (
    <details id={`yank-${id}`}>
      <summary>Yank…</summary>
      <p>Makes the release unavailable on all channels. This cannot be undone.</p>
      <SendForm action={projectPath(project, 'releases', 'yank')} formToken={formToken}>
        <input type="hidden" name="version" value={version} />
        <input type="hidden" name="kind" value={kind} />
        <input type="hidden" name="board" value={board} />
        <label for={`reason-${id}`}>Reason</label>
        <input id={`reason-${id}`} name="reason" maxlength={200} autocomplete="off" />
        <button class="danger" type="submit">
          Yank {version}
        </button>
      </SendForm>
    </details>
  );
}
