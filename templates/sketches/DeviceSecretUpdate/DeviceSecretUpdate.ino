/*
  Checks a web server for updates and authenticates with a secret that is different on each device.
  Use this so that other clients cannot send reports as your devices, which could complete or halt a rollout.

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, set updateUrl, and flash. One image serves all
  devices, because it does not contain the secret. The secret is in the EEPROM sector, which sketch and filesystem updates do
  not change.
  1. On the server: `ota-hooks server devices credentials PROJECT --all --out secrets.csv`
  2. Send each device its secret from secrets.csv, either over serial (115200 baud) as `secret THE_SECRET`, or over the
     local network: curl --data-urlencode secret=THE_SECRET http://DEVICE/secret
  A device without a secret accepts the first one that it receives. After that, only a client that knows the current secret
  can replace it over the network: add `--user USER:OLD_SECRET`. Over serial, it can always be replaced.

  Limits:
  - Plain HTTP can be read and modified in transit, so anyone on the path can read the secret. Use HTTPS (see HttpsUpdate)
    if you do not control the network. MD5 (the x-MD5 header) is not a security measure. Signatures protect the device
    from foreign firmware: keep public.key in the sketch folder and build with `ota-hooks build`, which signs the image.
  - The flash is not encrypted: anyone with the device can read its secret, but not the secrets of other devices.
  - ESPhttpUpdate.setAuthorization needs core 3.0.0 or later.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <EEPROM.h>
#include <ESP8266WebServer.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // sent to the server; a build flag can override it
#endif

const char updateUrl[] = "http://192.0.2.10:8080/firmware";  // IP address or DNS name; .local names are not resolved
const uint32_t intervalMs = 60UL * 60 * 1000;

// The secret in EEPROM: a marker, so that an erased chip is recognized, then the text and a zero.
const char secretMark[] = "OTA1";
const size_t secretAt = 0;  // first EEPROM address; your own data must begin behind it
const size_t longestSecret = 64;
const size_t eepromSize = secretAt + sizeof(secretMark) - 1 + longestSecret + 1;

ESP8266WebServer webServer(80);
String user;  // the MAC without colons: a colon would end the user name
String secret;

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

void readSecret() {
  EEPROM.begin(eepromSize);
  size_t at = secretAt;
  for (const char *mark = secretMark; *mark != 0; mark++) {
    if (EEPROM.read(at++) != static_cast<uint8_t>(*mark)) return;
  }
  for (size_t length = 0; length < longestSecret; length++) {
    const char next = static_cast<char>(EEPROM.read(at++));
    if (next == 0) break;
    secret += next;
  }
}

bool writeSecret(const String &text) {
  if (text.length() < 16 || text.length() > longestSecret) return false;
  size_t at = secretAt;
  for (const char *mark = secretMark; *mark != 0; mark++) EEPROM.write(at++, *mark);
  for (size_t index = 0; index < text.length(); index++) EEPROM.write(at++, text[index]);
  EEPROM.write(at, 0);
  if (!EEPROM.commit()) return false;
  secret = text;
  ESPhttpUpdate.setAuthorization(user, secret);
  return true;
}

// Only a client that knows the current secret may replace it. The first secret is accepted from any client.
void receiveSecret() {
  if (secret.length() > 0 && !webServer.authenticate(user.c_str(), secret.c_str())) {
    webServer.requestAuthentication();
    return;
  }
  if (writeSecret(webServer.arg("secret"))) webServer.send(200, "text/plain", "Secret stored\n");
  else webServer.send(400, "text/plain", "The secret must have 16 to 64 characters\n");
}

void readSerial() {
  static String line;
  while (Serial.available() > 0) {
    const char next = static_cast<char>(Serial.read());
    if (next != '\n' && line.length() <= longestSecret + 8) {
      line += next;
      continue;
    }
    line.trim();
    if (line.startsWith("secret ")) Serial.println(writeSecret(line.substring(7)) ? F("Secret stored") : F("Invalid secret"));
    line = "";
  }
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

void askForUpdate() {
  // This blocks loop() for 8 seconds if the server does not respond, and for a minute if the connection drops halfway.
  // If 8 seconds are too long, enter the safe state before the check, not only in onStart.
  WiFiClient client;
  switch (ESPhttpUpdate.update(client, updateUrl, FIRMWARE_VERSION)) {
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
  user = WiFi.macAddress();
  user.replace(":", "");
  readSecret();
  // The server requires the secret only after the device has used it once.
  if (secret.length() > 0) ESPhttpUpdate.setAuthorization(user, secret);
  else Serial.println(F("No secret yet: send \"secret ...\" over serial, or POST it to /secret"));
  webServer.on("/secret", HTTP_POST, receiveSecret);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
  webServer.begin();

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
  webServer.handleClient();
  readSerial();
  if (WiFi.isConnected() && isDue()) askForUpdate();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
