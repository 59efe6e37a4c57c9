import test from 'ava';
import fc from 'fast-check';
import { withDevice } from '../../../src/project/config/add-device.ts';

const device = { address: 'kitchen.local', board: 'd1_mini' };

test('withDevice creates the device list and keeps the formatting of the file', (t) => {
  t.is(
    withDevice('{\r\n\t"project": "door"\r\n}\r\n', 'kitchen', { address: 'kitchen.local' }),
    '{\r\n\t"project": "door",\r\n\t"devices": {\r\n\t\t"kitchen": {\r\n\t\t\t"address": "kitchen.local"\r\n\t\t}\r\n\t}\r\n}\r\n',
  );
  t.is(
    withDevice('{}', 'kitchen', { address: 'kitchen.local' }),
    '{\n  "devices": {\n    "kitchen": {\n      "address": "kitchen.local"\n    }\n  }\n}',
  );
});

test('withDevice appends a device and leaves the rest unchanged', (t) => {
  const text = `{
  "devices": {
    "a \\"} b": { "address": "10.0.0.1" }
  },
  "upload": { "concurrency": 2 }
}
`;
  t.is(
    withDevice(text, 'kitchen', { address: 'kitchen.local' }),
    text.replace('"10.0.0.1" }', '"10.0.0.1" },\n    "kitchen": {\n      "address": "kitchen.local"\n    }'),
  );
});

test('withDevice keeps a byte order mark', (t) => {
  t.true(withDevice('\uFEFF{}', 'kitchen', device)?.startsWith('\uFEFF{'));
});

test('withDevice returns undefined for text that it cannot edit', (t) => {
  for (const text of ['project: door\n', '[]', '', '{"a": 1,}', '{"devices": []}']) {
    t.is(withDevice(text, 'kitchen', device), undefined, text);
  }
});

test('withDevice adds exactly one device to any configuration in any layout', (t) => {
  const names = fc.stringMatching(/^[a-z"\\{}[\]:, ]{0,6}$/);
  const others = fc.dictionary(names, fc.jsonValue(), { maxKeys: 4 });
  const indents = fc.constantFrom(undefined, 2, 4, '\t');
  fc.assert(
    fc.property(others, fc.option(others), indents, (rest, devices, indent) => {
      const { devices: _, ...before } = rest;
      const config = devices === null ? before : { ...before, devices };
      const text = JSON.stringify(config, null, indent);
      const after: unknown = JSON.parse(withDevice(text, '-kitchen', device) ?? 'null');
      t.deepEqual(after, JSON.parse(JSON.stringify({ ...config, devices: { ...devices, '-kitchen': device } })));
    }),
  );
});
