/*
  Checks a web server for updates at intervals and sends the version of the device.
  Use this for devices in the field: the device opens the connection, so no firewall must allow incoming connections.

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, set updateUrl, flash over serial once and
  press reset.

  The server compares x-ESP8266-version (or x-ESP8266-sketch-md5) with its release and responds with 304 if there is
  nothing new. It must not compare with the MD5 of the .gz or .signed file that it sends: they never match, and the device
  would update itself forever.

  Limits:
  - Plain HTTP can be read and modified in transit. MD5 (the x-MD5 header) is not a security measure: anyone who changes
    the image can change it too. Signatures protect the device: keep public.key in the sketch folder and build with
    `ota-hooks build`. They do not prevent replay: an old signed release stays valid.
  - HTTPS (BearSSL::WiFiClientSecure instead of WiFiClient) needs 20 to 30 KB of heap, a trusted certificate or public key,
    and the current time; use a short certificate chain and a server that supports small TLS fragments (MFLN).
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // sent to the server; a build flag can override it
#endif

const char updateUrl[] = "http://192.0.2.10:8080/firmware";  // IP address or DNS name; .local names are not resolved
const uint32_t intervalMs = 60UL * 60 * 1000;

// The application: here, a valve that must not stay open unattended.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;

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

bool isDue() {
  // The chip ID spreads the first check over a minute, so that devices do not all check at once after a power cut.
  static uint32_t nextMs = ESP.getChipId() % 60000;
  if (static_cast<int32_t>(millis() - nextMs) < 0) return false;
  nextMs = millis() + intervalMs;
  return true;
}

void onProgress(int done, int total) {
  static int shown;
  const int percent = total <= 0 ? 0 : static_cast<int>(100LL * done / total);
  if (percent / 10 == shown / 10) return;
  shown = percent;
  Serial.printf("Update: %d %%\n", percent);
}

// Defined by the guard ("guard" in ota.config.json, see docs/keys.md): why it rejected the last update, 0 if it did not.
extern "C" uint8_t ota_hooks_rejection() __attribute__((weak));

// Rejection of the last update that started, 0 if there was none.
unsigned int rejection = 0;

// Adds the rejection to the address, so that the server knows it: the error of the Updater is 12 for every reason.
String addressOfUpdate() {
  String address = updateUrl;
  if (rejection > 0) address += String(F("?rejection=")) + String(rejection);
  return address;
}

void askForUpdate() {
  // This blocks loop() for 8 seconds if the server does not respond, and for a minute if the connection drops halfway.
  // If 8 seconds are too long, enter the safe state before the check, not only in onStart.
  WiFiClient client;
  switch (ESPhttpUpdate.update(client, addressOfUpdate(), FIRMWARE_VERSION)) {
    case HTTP_UPDATE_FAILED:
      if (ESPhttpUpdate.getLastError() == UPDATE_ERROR_SIGN && ota_hooks_rejection) rejection = ota_hooks_rejection();
      Serial.printf("Update failed (%d): %s\n", ESPhttpUpdate.getLastError(), ESPhttpUpdate.getLastErrorString().c_str());
      break;
    case HTTP_UPDATE_NO_UPDATES:
      Serial.println(F("No update available"));
      break;
    case HTTP_UPDATE_OK:
      break;  // not reached: the device restarts after an update
  }
}

void setup() {
  // Set the outputs first: after a restart the pins float until these two lines run, and the bootloader may need ten
  // seconds before that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  Serial.println(F("Version " FIRMWARE_VERSION));
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);

  // Called when the server has an update, before its data is read.
  ESPhttpUpdate.onStart([]() {
    enterSafeState();
    rejection = 0;
  });
  ESPhttpUpdate.onProgress(onProgress);
  ESPhttpUpdate.onEnd([]() {
    // Last chance before the restart: save counters and close connections. Stay in the safe state.
    Serial.println(F("Update accepted; restarting"));
  });
  ESPhttpUpdate.onError([](int error) {
    // Also called when the server cannot be reached, before an update starts.
    Serial.printf("Update: error %d\n", error);
  });
}

void loop() {
  if (WiFi.isConnected() && isDue()) askForUpdate();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
