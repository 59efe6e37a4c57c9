/*
  Updates must be signed, and the sketch itself says by which key: Update.installSignature.
  For builds that the hooks cannot reach. Where they can, leave this out: with public.key beside the sketch,
  `ota-hooks build` does the same, proves it, and covers the time before setup() too.

  Set-up: copy arduino_secrets.example.h to arduino_secrets.h and fill it in. Then, in the folder of this sketch:

      ota-hooks keygen --private-key keys/private.key --public-key keys/public.key
      ota-hooks header --public-key keys/public.key --out signing_key.h

  Compile with any tool, and sign what it made; --declare-enforcement says that the sketch sees to the checking, because
  nothing in the compiled program can show it:

      ota-hooks pack build/ManualSigning.ino.bin --public-key keys/public.key --private-key keys/private.key --declare-enforcement

  Flash over serial once and press reset. From then on the device takes only what this key has signed. Keep a copy of
  keys/private.key where no fire and no thief finds both: without it there are no more updates over the air.

  Limits:
  - Signatures protect updates over the air, nothing else: whoever holds the device can flash it over serial and read it.
    What was signed once stays valid for ever, an old release with its old bugs too.
  - RSA keys only. With an EC key the device never accepts an update again.
  - The key is used from installSignature on. A build that forgets the call accepts everything, without a word.
  - The password is weak (MD5, and readable in the firmware); behind signatures it merely keeps nuisance off. MD5 is no
    security, and is not even looked at once a key is installed.
  - RTC user memory is overwritten: the first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the order to the
    bootloader. Keep nothing there that has to outlive an update.
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <BearSSLHelpers.h>
#include <ESP8266WiFi.h>
#include <StackThunk.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.
#include "signing_key.h"      // missing? `ota-hooks header` makes it, see above.

#if !ARDUINO_SIGNING
#error "signing_key.h was made without a public key"
#endif
static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h: 12 characters or more");

// Update keeps pointers to these: they live as long as the sketch.
BearSSL::PublicKey signingKey(signing_pubkey);
BearSSL::HashSHA256 signingHash;
BearSSL::SigningVerifier signingVerifier(&signingKey);

// What the device is for: here, a valve that must not stay open while nobody looks after it.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool isListening = false;

// Safe state: an update keeps the device busy for up to a minute and ends in a restart, in the middle of whatever it was
// doing. Shut valves, switch heaters and motors off, finish what may not be interrupted: before the first byte is written.
void enterSafeState() {
  digitalWrite(valvePin, valveClosed);
  inSafeState = true;
}

void leaveSafeState() {
  inSafeState = false;
}

void controlValve() {
  // Your application. It is not called while an update runs.
}

bool requireSignatures() {
  if (!signingKey.isRSA()) return false;
  // The check of an RSA signature needs more stack than a sketch has: the core borrows a second one, which it sets up by
  // itself only for keys that are built in. Without this line the device hangs when it checks (esp8266/Arduino#7288).
  stack_thunk_add_ref();
  Update.installSignature(&signingHash, &signingVerifier);
  return true;
}

bool startListening() {
  ArduinoOTA.setPassword(SECRET_OTA_PASSWORD);
  ArduinoOTA.onStart(enterSafeState);
  ArduinoOTA.onError([](ota_error_t error) {
    Serial.printf("Update: error %d\n", static_cast<int>(error));
    if (error == OTA_END_ERROR) Update.printError(Serial);  // ERROR[12]: not signed with this key
  });
  ArduinoOTA.begin();
  return true;
}

void setup() {
  // First of all: after a restart the pins float until these two lines, and the bootloader may need ten seconds to copy an
  // update before they are reached. What must be off in the meantime needs a resistor that pulls it there.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  if (!requireSignatures()) {
    Serial.println(F("The key in signing_key.h is no RSA key: no updates over the air"));
    return;  // never joins the network, so nobody can send it anything
  }
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
}

void loop() {
  if (!isListening && WiFi.isConnected()) isListening = startListening();
  if (isListening) ArduinoOTA.handle();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
