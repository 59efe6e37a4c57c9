/*
  The device fetches a new filesystem image (LittleFS) from a web server: web pages, tables, sounds, without a new sketch.

  Set-up: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, set filesystemUrl, flash over serial once and
  press reset. Put a file version.txt into the folder that the image is made of: its first line tells the server what the
  device has.

  A device that checks signatures wants filesystem images signed as well:

      ota-hooks pack littlefs.bin --kind filesystem --private-key private.key

  Limits:
  - Everything in the filesystem is replaced, also what the device wrote there itself. Keep settings elsewhere (EEPROM), or
    read them into memory before and write them back after.
  - The image is written over the old one as it comes, and checked when it is too late: a power cut or a bad signature
    leaves no filesystem. The sketch must be able to run without one; this one does, and asks again. With ATOMIC_FS_UPDATE
    defined in the build flags (for the core too) the image is staged first, if there is room, and can be compressed.
  - The image must be made for this very layout: same size, same place in flash.
  - MD5 (the header x-MD5) is no security, and plain HTTP can be changed on its way; the signature protects. But it does not
    say what an image is for: never sign an image that should not run on every device with this key.
  - RTC user memory is overwritten by atomic updates and those of the sketch: its first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite) carry the order to the bootloader.
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <LittleFS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

const char filesystemUrl[] = "http://192.0.2.10:8080/filesystem";  // by address or DNS: names in .local are not looked up
const uint32_t intervalMs = 60UL * 60 * 1000;

// What the device is for: here, a valve that must not stay open while nobody looks after it.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool hasFilesystem = false;

void mountFilesystem() {
  // Without formatting: an empty filesystem in place of a broken one would hide what happened.
  LittleFS.setConfig(LittleFSConfig(false));
  hasFilesystem = LittleFS.begin();
  if (!hasFilesystem) Serial.println(F("No filesystem"));
}

// Safe state: an update keeps the device busy for up to a minute and ends in a restart, in the middle of whatever it was
// doing. Shut valves, switch heaters and motors off, finish what may not be interrupted: before the first byte is written.
void enterSafeState() {
  digitalWrite(valvePin, valveClosed);
  inSafeState = true;
  // Whatever still reads files would read the old and the new mixed.
  LittleFS.end();
  hasFilesystem = false;
}

void leaveSafeState() {
  mountFilesystem();
  inSafeState = false;
}

void controlValve() {
  // Your application; it has to do without files when hasFilesystem is false. It is not called while an update runs.
}

String filesystemVersion() {
  if (!hasFilesystem) return String("none");
  File file = LittleFS.open("/version.txt", "r");
  if (!file) return String("none");
  String version = file.readStringUntil('\n');
  version.trim();
  return version;
}

bool isDue() {
  // Spread over a minute by the chip's number: after a power cut, not all devices ask in the same second.
  static uint32_t nextMs = ESP.getChipId() % 60000;
  if (static_cast<int32_t>(millis() - nextMs) < 0) return false;
  nextMs = millis() + intervalMs;
  return true;
}

void askForFilesystem() {
  WiFiClient client;
  switch (ESPhttpUpdate.updateFS(client, filesystemUrl, filesystemVersion())) {
    case HTTP_UPDATE_FAILED:
      Serial.printf("Update failed (%d): %s\n", ESPhttpUpdate.getLastError(), ESPhttpUpdate.getLastErrorString().c_str());
      break;
    case HTTP_UPDATE_NO_UPDATES:
      Serial.println(F("Nothing new"));
      break;
    case HTTP_UPDATE_OK:
      // The library does not restart after a filesystem. With ATOMIC_FS_UPDATE the bootloader has yet to copy it; without,
      // starting afresh is the simplest way to forget what was read from the old one.
      ESP.restart();
      break;
  }
}

void setup() {
  // First of all: after a restart the pins float until these two lines, and the bootloader may need ten seconds to copy an
  // update before they are reached. What must be off in the meantime needs a resistor that pulls it there.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  mountFilesystem();
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
  ESPhttpUpdate.onStart(enterSafeState);  // the server has an image and it is about to be read
}

void loop() {
  if (WiFi.isConnected() && isDue()) askForFilesystem();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
