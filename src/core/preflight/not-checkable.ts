/** A way in which an update can fail that a host cannot see, and why. */
export interface NotCheckable {
  readonly id: string;
  readonly condition: string;
  readonly why: string;
  readonly evidence: readonly string[];
}

/** Listed in docs/never-brick.md, so that nobody takes silence for safety. */
export const notCheckable: readonly NotCheckable[] = [
  {
    id: 'power-cut',
    condition: 'the power fails while eboot copies: its command lies in RTC memory, which is lost with it',
    why: 'nobody knows when the power fails; after a restart without it the copy is not resumed',
    evidence: ['esp8266/Arduino#905', 'eboot_command.c'],
  },
  {
    id: 'bootstrap-mode',
    condition:
      'the device was flashed over serial and not reset since: its restart ends in the boot ROM (ERROR 11 of ArduinoOTA)',
    why: 'the boot mode stands in a register of the chip, which no update protocol tells beforehand',
    evidence: ['esp8266/Arduino#1017', 'ArduinoOTA.cpp _runUpdate'],
  },
  {
    id: 'puya-gz',
    condition: 'gzip on a flash chip of Puya: the update was seen to be lost',
    why: 'no update protocol tells the vendor of the flash chip',
    evidence: ['esp8266/Arduino#7169'],
  },
  {
    id: 'eboot-2.5.x',
    condition: 'updates through an eboot of 2.5.x were reported to fail',
    why: 'nothing that a host sees tells these devices apart; where the core is known to be 2.5.x, the rule eboot-2.5 warns',
    evidence: ['esp8266/Arduino#8264'],
  },
];
