/* main.c -- pith-extract: reads documents for libpith, which starts it. */
#include "extract/zygote.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTROL = 3 };

int main(void)
{
    int type = 0;
    socklen_t n = sizeof type;
    parse_end_without_memory();
    if (getsockopt(CONTROL, SOL_SOCKET, SO_TYPE, &type, &n) == 0)
        _exit(zygote_run(CONTROL, parse_document));
    fputs("pith-extract reads documents for pith, which starts it: try `pith add`\n",
          stderr);
    return 2;
}
