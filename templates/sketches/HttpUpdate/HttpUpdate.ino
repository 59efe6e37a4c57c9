/*
  The device asks a web server for updates, at intervals and by its version.
  For devices in the field: they call out, so no firewall has to be opened for them.

  Set-up: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, set updateUrl, flash over serial once and
  press reset.

  The server compares x-ESP8266-version (or x-ESP8266-sketch-md5) with what it has, and answers 304 when there is nothing
  new. A server that compares with the MD5 of the .gz or .signed file that it sends never finds them equal, and the device
  updates itself for ever.

  Limits:
  - Plain HTTP can be read and changed on its way. MD5 (the header x-MD5) is no security: whoever changes the image changes
    it too. What protects the device is the signature: keep public.key beside this sketch and build it with
    `ota-hooks build`. What is signed can be sent again later, though: an old release stays valid.
  - HTTPS (BearSSL::WiFiClientSecure instead of WiFiClient) needs 20 to 30 KB of heap, a certificate or its public key to
    trust, and the time of day; use a short certificate chain and a server that knows small TLS fragments.
  - RTC user memory is overwritten: the first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the order to the
    bootloader. Keep nothing there that has to outlive an update.
  - The new sketch is stored beside the running one: both must fit (ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // or by a build flag; the server is told this
#endif

const char updateUrl[] = "http://192.0.2.10:8080/firmware";  // by address or DNS: names in .local are not looked up
const uint32_t intervalMs = 60UL * 60 * 1000;

// What the device is for: here, a valve that must not stay open while nobody looks after it.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;

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

bool isDue() {
  // Spread over a minute by the chip's number: after a power cut, not all devices ask in the same second.
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

void askForUpdate() {
  // loop() stands still meanwhile: 8 seconds if the server does not answer, a minute if the connection dies half-way.
  // Where eight seconds matter, enter the safe state before asking, not only in onStart.
  WiFiClient client;
  switch (ESPhttpUpdate.update(client, updateUrl, FIRMWARE_VERSION)) {
    case HTTP_UPDATE_FAILED:
      Serial.printf("Update failed (%d): %s\n", ESPhttpUpdate.getLastError(), ESPhttpUpdate.getLastErrorString().c_str());
      break;
    case HTTP_UPDATE_NO_UPDATES:
      Serial.println(F("Nothing new"));
      break;
    case HTTP_UPDATE_OK:
      break;  // never here: the device has restarted
  }
}

void setup() {
  // First of all: after a restart the pins float until these two lines, and the bootloader may need ten seconds to copy an
  // update before they are reached. What must be off in the meantime needs a resistor that pulls it there.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  Serial.println(F("Version " FIRMWARE_VERSION));
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);

  ESPhttpUpdate.onStart(enterSafeState);  // the server has an update and it is about to be read
  ESPhttpUpdate.onProgress(onProgress);
  ESPhttpUpdate.onEnd([]() {
    // The last moment before the restart: save counters, close connections. Stay in the safe state.
    Serial.println(F("Update accepted; restarting"));
  });
  ESPhttpUpdate.onError([](int error) {
    // Also for a server that cannot be reached, when nothing had begun.
    Serial.printf("Update: error %d\n", error);
  });
}

void loop() {
  if (WiFi.isConnected() && isDue()) askForUpdate();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
