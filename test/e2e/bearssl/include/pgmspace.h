/* On a computer there is one kind of memory. */
#define PROGMEM
#define strlen_P strlen
