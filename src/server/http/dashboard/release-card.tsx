import type { Manifest } from '../../../core/model/manifest.ts';
import { judgeRelease } from '../../../core/preflight/judge-release.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { Facts } from './facts.tsx';
import { projectPath } from './paths.ts';
import { SendForm } from './send-form.tsx';
import { sizeText, When } from './words.tsx';

interface ReleaseCardProps {
  readonly release: ReleaseRecord;
  /** That offer it now. */
  readonly channels: readonly string[];
  /** Of whoever may yank it. */
  readonly formToken: string | undefined;
}

const enforcements: Readonly<Record<Manifest['enforcement'], string>> = {
  elf: 'proven: its ELF holds the verifier of the core',
  declared: 'declared, not proven',
  unproven: 'not proven',
};

export function ReleaseCard({ release, channels, formToken }: ReleaseCardProps) {
  const { id, version, kind, board, purpose, publishedAt, yanked, manifest } = release;
  const { image, signing, enforcement } = manifest;
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
          ['Yanked', yanked],
          ['Core', image.core],
          ['Image', `${image.file}, ${sizeText(image.sizeBytes)}`],
          ['Signed by', signing.publicKey === undefined ? 'nobody' : <code>{signing.publicKey.fingerprint}</code>],
          ['Checks its next update', kind === 'sketch' && signing.publicKey !== undefined && enforcements[enforcement]],
        ]}
      />
      {purpose === 'reference' ? undefined : <Artifacts {...manifest} />}
      {purpose === 'reference' ? undefined : <Warnings manifest={manifest} />}
      {formToken === undefined || purpose === 'reference' || yanked !== undefined ? undefined : (
        <Yank release={release} formToken={formToken} />
      )}
    </article>
  );
}

function Marks({ purpose, yanked, channels }: ReleaseRecord & { channels: readonly string[] }) {
  if (yanked !== undefined) return <span class="badge failed">✕ yanked</span>;
  if (purpose === 'reference') return <span class="badge unseen">– known, never sent</span>;
  if (channels.length === 0) return <span class="badge unseen">– on no channel</span>;
  return (
    <>
      {channels.map((channel) => (
        <span class="badge current">✓ {channel}</span>
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
              <td>{encoding === 'identity' ? 'plain' : encoding}</td>
              <td>{signature}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What the rules say of it, whatever the device: what was allowed when it was published, too. */
function Warnings({ manifest }: { manifest: Manifest }) {
  const { refused, warnings } = judgeRelease(manifest, { publishing: true });
  const complaints = [...refused, ...warnings];
  if (complaints.length === 0) return <p class="quiet">The rules have nothing against it.</p>;
  return (
    <>
      <h3>What the rules say</h3>
      <ul class="lines">
        {complaints.map(({ rule, message, instead }) => (
          <li>
            <code>{rule}</code>: {message}; {instead}
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
      <p>No device gets it any more, on any channel. That cannot be undone.</p>
      <SendForm action={projectPath(project, 'releases', 'yank')} formToken={formToken}>
        <input type="hidden" name="version" value={version} />
        <input type="hidden" name="kind" value={kind} />
        <input type="hidden" name="board" value={board} />
        <label for={`reason-${id}`}>Why</label>
        <input id={`reason-${id}`} name="reason" maxlength={200} autocomplete="off" />
        <button class="danger" type="submit">
          Yank {version}
        </button>
      </SendForm>
    </details>
  );
}
