/** Firmware projects with a web updater. ESPEasy uses the form of `ESP8266HTTPUpdateServer`, but users may search for its name. */
export const webPresets = ['elegantota', 'tasmota', 'espeasy', 'espurna', 'wled', 'heishamon'] as const;

export type WebPreset = (typeof webPresets)[number];

/** Valid names of a form field: printable ASCII that needs no escaping in a Content-Disposition header. */
export const formFieldPattern = /^[\w.[\]-]{1,64}$/;
