import test from 'ava';
import { entriesOf, readTemplate, templatePaths } from './files.ts';

const names = entriesOf('sketches');
const programs = [
  ...names.map((name) => [name, readTemplate(`sketches/${name}/${name}.ino`)] as const),
  ['the skeleton', readTemplate('skeletons/platformio/src/main.cpp')] as const,
];

test('the sketches cover each update method', (t) => {
  t.deepEqual(names, [
    'DeviceSecretUpdate',
    'EspotaUpdate',
    'FilesystemUpdate',
    'HttpUpdate',
    'HttpsUpdate',
    'IntermediateUpdate',
    'ManualSigning',
    'StreamUpdate',
    'WebUpdate',
  ]);
});

for (const [name, text] of programs) {
  test(`${name}: has one setup, one loop and an include of Arduino.h`, (t) => {
    t.is(text.match(/^void setup\(\) \{$/gm)?.length, 1);
    t.is(text.match(/^void loop\(\) \{$/gm)?.length, 1);
    t.regex(text, /^#include <Arduino\.h>$/m, 'PlatformIO adds no includes to a source file');
  });

  // The intermediate sketch has no application that an update could interrupt.
  const hasApplication = name !== 'IntermediateUpdate';
  if (hasApplication)
    test(`${name}: enters a safe state before an update and leaves it after a failed one`, (t) => {
      t.regex(text, /^\/\/ Safe state: .*\n(?:\/\/ .*\n)*\/\/ .*valves.*heaters.*\nvoid enterSafeState\(\) \{$/m);
      t.regex(text, /\.onStart\(enterSafeState\)|\.onStart\(\[\]\(\) \{\s+enterSafeState\(\);/);
      t.true(text.includes('if (inSafeState && !Update.isRunning()) leaveSafeState();'));
      t.regex(text, /if \(!inSafeState\) \w+\(\);/);
    });

  test(`${name}: warns about pins that float between the restart and setup`, (t) => {
    const setup = text.slice(text.indexOf('void setup()'));
    t.regex(setup, /^void setup\(\) \{\n {2}\/\/ Set the outputs first: [^;]*float[^;]*resistor/);
  });

  test(`${name}: documents its security limits`, (t) => {
    const head = text.slice(0, text.indexOf('*/'));
    t.regex(head, /Limits:/);
    t.regex(head, /MD5[^.]*is not\s+a\s+security\s+measure/);
    t.regex(head, /RTC user memory is overwritten/);
    t.regex(head, /sign/);
    if (/setPassword|WEB_PASSWORD/.test(text)) t.regex(head, /(password|login) is weak/);
  });

  test(`${name}: contains no secrets`, (t) => {
    t.notRegex(text, /PRIVATE KEY|BEGIN [A-Z ]+/);
    for (const [call, argument] of text.matchAll(/(?:setPassword|setPasswordHash|setAuthorization)\(([^)]*)\)/g)) {
      t.regex(argument ?? '', /^(?:SECRET_\w+|user, secret)$/, call);
    }
    for (const [call, argument] of text.matchAll(/WiFi\.begin\(([^)]*)\)/g)) {
      t.regex(argument ?? '', /^(?:SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD)?$/, call);
    }
  });
}

for (const name of names) {
  test(`${name}: the example secrets are exactly those that it uses, with empty values`, (t) => {
    const text = readTemplate(`sketches/${name}/${name}.ino`);
    const example = readTemplate(`sketches/${name}/arduino_secrets.example.h`);
    const named = [...example.matchAll(/^#define (SECRET_\w+) ""$/gm)].map(([, secret]) => secret);
    t.deepEqual(named.sort(), [...new Set(text.match(/SECRET_\w+/g))].sort());
    t.is(example.match(/#define/g)?.length, named.length);
    t.regex(example, /Keep the copy out of git/);
  });
}

test('the templates contain no filled-in secrets and no keys', (t) => {
  t.deepEqual(
    templatePaths.filter((path) => /arduino_secrets\.h$|\.key$|\.pem$/.test(path)),
    [],
  );
});

test('IntermediateUpdate requires a key and a password, opens no access point and checks for updates', (t) => {
  const text = readTemplate('sketches/IntermediateUpdate/IntermediateUpdate.ino');
  t.regex(text, /#include <Updater_Signing\.h>[\s\S]*#if !ARDUINO_SIGNING\n#error "[^"]*public\.key[^"]*"\n#endif/);
  t.regex(text, /static_assert\(sizeof\(SECRET_OTA_PASSWORD\) > 12/);
  t.notRegex(text, /softAP|WIFI_AP/);
  t.regex(text, /WiFi\.mode\(WIFI_STA\);\n {2}WiFi\.begin\(\);/);
  t.true(text.includes('ArduinoOTA.setPassword(SECRET_OTA_PASSWORD);'));
  t.true(text.includes('updatePage.setup(&webServer, "/update", "admin", SECRET_OTA_PASSWORD);'));
  t.regex(text, /updateUrl\[0\] != '\\0' && WiFi\.isConnected\(\) && isDue\(\)\) askForUpdate\(\)/);
});

test('EspotaUpdate sets port, name and password, has all four callbacks and announces its MD5', (t) => {
  const text = readTemplate('sketches/EspotaUpdate/EspotaUpdate.ino');
  for (const call of ['setPort', 'setHostname', 'setPassword', 'onStart', 'onEnd', 'onProgress', 'onError', 'begin']) {
    t.regex(text, new RegExp(`ArduinoOTA\\.${call}\\(`));
  }
  const announcement = 'MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());';
  t.true(
    text.indexOf(announcement) > text.indexOf('ArduinoOTA.begin()'),
    'the TXT record requires the existing service',
  );
});

test('HttpUpdate checks at intervals with its version and has all four callbacks', (t) => {
  const text = readTemplate('sketches/HttpUpdate/HttpUpdate.ino');
  t.regex(text, /ESPhttpUpdate\.update\(client, addressOfUpdate\(\), FIRMWARE_VERSION\)/);
  t.regex(text, /isDue\(\)\) askForUpdate\(\)/);
  for (const call of ['onStart', 'onEnd', 'onProgress', 'onError']) {
    t.regex(text, new RegExp(`ESPhttpUpdate\\.${call}\\(`));
  }
});

test('HttpsUpdate pins the CA, waits for the time to be set, requests short records and always verifies', (t) => {
  const text = readTemplate('sketches/HttpsUpdate/HttpsUpdate.ino');
  t.true(text.includes('client.setTrustAnchors(&serverAuthority);'));
  t.true(text.includes('BearSSL::X509List serverAuthority(ota_server_ca);'));
  t.regex(text, /isTimeKnown\(\) && isDue\(\)\) askForUpdate\(\)/);
  t.regex(text, /probeMaxFragmentLength\([^)]*, 512\)[\s\S]*client\.setBufferSizes\(/);
  t.true(text.includes('client.setSession(&session);'));
  t.notRegex(text, /setInsecure|allowSelfSigned/);
});

test('WebUpdate has a login that cannot be empty', (t) => {
  const text = readTemplate('sketches/WebUpdate/WebUpdate.ino');
  t.true(text.includes('updatePage.setup(&webServer, "/update", SECRET_WEB_USER, SECRET_WEB_PASSWORD);'));
  t.regex(text, /static_assert\(sizeof\(SECRET_WEB_USER\) > 1/);
});

test('ManualSigning reserves a stack, installs the key before it connects and stays offline without a key', (t) => {
  const text = readTemplate('sketches/ManualSigning/ManualSigning.ino');
  const setup = text.slice(text.indexOf('void setup()'), text.indexOf('void loop()'));
  t.regex(text, /stack_thunk_add_ref\(\);\n {2}Update\.installSignature\(&signingHash, &signingVerifier\);/);
  t.regex(setup, /if \(!requireSignatures\(\)\) \{[^}]*return;[^}]*\}\n {2}WiFi\.mode/);
});
