import type { StreamReader } from './stream-reader.ts';

/** What is done with a file in a form: `HTTPUpload` of ESP8266WebServer. */
export interface FileSink {
  /** @param partName what `name=` says */
  start(partName: string): Promise<void>;
  /** `over` ends the parsing: the connection is gone. */
  write(bytes: Uint8Array): Promise<'on' | 'over'>;
  end(): Promise<void>;
  abort(): Promise<void>;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dash = 0x2d;

/**
 * Reads a multipart body as `_parseForm` (Parsing-impl.h of ESP8266WebServer) does, with all that it is particular about: the body begins
 * with the boundary, a part begins with Content-Disposition, at most a Content-Type follows, and a part is a file only if the line has a
 * second `=`, which `filename=` is there for. After the closing boundary it wants a CRLF, and waits for it as long as it may.
 *
 * @param boundary as the header names it
 * @returns false where the server drops the connection
 */
export async function readForm(reader: StreamReader, boundary: string, sink: FileSink): Promise<boolean> {
  if ((await firstLine(reader)) !== `--${boundary}`) return false;
  // Where the device would spin for ever on a connection that has ended, this gives up.
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

/** Three tries to read something up to a CR; the LF of an empty line is part of the next try, so that none helps. */
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
 * What begins with CR: the boundary, or content that is given back. After `\r\n--` it takes as many bytes as the boundary has and does not
 * look into them again: a boundary that begins among them is missed, as on the device.
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
