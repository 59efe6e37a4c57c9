/* Test bootloader: copies a staged image to the start of flash if RTC memory contains the command to do so, then starts
 * the application. It fills the first sector of an image, as eboot does, but unlike eboot it does not support gzip. */
#include <stdint.h>

#define SECTOR 4096u
#define APPLICATION 0x1000u
#define COMMAND ((volatile uint32_t *)0x60001280u)
#define COMMAND_MAGIC 0xeb001000u
#define ACTION_COPY 1u

int SPIEraseSector(uint32_t sector);
int SPIRead(uint32_t address, void *to, uint32_t bytes);
int SPIWrite(uint32_t address, const void *from, uint32_t bytes);
int uart_tx_one_char(char character);

struct command {
  uint32_t magic, action, from, to, bytes, crc;
};

static uint32_t crc_of(const volatile uint32_t *words, unsigned count) {
  uint32_t crc = 0xffffffffu;
  while (count--) {
    crc ^= *words++;
    for (int bit = 0; bit < 32; bit++) crc = crc & 0x80000000u ? (crc << 1) ^ 0x04c11db7u : crc << 1;
  }
  return crc;
}

static void say(const char *text) {
  while (*text) uart_tx_one_char(*text++);
}

static int copy(uint32_t from, uint32_t to, uint32_t bytes) {
  uint32_t words[64];
  for (uint32_t done = 0; done < bytes; done += sizeof words) {
    if ((to + done) % SECTOR == 0 && SPIEraseSector((to + done) / SECTOR)) return 1;
    if (SPIRead(from + done, words, sizeof words)) return 2;
    if (SPIWrite(to + done, words, sizeof words)) return 3;
  }
  return 0;
}

static void start(uint32_t at) {
  uint32_t head[2], segment[2];
  SPIRead(at, head, sizeof head);
  uint32_t offset = at + sizeof head;
  for (unsigned left = (head[0] >> 8) & 0xff; left; left--) {
    SPIRead(offset, segment, sizeof segment);
    offset += sizeof segment;
    if (segment[0] < 0x40200000u) SPIRead(offset, (void *)segment[0], segment[1]);
    offset += segment[1];
  }
  ((void (*)(void))head[1])();
}

__attribute__((section(".boot"))) void boot(void) {
  struct command command;
  uint32_t *words = (uint32_t *)&command;
  for (unsigned i = 0; i < sizeof command / 4; i++) words[i] = COMMAND[i];
  if (command.magic == COMMAND_MAGIC && command.crc == crc_of(COMMAND, 5) && command.action == ACTION_COPY) {
    say("copying ");
    say(copy(command.from, command.to, command.bytes) ? "failed\n" : "done\n");
    COMMAND[0] = 0;
  }
  say("starting\n");
  start(APPLICATION);
  for (;;) {
  }
}
