import type { StreamReader } from './stream-reader.ts';

/** Receiver for a file in a form, like `HTTPUpload` of ESP8266WebServer. */
export interface FileSink {
  /** @param partName value of `name=` in the part's header */
  start(partName: string): Promise<void>;
  /** Receives data of the file. Returns `over` to stop parsing if the connection is closed. */
  write(bytes: Uint8Array): Promise<'on' | 'over'>;
  end(): Promise<void>;
  abort(): Promise<void>;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dash = 0x2d;

/**
 * Reads a multipart body with the restrictions of `_parseForm` (Parsing-impl.h in ESP8266WebServer): the body must start with the
 * boundary and each part with Content-Disposition, which only a Content-Type may follow. A part is a file only if the Content-Disposition
 * line contains a second `=`, normally in `filename=`. After the closing boundary, the parser waits for a CRLF until the timeout.
 *
 * @param boundary boundary in the Content-Type header
 * @returns false if the server drops the connection
 */
export async function readUploadForm(reader: StreamReader, boundary: string, sink: FileSink): Promise<boolean> {
  if ((await firstLine(reader)) !== `--${boundary}`) return false;
  // A real device would loop forever on a closed connection. The simulator stops instead.
  while (!reader.isOver) {
    const disposition = await reader.line();
    const part = readDisposition(disposition);
    if (part === undefined) continue;
    const second = await reader.line();
    if (/^content-type./i.test(second)) await reader.line();
    const after = part.isFile
      ? await readFile(reader, boundary, part.name, sink)
      : await skipValue(reader, `--${boundary}`);
    if (after === 'aborted') return false;
    if (after === 'last') return true;
  }
  return false;
}

/**
 * Reads text up to a CR, in up to three tries. After an empty line, the text starts with the LF of that line and never matches the
 * boundary.
 */
async function firstLine(reader: StreamReader): Promise<string> {
  let line = '';
  for (let tries = 0; tries < 3 && line === ''; tries++) line = await reader.textUntil('\r');
  await reader.textUntil('\n');
  return line;
}

interface Part {
  readonly name: string;
  readonly isFile: boolean;
}

function readDisposition(line: string): Part | undefined {
  if (line.length <= 19 || line.slice(0, 19).toLowerCase() !== 'content-disposition') return undefined;
  const nameStart = line.indexOf('=');
  if (nameStart === -1) return undefined;
  const rest = line.slice(nameStart + 2);
  if (!rest.includes('=')) return { name: rest.slice(0, -1), isFile: false };
  return { name: rest.slice(0, Math.max(0, rest.indexOf('"'))), isFile: true };
}

type After = 'next' | 'last' | 'aborted';

async function skipValue(reader: StreamReader, delimiter: string): Promise<After> {
  while (!reader.isOver) {
    const line = await reader.line();
    if (line.startsWith(delimiter)) return line === `${delimiter}--` ? 'last' : 'next';
  }
  return 'aborted';
}

async function readFile(reader: StreamReader, boundary: string, name: string, sink: FileSink): Promise<After> {
  await sink.start(name);
  for (;;) {
    const run = await reader.run(carriageReturn);
    if (run === undefined) return abort(sink);
    if (run.length > 0) {
      if ((await sink.write(run)) === 'over') return abort(sink);
      continue;
    }
    const delimiter = await readDelimiter(reader, boundary);
    if (delimiter === 'aborted') return abort(sink);
    if (delimiter === 'boundary') break;
    if ((await sink.write(delimiter)) === 'over') return abort(sink);
  }
  await sink.end();
  return (await reader.line()) === '--' ? 'last' : 'next';
}

/**
 * Reads the boundary, or content that starts with CR. After `\r\n--`, the parser consumes as many bytes as the boundary has and does not
 * scan these bytes again. As on a real device, a boundary that starts within these bytes is missed.
 */
async function readDelimiter(reader: StreamReader, boundary: string): Promise<'boundary' | 'aborted' | Uint8Array> {
  const content: number[] = [];
  for (const expected of [carriageReturn, lineFeed, dash, dash]) {
    const byte = await reader.byte();
    if (byte === undefined) return 'aborted';
    if (byte !== expected) {
      reader.unread(Uint8Array.of(byte));
      return Uint8Array.from(content);
    }
    content.push(byte);
  }
  const found = await reader.bytes(boundary.length);
  if (found.length < boundary.length) return 'aborted';
  if (Buffer.from(found).toString('latin1') === boundary) return 'boundary';
  return Buffer.concat([Uint8Array.from(content), found]);
}

async function abort(sink: FileSink): Promise<'aborted'> {
  await sink.abort();
  return 'aborted';
}
