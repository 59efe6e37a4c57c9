import { OtaError } from '../../errors/ota-error.ts';

/** Key in a form that node:crypto reads. */
export type KeyMaterial =
  | { readonly format: 'pem'; readonly text: string }
  | { readonly format: 'der'; readonly bytes: Buffer };

type KeyKind = 'private' | 'public';

/**
 * Converts a key file or variable to the form that node:crypto reads. Editors, shells and CI systems change PEM text: they add a byte order
 * mark, encode it as UTF-16 (`>` in PowerShell), join its lines, or write `\n` instead of line breaks.
 *
 * @param content file content; a string has one character per byte, or is the text of an environment variable
 * @returns PEM text with one block for a key of this kind; the unchanged text if there is no such block; or DER
 * @throws OtaError KEY_FORM_UNSUPPORTED for formats of other programs, with the command that converts them; KEY_IS_PUBLIC
 */
export function keyMaterial(content: string | Uint8Array, name: string, kind: KeyKind): KeyMaterial {
  const bytes =
    typeof content === 'string' ? Buffer.from(content.replace(/^\uFEFF/, ''), 'latin1') : Buffer.from(content);
  if (bytes[0] === derSequence && isDer(bytes)) {
    if (isPkcs12(bytes)) throw unsupported('pkcs12', name, kind);
    return { format: 'der', bytes };
  }
  const text = textOf(bytes);
  const foreign = foreignForms.find(({ pattern }) => pattern.test(text));
  if (foreign !== undefined) throw unsupported(foreign.form, name, kind);
  const unescaped = text.includes('-----BEGIN ') ? text.replace(/\\r\\n|\\n|\\r/g, '\n') : text;
  // A file with a private key is never read as a public key, even if it also contains the public key.
  const isExposed = kind === 'public' && unescaped.includes('PRIVATE KEY-----');
  return { format: 'pem', text: (isExposed ? undefined : blockIn(unescaped, kind)) ?? unescaped };
}

const derSequence = 0x30;

/** Returns whether the length of the outer SEQUENCE matches the file. Text that starts with "0" does not match. */
function isDer(bytes: Buffer): boolean {
  const first = bytes[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || bytes.length < 2 + lengthBytes) return false;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  return bytes.length === 2 + lengthBytes + length;
}

/** Returns whether the first element is version 3 of a PFX structure (RFC 7292). Private keys have version 0 or 1. */
function isPkcs12(bytes: Buffer): boolean {
  const start = 2 + ((bytes[1] ?? 0) < 0x80 ? 0 : (bytes[1] ?? 0) & 0x7f);
  return bytes.subarray(start, start + 4).equals(Buffer.from([0x02, 0x01, 0x03, derSequence]));
}

function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  const isLittleEndian = (first === 0xff && second === 0xfe) || (first !== 0 && second === 0);
  const isBigEndian = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  const even = bytes.subarray(0, bytes.length & ~1);
  if (isLittleEndian) return even.toString('utf16le').replace(/^\uFEFF/, '');
  if (isBigEndian)
    return Buffer.from(even)
      .swap16()
      .toString('utf16le')
      .replace(/^\uFEFF/, '');
  return bytes.toString('latin1').replace(/^\xEF\xBB\xBF/, '');
}

const labels: Readonly<Record<KeyKind, RegExp>> = {
  private: /PRIVATE KEY$/,
  public: /^(?:(?:RSA )?PUBLIC KEY|CERTIFICATE)$/,
};

/** Returns the first PEM block of a kind, with its lines restored. A certificate may follow or precede the key. */
function blockIn(text: string, kind: KeyKind): string | undefined {
  for (const [, label = '', content = ''] of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----/gs)) {
    if (!labels[kind].test(label)) continue;
    const [, headers, base64 = content] = /^\s*(Proc-Type: \S+\s+DEK-Info: \S+)\s+(.*)$/s.exec(content) ?? [];
    const lines = base64.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
    const head = headers === undefined ? [] : [headers.replace(/\s+(?=DEK-Info)/, '\n'), ''];
    return [`-----BEGIN ${label}-----`, ...head, ...lines, `-----END ${label}-----`, ''].join('\n');
  }
  return undefined;
}

/** Formats of other programs, and their names in the error catalog. */
const foreignForms = [
  { form: 'openssh-private', pattern: /-----BEGIN OPENSSH PRIVATE KEY-----/ },
  { form: 'openssh-public', pattern: /^\s*(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ +AAAA/ },
  { form: 'rfc4716', pattern: /---- BEGIN SSH2 PUBLIC KEY ----/ },
  { form: 'putty', pattern: /^\s*PuTTY-User-Key-File-\d:/ },
] as const;

/** A public key in place of a private one is reported as such, because no command converts it. */
function unsupported(form: (typeof foreignForms)[number]['form'] | 'pkcs12', path: string, kind: KeyKind): OtaError {
  const isPublic = form === 'openssh-public' || form === 'rfc4716';
  if (isPublic && kind === 'private') return new OtaError('KEY_IS_PUBLIC', { path });
  return new OtaError('KEY_FORM_UNSUPPORTED', { path, form, kind });
}
