/** Two cipher suites that BearSSL supports: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 and TLS_RSA_WITH_AES_128_CBC_SHA256. */
const suites = [0xc02f, 0x003c];
const maxFragmentLength = 1;

/**
 * ClientHello message from a TLS 1.2 client that requests short records. `WiFiClientSecure::probeMaxFragmentLength` sends such a message
 * (RFC 5246, 7.4.1.2; RFC 6066, 4).
 *
 * @param code 1 for 512 bytes, 2 for 1024, 3 for 2048, 4 for 4096
 */
export function clientHello(code: number): Buffer {
  const extensions = Buffer.concat([
    extension(13, vector(2, Buffer.from([4, 1, 2, 1]))),
    extension(10, vector(2, Buffer.from([0, 0x17]))),
    extension(11, vector(1, Buffer.from([0]))),
    extension(maxFragmentLength, Buffer.from([code])),
  ]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(0)),
    vector(2, Buffer.concat(suites.map((suite) => uint(2, suite)))),
    vector(1, Buffer.from([0])),
    vector(2, extensions),
  ]);
  const message = Buffer.concat([Buffer.from([1]), vector(3, body)]);
  return Buffer.concat([Buffer.from([22, 3, 3]), vector(2, message)]);
}

/** Fragment length code in the server's first message; undefined if the server did not accept a length. */
export function agreedFragmentLength(bytes: Buffer): number | undefined {
  const sessionIdAt = 5 + 4 + 2 + 32;
  let at = sessionIdAt + 1 + (bytes[sessionIdAt] ?? 0) + 2 + 1;
  const end = at + 2 + bytes.readUInt16BE(at);
  for (at += 2; at + 4 <= end; at += 4 + bytes.readUInt16BE(at + 2)) {
    if (bytes.readUInt16BE(at) === maxFragmentLength) return bytes[at + 4];
  }
  return undefined;
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([uint(2, type), vector(2, content)]);
}

function vector(sizeBytes: number, content: Buffer): Buffer {
  return Buffer.concat([uint(sizeBytes, content.length), content]);
}

function uint(sizeBytes: number, value: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUIntBE(value, 0, sizeBytes);
  return bytes;
}
