/*
  Downloads a new filesystem image (LittleFS) from a web server: web pages, tables or sounds, without a new sketch.

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, set filesystemUrl, flash over serial once and
  press reset. Put a file version.txt into the folder from which you make the image: the device sends the first line of this
  file to the server as the installed version.

  A device that checks signatures requires signed filesystem images too:

      ota-hooks pack littlefs.bin --kind filesystem --private-key private.key

  Limits:
  - The update replaces the whole filesystem, including files that the device wrote. Keep settings elsewhere (EEPROM), or
    read them into memory before the update and write them back afterwards.
  - The image overwrites the old one while it arrives and is verified only at the end: a power cut or an invalid signature
    leaves no filesystem. The sketch must be able to run without files; this sketch does, and checks for updates again. With
    ATOMIC_FS_UPDATE in the build flags (for the core too) the image is staged first, if there is enough space, and can be
    compressed.
  - The image must be made for the device's flash layout: same size, same address.
  - MD5 (the x-MD5 header) is not a security measure, and plain HTTP can be modified in transit; the signature protects the
    image. But a signature does not state what an image is for: never sign an image that must not run on every device with
    this key.
  - RTC user memory is overwritten: atomic filesystem updates and sketch updates store the bootloader command in the first
    128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite).
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <LittleFS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

const char filesystemUrl[] = "http://192.0.2.10:8080/filesystem";  // IP address or DNS name; .local names are not resolved
const uint32_t intervalMs = 60UL * 60 * 1000;

// The application: here, a valve that must not stay open unattended.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool hasFilesystem = false;

void mountFilesystem() {
  // Do not format automatically, because an empty filesystem would hide that the old one is damaged.
  LittleFS.setConfig(LittleFSConfig(false));
  hasFilesystem = LittleFS.begin();
  if (!hasFilesystem) Serial.println(F("Cannot mount the filesystem"));
}

// Safe state: an update blocks the application for up to a minute and then restarts the device. Before the first byte is
// written, close valves, switch off heaters and motors, and finish all operations that must not be interrupted.
void enterSafeState() {
  digitalWrite(valvePin, valveClosed);
  inSafeState = true;
  // Unmount the filesystem: reads during the update would return a mix of old and new data.
  LittleFS.end();
  hasFilesystem = false;
}

void leaveSafeState() {
  mountFilesystem();
  inSafeState = false;
}

void controlValve() {
  // Your application goes here. It is not called during an update, and it must work without files if !hasFilesystem.
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
  // The chip ID spreads the first check over a minute, so that devices do not all check at once after a power cut.
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
      Serial.println(F("No update available"));
      break;
    case HTTP_UPDATE_OK:
      // The library does not restart after a filesystem update. With ATOMIC_FS_UPDATE, the bootloader must still copy the
      // image; without it, a restart is the simplest way to discard data that was read from the old filesystem.
      ESP.restart();
      break;
  }
}

void setup() {
  // Set the outputs first: after a restart the pins float until these two lines run, and the bootloader may need ten
  // seconds before that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  mountFilesystem();
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
  ESPhttpUpdate.onStart(enterSafeState);  // called when the server has an image, before its data is read
}

void loop() {
  if (WiFi.isConnected() && isDue()) askForFilesystem();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
