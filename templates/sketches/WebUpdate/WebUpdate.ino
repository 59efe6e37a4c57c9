/*
  Serves a web page, /update, for uploading a new sketch or filesystem image, protected by a login.
  Use this if the only tool for updates is a browser.

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, flash over serial once and press reset.
  Requires core 3.1.0 or later: earlier versions have no Update.onStart (esp8266/Arduino#8653).

  Limits:
  - The login is weak: it is sent unencrypted with each request, so anyone on the network can read it, and the firmware
    contains it in readable form. An empty user name or password disables it. Only signatures control which firmware the
    device runs: keep public.key in the sketch folder and build with `ota-hooks build`.
  - The transfer is not verified. MD5 is not a security measure, and this page does not even check the MD5. Without
    signatures, a damaged upload is installed if its first byte is valid.
  - The page stages an image at the lowest possible flash address, where decompression may overwrite compressed data that
    has not been read yet. Upload .bin.signed here, not .gz.signed.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ESP8266HTTPUpdateServer.h>
#include <ESP8266WebServer.h>
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

static_assert(sizeof(SECRET_WEB_USER) > 1, "SECRET_WEB_USER in arduino_secrets.h is empty: this disables the login");
static_assert(sizeof(SECRET_WEB_PASSWORD) > 12, "SECRET_WEB_PASSWORD in arduino_secrets.h needs at least 12 characters");

const char hostName[] = "garden-valve";  // must be unique per device; the page is http://garden-valve.local/update
const uint16_t webPort = 80;

ESP8266WebServer webServer(webPort);
ESP8266HTTPUpdateServer updatePage;

// The application: here, a valve that must not stay open unattended.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool isServing = false;

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

bool startServing() {
  updatePage.setup(&webServer, "/update", SECRET_WEB_USER, SECRET_WEB_PASSWORD);
  webServer.begin();
  MDNS.begin(hostName);
  MDNS.addService("http", "tcp", webPort);
  // Announce the MD5 of the running sketch, so that an update can be confirmed after the restart.
  MDNS.addServiceTxt("http", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
  return true;
}

void setup() {
  // Set the outputs first: after a restart the pins float until these two lines run, and the bootloader may need ten
  // seconds before that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);

  // The update page has no callbacks. The callbacks of Update cover all update methods. onStart runs after the login.
  Update.onStart(enterSafeState);
  Update.onError([](uint8_t error) { Serial.printf("Update: error %u\n", error); });
}

void loop() {
  if (!isServing && WiFi.isConnected()) isServing = startServing();
  if (isServing) {
    webServer.handleClient();  // returns after a failed upload; a successful one restarts the device
    MDNS.update();
  }
  // An upload canceled by the browser reports no error, so check whether an update is running.
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
