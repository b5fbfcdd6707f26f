/* follow.c -- see follow.h. */
#include "app/follow.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS_BYTES = 64 << 10, DEPTH_MAX = 64 };

static const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_DELETE | IN_ONLYDIR | IN_EXCL_UNLINK;

bool follow_open(Follow *f, const char *skip)
{
    *f = (Follow){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .skip = skip };
    return f->fd >= 0;
}

void follow_close(Follow *f)
{
    if (f->fd >= 0) close(f->fd);
}

/* false: this is no folder, or it cannot be followed. */
static bool follow_one(Follow *f, const char *path)
{
    if (f->fd < 0) return false;
    if (inotify_add_watch(f->fd, path, mask) >= 0) return true;
    f->full |= errno == ENOSPC;
    return errno == ENOSPC;
}

static void follow_below(Follow *f, const char *path, int depth)
{
    DIR *dir = depth < DEPTH_MAX && follow_one(f, path) ? opendir(path) : NULL;
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir)) && !f->full;) {
        char below[PATH_MAX];
        struct stat st;
        if (e->d_name[0] == '.') continue;
        if (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) continue;
        int n = snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        if (n < 0 || n >= (int)sizeof below) continue;
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            follow_below(f, below, depth + 1);
    }
    closedir(dir);
}

void follow_add(Follow *f, const char *path)
{
    struct stat st;
    char folder[PATH_MAX];
    if (f->full || stat(path, &st) != 0) return;
    if (S_ISDIR(st.st_mode)) {
        follow_below(f, path, 0);
        return;
    }
    const char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) >= sizeof folder) return;
    int n = slash == path ? 1 : (int)(slash - path);
    snprintf(folder, sizeof folder, "%.*s", n, path);
    follow_one(f, folder);
}

/* Hidden names and the store's own files are no news. A folder that appears is followed
 * by the caller, who adds its roots again. */
static bool is_news(const Follow *f, const struct inotify_event *e)
{
    if (e->mask & (IN_Q_OVERFLOW | IN_IGNORED)) return true;
    if (e->len == 0 || e->name[0] == '.') return false;
    if (f->skip && strncmp(e->name, f->skip, strlen(f->skip)) == 0) return false;
    return !(e->mask & IN_CREATE) || (e->mask & IN_ISDIR);   // a file is told when closed
}

/* Takes what the kernel has; true where there is news among it. */
static bool take(const Follow *f)
{
    _Alignas(struct inotify_event) char at[EVENTS_BYTES];
    bool news = false;
    for (ssize_t n; (n = read(f->fd, at, sizeof at)) > 0;)
        for (ssize_t i = 0; i < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(at + i);
            news |= is_news(f, e);
            i += (ssize_t)(sizeof *e + e->len);
        }
    return news;
}

bool follow_wait(Follow *f, int ms)
{
    struct pollfd p = { .fd = f->fd, .events = POLLIN };
    return poll(&p, f->fd >= 0, ms) > 0 && take(f);
}
