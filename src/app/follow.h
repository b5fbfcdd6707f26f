/* follow.h -- what happens below some folders, told by inotify(7).
 *
 * Only that something happened is told, not what: a sync finds that out, and so nothing
 * is lost where the kernel drops events, and memory does not grow with them. */
#ifndef PITH_APP_FOLLOW_H
#define PITH_APP_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Follow {
    int fd;                     // -1: inotify is not to be had
    const char *skip;           // names that begin like this are no news: the store's own
    bool full;                  // the limit of watches was reached: some are not followed
} Follow;

/* false: the system gives no inotify, and f->fd is -1. */
bool follow_open(Follow *f, const char *skip);
void follow_close(Follow *f);
/* Follows a folder and all below it, hidden ones left out, or the folder of a file. What
 * is followed already stays so. */
void follow_add(Follow *f, const char *path);
/* Waits at most ms for news. A folder that is new is news, and not followed yet. */
bool follow_wait(Follow *f, int ms);

#endif
