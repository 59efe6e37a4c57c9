/* A computer has only one kind of memory. */
#define PROGMEM
#define strlen_P strlen
