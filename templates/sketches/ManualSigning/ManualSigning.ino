/*
  Requires signed updates; the sketch itself sets the public key with Update.installSignature.
  Use this only for builds in which the hooks cannot run. Otherwise, put public.key into the sketch
  folder and use `ota-hooks build`, which also verifies the result and covers the time before setup().

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in. Then, in the folder of this sketch:

      ota-hooks keygen --private-key keys/private.key --public-key keys/public.key
      ota-hooks header --public-key keys/public.key --out signing_key.h

  Compile with any tool and sign the image. --declare-enforcement states that the sketch checks signatures, because the
  compiled program does not show it:

      ota-hooks pack build/ManualSigning.ino.bin --public-key keys/public.key --private-key keys/private.key --declare-enforcement

  Flash over serial once and press reset. From then on the device accepts only updates signed with this key. Keep a copy of
  keys/private.key in a separate safe place: without the key, you cannot update the device over the air.

  Limits:
  - Signatures protect updates over the air only: anyone with the device can flash and read it over serial. A signature
    stays valid forever, even the signature of an old release with known bugs.
  - Use RSA keys only. With an EC key the device never accepts an update again.
  - The key applies after the call to installSignature. A build without the call accepts every update without a warning.
  - The password is weak (MD5, and readable in the firmware); with signatures it only prevents nuisance uploads. MD5 is not
    a security measure, and the device ignores it after the key is installed.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <BearSSLHelpers.h>
#include <ESP8266WiFi.h>
#include <StackThunk.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.
#include "signing_key.h"      // missing? Generate it with `ota-hooks header`, see above.

#if !ARDUINO_SIGNING
#error "signing_key.h contains no public key: generate it with `ota-hooks header --public-key`"
#endif
static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h needs at least 12 characters");

// Global, because Update keeps pointers to these objects.
BearSSL::PublicKey signingKey(signing_pubkey);
BearSSL::HashSHA256 signingHash;
BearSSL::SigningVerifier signingVerifier(&signingKey);

// The application: here, a valve that must not stay open unattended.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool isListening = false;

// Safe state: an update blocks the application for up to a minute and then restarts the device. Before the first byte is
// written, close valves, switch off heaters and motors, and finish all operations that must not be interrupted.
void enterSafeState() {
  digitalWrite(valvePin, valveClosed);
  inSafeState = true;
}

void leaveSafeState() {
  inSafeState = false;
}

void controlValve() {
  // Your application goes here. It is not called during an update.
}

bool requireSignatures() {
  if (!signingKey.isRSA()) return false;
  // Checking an RSA signature needs more stack than a sketch has. The core uses a second stack, but allocates it
  // automatically only for built-in keys. Without this line the device hangs during the check (esp8266/Arduino#7288).
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
  // Set the outputs first: after a restart the pins float until these two lines run, and the bootloader may need ten
  // seconds before that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  if (!requireSignatures()) {
    Serial.println(F("The key in signing_key.h is not an RSA key: updates over the air are disabled"));
    return;  // stays offline, so that the device cannot receive unsigned updates
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
