/** Record of an mDNS message (RFC 1035, section 4.1.3). */
interface MdnsRecord {
  readonly name: Buffer;
  readonly type: number;
  readonly data: Buffer;
}

export const recordTypes = { a: 1, ptr: 12, txt: 16, srv: 33 } as const;

/** Builds a response with these records. */
export function response(records: readonly MdnsRecord[], claimed = records.length): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x8400, 2);
  header.writeUInt16BE(claimed, 6);
  return Buffer.concat([header, ...records.map(bytesOf)]);
}

function bytesOf({ name, type, data }: MdnsRecord): Buffer {
  const fields = Buffer.alloc(10);
  fields.writeUInt16BE(type, 0);
  fields.writeUInt16BE(1, 2);
  fields.writeUInt32BE(120, 4);
  fields.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fields, data]);
}

export function nameOf(...labels: readonly string[]): Buffer {
  return Buffer.concat([...labels.map(labelOf), Buffer.of(0)]);
}

export const pointerTo = (offset: number) => Buffer.from([0xc0 | (offset >> 8), offset & 0xff]);

/** Builds the announcement of a service. Names are compressed as in the messages of devices, so each text occurs only once or twice. */
export function announcement(
  type: 'arduino' | 'http',
  device: string,
  entries = ['board=d1', 'auth_upload=no'],
): Buffer {
  const service = nameOf(`_${type}`, '_tcp', 'local');
  const serviceAt = 12;
  const localAt = serviceAt + service.length - nameOf('local').length;
  const fieldsLength = 10;
  const instance = Buffer.concat([labelOf(device), pointerTo(serviceAt)]);
  const instanceAt = serviceAt + service.length + fieldsLength;
  const port = Buffer.of(0, 0, 0, 0, 0x20, 0x4a);
  const host = Buffer.concat([labelOf(device), pointerTo(localAt)]);
  const hostAt = instanceAt + instance.length + pointerTo(0).length + fieldsLength + port.length;
  const { a, ptr, txt, srv } = recordTypes;
  return response([
    { name: service, type: ptr, data: instance },
    { name: pointerTo(instanceAt), type: srv, data: Buffer.concat([port, host]) },
    { name: pointerTo(instanceAt), type: txt, data: Buffer.concat(entries.map(labelOf)) },
    { name: pointerTo(hostAt), type: a, data: Buffer.of(127, 0, 0, 1) },
  ]);
}

/** A length and the text, as in names and TXT records. */
function labelOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
