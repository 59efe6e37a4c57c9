/*
  Writes an update from any Stream to the Updater, which all other update methods use internally.
  Use this for firmware that arrives by radio, over MQTT, on an SD card or over your own protocol. This example installs a
  file in LittleFS that is complete before the update starts.

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, flash over serial once and press reset.
  Requires core 3.1.0 or later: earlier versions have no Update.onStart (esp8266/Arduino#8653).

  Limits:
  - Anyone who can write the file can replace the sketch. Only signatures control which firmware the device runs: keep
    public.key in the sketch folder and build with `ota-hooks build`.
  - MD5 (Update.setMD5) is not a security measure. It detects transmission errors, and only on devices that do not check
    signatures.
  - The Stream must not pause for long: the update fails after a minute without data. Collect slow pieces in a file first,
    as here. Update.write(buffer, size) accepts pieces of any size, but the device must stay in the safe state between them.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()). The file also
    needs space in the filesystem.
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>  // needed even without Wi-Fi: this library contains the signature check
#include <LittleFS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

const char waiting[] = "/firmware.bin.signed";
const char rejected[] = "/firmware.rejected";
const uint32_t intervalMs = 10UL * 1000;

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
  static uint32_t nextMs = 0;
  if (static_cast<int32_t>(millis() - nextMs) < 0) return false;
  nextMs = millis() + intervalMs;
  return true;
}

// Returns true if the whole image was stored and verified. The bootloader installs it at the next restart.
bool stageUpdate(Stream &stream, size_t sizeBytes) {
  if (!Update.begin(sizeBytes, U_FLASH)) return false;
  if (Update.writeStream(stream) != sizeBytes) return false;
  return Update.end();
}

void installWaitingFile() {
  File file = LittleFS.open(waiting, "r");
  if (!file) return;
  const bool isStaged = stageUpdate(file, file.size());
  file.close();
  if (!isStaged) {
    Update.printError(Serial);
    Update.end();
    // Rename the file, so that the device does not try to install it repeatedly.
    LittleFS.rename(waiting, rejected);
    return;
  }
  // Remove the file before the restart, so that the device does not install it again after every start.
  LittleFS.remove(waiting);
  LittleFS.end();
  ESP.restart();
}

void setup() {
  // Set the outputs first: after a restart the pins float until these two lines run, and the bootloader may need ten
  // seconds before that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  LittleFS.begin();
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);

  Update.onStart(enterSafeState);
  Update.onProgress([](size_t done, size_t total) {
    Serial.printf("Update: %u of %u bytes\n", static_cast<unsigned>(done), static_cast<unsigned>(total));
  });
  Update.onError([](uint8_t error) { Serial.printf("Update: error %u\n", error); });
}

void loop() {
  // Receive the pieces here: write them to a file with a temporary name, and rename the complete file.
  if (isDue()) installWaitingFile();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
