/** Every reader of untrusted input returns a result or throws an error from the catalog, whatever it reads. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { layoutInElf } from '../../../src/core/firmware/elf-layout.ts';
import { proveEnforcement } from '../../../src/core/firmware/elf-proof.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { readGzip } from '../../../src/core/firmware/gzip-framing.ts';
import { isPrivateKeyFile, privateKeyInside } from '../../../src/core/firmware/private-keys.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { readDeviceFacts } from '../../../src/core/model/device-facts.ts';
import { formatManifest, parseManifest } from '../../../src/core/model/manifest.ts';
import { deviceText, errorCode } from '../../../src/delivery/device-text.ts';
import { acknowledgedBytes } from '../../../src/delivery/espota/acknowledgments.ts';
import { parseDeviceResponse } from '../../../src/delivery/espota/datagrams.ts';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { effectiveOptions, environmentsOf, readIni } from '../../../src/project/build/platformio-ini.ts';
import { withDevice } from '../../../src/project/config/add-device.ts';
import { findJsonError } from '../../../src/project/config/json-error.ts';
import { readReport } from '../../../src/server/services/devices/report.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { buildElf } from '../../support/elf-builder.ts';
import { buildImage, sectionsOf } from '../../support/image-builder.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { makeKeyPair, signFile } from '../../support/signed-file.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { variantsOf } from './mutations.ts';

const owner = makeKeyPair();
const recipe = { flashContent: Buffer.from(`${owner.publicKey.pem}\0`, 'latin1') } as const;
const image = buildImage(recipe);
const elf = buildElf({ entryAddress: 0x40100004, sections: sectionsOf(recipe), symbols: ['updaterSigningHash'] });
const pems = rsaPems();
const manifest = formatManifest((await testBuild({ signer: testSigner() })).manifest);
const config = readFileSync('ota.config.example.json', 'utf8');
const ini = `[platformio]
src_dir = src
[env]
extra_scripts =
  pre:a.py
  post:b.py
[env:d1]
extends = env
board = \${env.x}
`;
const headers =
  'x-esp8266-sta-mac: 18:FE:34:AA:BB:CC\nx-esp8266-free-space: 1671168\nx-esp8266-sketch-size: 373940\nx-esp8266-mode: sketch\nx-esp8266-sketch-md5: a56f8ef78a0bebd812f62067daf1408a\nx-esp8266-version: 1.0';

interface Reader {
  readonly seeds: readonly (string | Uint8Array)[];
  readonly read: (bytes: Uint8Array) => unknown;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

const readers: Readonly<Record<string, Reader>> = {
  firmware: {
    seeds: [image, signFile(image, owner.privateKey, 'current'), signFile(gzipSync(image), owner.privateKey, 'legacy')],
    read: (bytes) => {
      deviceVerdict(bytes, owner.publicKey, 'current');
      isPrivateKeyFile(bytes);
      privateKeyInside(bytes, [owner.publicKey]);
      return readFirmware(bytes, { knownKeys: [owner.publicKey] });
    },
  },
  gzip: {
    seeds: [gzipSync(image), Buffer.concat([gzipSync('a'), gzipSync('b')])],
    read: (bytes) => readGzip(bytes, 1_000_000),
  },
  filesystem: {
    seeds: [buildLittleFs({ blockCount: 4, content: Buffer.from('a') })],
    read: (bytes) => readFirmware(bytes),
  },
  ELF: {
    seeds: [elf],
    read: (bytes) => [
      proveEnforcement({ elf: bytes, firmware: readFirmware(image), expectedKey: owner.publicKey }),
      layoutInElf(bytes, readFirmware(image)),
    ],
  },
  manifest: { seeds: [manifest], read: (bytes) => parseManifest(text(bytes)) },
  'public key': { seeds: [pems.publicPem], read: (bytes) => readPublicKey(bytes, 'public.key') },
  'private key': { seeds: [pems.privatePem], read: (bytes) => readPrivateKey(bytes, 'private.key') },
  'device facts': {
    seeds: ['{"core":"3.1.2","flashMode":"dio","chipSizeBytes":4194304}'],
    read: (bytes) => readDeviceFacts(json(bytes)),
  },
  'espota answer': {
    seeds: ['OK', 'ERR: ERROR[4]: Not Enough Space', `AUTH ${'0'.repeat(32)}`, '1460', 'Authentication Failed'],
    read: (bytes) => {
      const said = Buffer.from(bytes).toString('latin1');
      acknowledgedBytes(said, 1460);
      errorCode(deviceText(said, ['secret']));
      return parseDeviceResponse(bytes);
    },
  },
  configuration: {
    seeds: [config, '{"devices":{}}'],
    read: (bytes) => [findJsonError(text(bytes)), withDevice(text(bytes), 'hall', { address: '192.168.1.20' })],
  },
  'platformio.ini': {
    seeds: [ini, readFileSync('templates/skeletons/platformio/platformio.ini', 'utf8')],
    read: (bytes) => {
      const file = readIni(text(bytes));
      return environmentsOf(file).map((name) => effectiveOptions(file, `env:${name}`));
    },
  },
  'device headers': {
    seeds: [headers],
    read: (bytes) =>
      readReport(
        Object.fromEntries(
          Buffer.from(bytes)
            .toString('latin1')
            .split('\n')
            .map((line) => {
              const colon = line.indexOf(':');
              return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
            }),
        ),
      ),
  },
};

for (const [name, { seeds, read }] of Object.entries(readers)) {
  test(`reads hostile input without an unexpected error: ${name}`, (t) => {
    let tried = 0;
    const property = fc.property(variantsOf(seeds.map((seed) => Buffer.from(seed))), (bytes) => {
      tried++;
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof OtaError)) throw error;
      }
    });
    t.notThrows(() => fc.assert(property, propertyRuns(2000, 500_000)));
    countAttacks({ kind: `hostile input for readers: ${name}`, tried, withstood: tried });
  });
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(text(bytes));
  } catch {
    return undefined;
  }
}
