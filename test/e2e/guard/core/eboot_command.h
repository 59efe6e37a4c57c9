#ifndef EBOOT_COMMAND_H
#define EBOOT_COMMAND_H
#endif
