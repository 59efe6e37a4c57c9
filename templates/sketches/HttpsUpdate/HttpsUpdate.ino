/*
  The device asks an update server over HTTPS, at intervals and by its version: nobody on the way can read the firmware, or
  pretend to be the server. For core 3.x.

  Set-up: start the server with `ota-hooks serve --tls self-signed`, copy ota_server_tls.h from the folder tls in its data
  to this sketch (again only if the server's authority changes), copy arduino_secrets.example.h to arduino_secrets.h and
  fill it in, set updateUrl, flash over serial once and press reset.

  The server compares x-ESP8266-version (or x-ESP8266-sketch-md5) with what it has, and answers 304 when there is nothing
  new.

  Limits:
  - HTTPS protects the way, not the device: whoever has the server can send what he likes. MD5 (the header x-MD5) is no
    security. What protects the device is the signature: keep public.key beside this sketch and build it with
    `ota-hooks build`. What is signed can be sent again later, though: an old release stays valid.
  - Certificates need the time of day, which comes by NTP; until it is there, the device does not ask. Where there is no
    NTP, pin the server's key, which needs no clock: BearSSL::PublicKey serverKey(ota_server_key), and in the place of
    setTrustAnchors client.setKnownKey(&serverKey). Then this very key is trusted, whatever the certificate says.
  - setFingerprint is not for this: the fingerprint changes when the certificate is renewed, about once a year, and the
    device is locked out. Authority and key stay the same.
  - TLS takes 20 to 30 KB of heap while it runs, most of it for one record: 16 KB, unless server and device agree on less
    (MFLN). `ota-hooks serve` agrees, and sends 1 KB at most in any case; the sketch asks whatever server is there, and
    keeps off when there is not enough memory.
  - A full handshake keeps the CPU busy for a while, a resumed one hardly at all. The session is kept in RAM.
  - RTC user memory is overwritten: the first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the order to the
    bootloader. Keep nothing there that has to outlive an update.
  - The new sketch is stored beside the running one: both must fit (ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <Updater.h>
#include <WiFiClientSecure.h>
#include <time.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.
#include "ota_server_tls.h"  // missing? `ota-hooks serve --tls self-signed` writes it; copy it beside this sketch.

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // or by a build flag; the server is told this
#endif

// By address or DNS (names in .local are not looked up), and as the certificate has it: `serve --tls-host`.
const char serverName[] = "192.0.2.10";
const uint16_t serverPort = 8443;
const char updatePath[] = "/update/door";
const char timeServer[] = "pool.ntp.org";  // or one in your own network
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

BearSSL::X509List serverAuthority(ota_server_ca);
BearSSL::Session session;  // outlives a connection: the next one needs no certificate

// 2024-01-01: before NTP has answered, the clock begins at 1970, and no certificate is valid.
bool isTimeKnown() {
  return time(nullptr) > 1704067200;
}

void askForUpdate() {
  // loop() stands still meanwhile: up to 15 seconds if the server does not answer, a minute if the connection dies half-way.
  // Where that matters, enter the safe state before asking, not only in onStart.
  const bool hasShortRecords = BearSSL::WiFiClientSecure::probeMaxFragmentLength(serverName, serverPort, 512);
  if (!hasShortRecords && ESP.getMaxFreeBlockSize() < 28000) {
    // The server may send records of up to 16 KB: without room for one, the update would break off half-way.
    Serial.println(F("The server does not answer, or needs more memory than there is"));
    return;
  }
  BearSSL::WiFiClientSecure client;
  client.setTrustAnchors(&serverAuthority);
  client.setBufferSizes(hasShortRecords ? 512 : 16384, 512);  // what is written decides what BearSSL asks for
  client.setSession(&session);
  switch (ESPhttpUpdate.update(client, serverName, serverPort, updatePath, FIRMWARE_VERSION)) {
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
  configTime("UTC0", timeServer);  // asks in the background, again every hour

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
  if (WiFi.isConnected() && isTimeKnown() && isDue()) askForUpdate();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
