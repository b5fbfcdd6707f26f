/* assets.h -- the files of web/, built in by cmake/embed.cmake. */
#ifndef PITH_SERVE_ASSETS_H
#define PITH_SERVE_ASSETS_H

#include <stddef.h>

typedef struct Asset {
    const char *name, *type;        // the file; its media type
    const unsigned char *bytes;
    size_t n;
} Asset;

extern const Asset assets[];        // ended by an entry without a name

#endif
