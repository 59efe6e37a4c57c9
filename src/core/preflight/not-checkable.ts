/** Update failure that preflight cannot predict, and the reason. */
export interface NotCheckable {
  readonly id: string;
  readonly condition: string;
  readonly why: string;
  readonly evidence: readonly string[];
}

/** Update failures that are possible even if preflight has no findings. docs/never-brick.md lists them. */
export const notCheckable: readonly NotCheckable[] = [
  {
    id: 'power-cut',
    condition: 'The power fails while eboot copies the update: the copy command is in RTC memory and is lost.',
    why: 'A power failure cannot be predicted, and a restart without the command does not resume the copy.',
    evidence: ['esp8266/Arduino#905', 'eboot_command.c'],
  },
  {
    id: 'bootstrap-mode',
    condition:
      'The device was flashed over serial and not reset afterward: its restart ends in the boot ROM (ERROR 11 of ArduinoOTA).',
    why: 'The boot mode is in a register of the chip, and no update protocol reports it before the update.',
    evidence: ['esp8266/Arduino#1017', 'ArduinoOTA.cpp _runUpdate'],
  },
  {
    id: 'puya-gz',
    condition: 'The device has a Puya flash chip: gzip-compressed updates were reported to be lost.',
    why: 'No update protocol reports the vendor of the flash chip.',
    evidence: ['esp8266/Arduino#7169'],
  },
  {
    id: 'eboot-2.5.x',
    condition: 'Updates through the eboot of core 2.5.x were reported to fail.',
    why: 'A host cannot distinguish the affected devices from others. If the core is known to be 2.5.x, the rule eboot-2.5 warns.',
    evidence: ['esp8266/Arduino#8264'],
  },
];
