/*
  Checks an update server over HTTPS at intervals and sends the version of the device. An attacker on the network cannot
  read the firmware or impersonate the server. For core 3.x.

  Setup: start the server with `ota-hooks serve --tls self-signed`, copy ota_server_tls.h from the tls folder in its data
  to the sketch folder (again only if the CA of the server changes), copy arduino_secrets.example.h to arduino_secrets.h
  and fill it in, set serverName and updatePath, flash over serial once and press reset.

  The server compares x-ESP8266-version (or x-ESP8266-sketch-md5) with its release and responds with 304 if there is
  nothing new.

  Limits:
  - HTTPS protects the connection, not the device: anyone who controls the server can send any firmware. MD5 (the x-MD5
    header) is not a security measure. Signatures protect the device: keep public.key in the sketch folder and build with
    `ota-hooks build`. They do not prevent replay: an old signed release stays valid.
  - Checking a certificate requires the current time. The device does not check for updates until NTP has set its
    clock. If there is no NTP server, pin the public key of the server, which needs no clock: declare
    BearSSL::PublicKey serverKey(ota_server_key) and replace setTrustAnchors with client.setKnownKey(&serverKey). The device
    then trusts only this key and ignores the rest of the certificate.
  - Do not use setFingerprint: the fingerprint changes when the certificate is renewed, about once a year, and locks the
    device out. CA and key stay the same.
  - TLS needs 20 to 30 KB of heap during a connection, most of it for one record: 16 KB, unless server and device negotiate
    less (MFLN). `ota-hooks serve` supports MFLN, and its records never exceed 1 KB; the sketch probes any server and skips
    the check if there is not enough memory.
  - A full handshake keeps the CPU busy for a while. A resumed handshake needs little CPU time. The session is kept in RAM.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <Updater.h>
#include <WiFiClientSecure.h>
#include <time.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.
#include "ota_server_tls.h"  // missing? `ota-hooks serve --tls self-signed` writes it; copy it to the sketch folder.

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // sent to the server; a build flag can override it
#endif

// IP address or DNS name (.local names are not resolved), as in the certificate: see `serve --tls-host`.
const char serverName[] = "192.0.2.10";
const uint16_t serverPort = 8443;
const char updatePath[] = "/update/door";
const char timeServer[] = "pool.ntp.org";  // or an NTP server on your network
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

BearSSL::X509List serverAuthority(ota_server_ca);
BearSSL::Session session;  // reused by the next connection, so that the certificate is not sent again

// 1704067200 is 2024-01-01. Until NTP responds, the clock is in 1970, when no certificate is valid.
bool isTimeKnown() {
  return time(nullptr) > 1704067200;
}

void askForUpdate() {
  // This blocks loop() for up to 15 seconds if the server does not respond, and for a minute if the connection drops
  // halfway. If that is too long, enter the safe state before the check, not only in onStart.
  const bool hasShortRecords = BearSSL::WiFiClientSecure::probeMaxFragmentLength(serverName, serverPort, 512);
  if (!hasShortRecords && ESP.getMaxFreeBlockSize() < 28000) {
    // The server may send records of up to 16 KB. Without enough memory for a record, the download would fail halfway.
    Serial.println(F("Update check skipped: no response from the server, or not enough memory"));
    return;
  }
  BearSSL::WiFiClientSecure client;
  client.setTrustAnchors(&serverAuthority);
  client.setBufferSizes(hasShortRecords ? 512 : 16384, 512);  // BearSSL requests the fragment length of the send buffer
  client.setSession(&session);
  switch (ESPhttpUpdate.update(client, serverName, serverPort, updatePath, FIRMWARE_VERSION)) {
    case HTTP_UPDATE_FAILED:
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
  configTime("UTC0", timeServer);  // queries in the background, every hour

  ESPhttpUpdate.onStart(enterSafeState);  // called when the server has an update, before its data is read
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
  if (WiFi.isConnected() && isTimeKnown() && isDue()) askForUpdate();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
