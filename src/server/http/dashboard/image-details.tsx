import type { Manifest, RuleAllowance } from '../../../core/model/manifest.ts';
import { counted, sizeText } from '../../../core/model/quantity-text.ts';
import { checkRelease } from '../../../core/preflight/check-release.ts';
import type { PreflightFinding } from '../../../core/preflight/run-rules.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { Facts } from './facts.tsx';
import { When } from './when.tsx';

interface ImageDetailsProps {
  readonly image: ReleaseRecord;
  /** Channels that serve this image now. */
  readonly channels: readonly string[];
  /** True if the details are shown without a click. */
  readonly isOpen: boolean;
}

const enforcements: Readonly<Record<Manifest['enforcement'], string>> = {
  elf: 'yes: the ELF file contains the verifier of the core',
  declared: 'declared, not verified',
  unproven: 'unknown',
};

/** Shows one image of a release. */
export function ImageDetails({ image: record, channels, isOpen }: ImageDetailsProps) {
  const { id, kind, purpose, publishedAt, yanked, manifest } = record;
  const { image, signing, enforcement, sourceCommit, builder } = manifest;
  const isReference = purpose === 'reference';
  const findings = isReference ? [] : findingsOf(manifest);
  return (
    <details id={`image-${id}`} open={isOpen}>
      <summary>
        {imageName(record)} <Marks {...record} channels={channels} />
        {findings.length === 0 ? undefined : <span class="quiet">{counted(findings.length, 'preflight finding')}</span>}
      </summary>
      <Facts
        facts={[
          ['Published', <When at={publishedAt} />],
          ['Reason for yanking', yanked],
          ['Core', image.core],
          ['Builder', builder],
          ['Source commit', sourceCommit !== undefined && <code>{sourceCommit}</code>],
          ['Image', `${image.file}, ${sizeText(image.sizeBytes)}`],
          ['Signing key', signing.publicKey === undefined ? 'unsigned' : <code>{signing.publicKey.fingerprint}</code>],
          [
            'Verifies update signatures',
            kind === 'sketch' && signing.publicKey !== undefined && enforcements[enforcement],
          ],
        ]}
      />
      {isReference ? undefined : <Artifacts {...manifest} />}
      {isReference ? undefined : <Findings findings={findings} />}
      <AllowedRules rules={manifest.allowedRules ?? []} />
    </details>
  );
}

/** Returns the kind and the board of an image, such as `sketch for d1_mini`. */
export function imageName({ kind, board }: Pick<ReleaseRecord, 'kind' | 'board'>): string {
  return board === '' ? kind : `${kind} for ${board}`;
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
    <section aria-label="Artifacts">
      <table class="rows">
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
              <td class="number" data-label="Size">
                {sizeText(sizeBytes)}
              </td>
              <td data-label="Encoding">{encoding === 'identity' ? 'uncompressed' : encoding}</td>
              <td data-label="Signature">{signature}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Returns the findings of the rules that do not depend on a device, including those that were allowed when the image was published. */
function findingsOf(manifest: Manifest): readonly PreflightFinding[] {
  const { blockedBy, warnings } = checkRelease(manifest, { publishing: true });
  return [...blockedBy, ...warnings];
}

function Findings({ findings }: { findings: readonly PreflightFinding[] }) {
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
