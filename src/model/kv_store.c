/* kv_store.c -- see kv_store.h.
 *
 * A file is a head and the numbers, which a checksum covers; how much the entry is worth
 * stands in the head outside of it, and is written in place. Who puts holds the folder's
 * lock from counting to renaming, so that no two count the same room. The lock file holds
 * the worth of the last that had to go. A file is never cut or written to again but for
 * its worth: who has it mapped goes on when it is removed. */
#include "model/kv_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

typedef struct Worth {
    double now, each;        // now = clock + uses * each
    uint64_t uses;
} Worth;

typedef struct Head {
    char magic[8];
    char key[32];
    uint64_t bytes;          // behind the head
    uint64_t check;          // of them and of what stands before
    Worth worth;
    uint8_t pad[48];
} Head;

static const char magic[8] = "pithkv1";
_Static_assert(sizeof(Head) == 128, "numbers are aligned to 64");

enum { NAME = 48, PATIENCE = 20, PAUSE_US = 5000 };   // PATIENCE: pauses for the lock

struct KvStore {
    char *folder;
    uint64_t budget;
    int at;                  // the folder
};

/* ---- open and close --------------------------------------------------------------- */

void kv_store_close(KvStore *s)
{
    if (!s) return;
    if (s->at >= 0) close(s->at);
    free(s->folder);
    free(s);
}

Status kv_store_open(Ctx *cx, const char *folder, uint64_t budget, KvStore **out)
{
    *out = NULL;
    TRY(folder_make(cx, folder));
    KvStore *s = calloc(1, sizeof *s);
    if (s) *s = (KvStore){ strdup(folder), budget, -1 };
    if (!s || !s->folder) {
        free(s);
        return fail(cx, E_MEMORY, "no memory for %s", folder);
    }
    s->at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->at >= 0) return *out = s, OK;
    kv_store_close(s);
    return fail(cx, E_IO, "%s: %s", folder, strerror(errno));
}

static void name_of(Blake2bHex key, const char *end, char name[NAME])
{
    snprintf(name, NAME, "%s.%s", key.z, end);
}

/* ---- an entry --------------------------------------------------------------------- */

/* What a file says it is worth; foreign bytes are worth nothing. */
static Worth worth_read(int fd)
{
    Head h;
    if (pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h || !isfinite(h.worth.now)
        || !isfinite(h.worth.each) || h.worth.now < 0 || h.worth.each < 0)
        return (Worth){ 0 };
    return h.worth;
}

static double clock_read(const KvStore *s)
{
    double clock = 0;
    int fd = openat(s->at, "lock", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    if (pread(fd, &clock, sizeof clock, 0) != (ssize_t)sizeof clock || !isfinite(clock)
        || clock < 0) clock = 0;
    close(fd);
    return clock;
}

/* Two at once may count one use: it does not matter. */
static void used(const KvStore *s, int fd)
{
    Worth w = worth_read(fd);
    w.uses++;
    w.now = clock_read(s) + (double)w.uses * w.each;
    if (pwrite(fd, &w, sizeof w, offsetof(Head, worth)) != (ssize_t)sizeof w) return;
}

static uint64_t check_of(const Head *h, const void *data)
{
    return checksum64(h, offsetof(Head, check)) ^ checksum64(data, h->bytes);
}

static bool is_sound(const Head *h, Blake2bHex key, size_t bytes)
{
    return memcmp(h->magic, magic, sizeof magic) == 0
        && memcmp(h->key, key.z, sizeof h->key) == 0 && h->bytes == bytes
        && h->check == check_of(h, h + 1);
}

static bool map(int fd, Blake2bHex key, size_t bytes, KvEntry *out)
{
    struct stat info;
    size_t size = sizeof(Head) + bytes;
    if (fstat(fd, &info) != 0 || info.st_size != (off_t)size) return false;
    void *at = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED) return false;
    *out = (KvEntry){ (const Head *)at + 1, bytes, at };
    if (is_sound(at, key, bytes)) return true;
    kv_entry_close(out);
    return false;
}

bool kv_store_find(const KvStore *s, Blake2bHex key, size_t bytes, KvEntry *out)
{
    char name[NAME];
    *out = (KvEntry){ 0 };
    name_of(key, "kv", name);
    int fd = openat(s->at, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) fd = openat(s->at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool found = map(fd, key, bytes, out);
    if (found) used(s, fd);
    else unlinkat(s->at, name, 0);
    close(fd);
    return found;
}

void kv_entry_close(KvEntry *e)
{
    if (e->map) munmap(e->map, sizeof(Head) + e->bytes);
    *e = (KvEntry){ 0 };
}

bool kv_store_has(const KvStore *s, Blake2bHex key)
{
    char name[NAME];
    name_of(key, "kv", name);
    return faccessat(s->at, name, R_OK, 0) == 0;
}

/* ---- the folder ------------------------------------------------------------------- */

typedef struct Item {
    char name[NAME];
    uint64_t bytes;
    double worth;
    time_t used;
} Item;

typedef struct Items {
    Item *at;
    size_t n, cap;
    uint64_t bytes;          // of all
} Items;

static bool items_add(Items *all, Item item)
{
    if (all->n == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 64;
        Item *at = realloc(all->at, cap * sizeof *at);
        if (!at) return false;
        all->at = at;
        all->cap = cap;
    }
    all->at[all->n++] = item;
    all->bytes += item.bytes;
    return true;
}

static double worth_of(const KvStore *s, const char *name)
{
    int fd = openat(s->at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    double now = fd < 0 ? 0 : worth_read(fd).now;
    if (fd >= 0) close(fd);
    return now;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

/* All files but the lock. A name that is not ours counts, and is never removed. */
static bool items_list(const KvStore *s, bool worths, Items *out)
{
    int fd = openat(s->at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    bool ok = d != NULL;
    if (!d && fd >= 0) close(fd);
    for (struct dirent *e; ok && (e = readdir(d));) {
        struct stat info;
        Item item = { 0 };
        if (fstatat(s->at, e->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(info.st_mode) || strcmp(e->d_name, "lock") == 0) continue;
        bool ours = ends_with(e->d_name, ".kv") && strlen(e->d_name) < NAME;
        if (ours) memcpy(item.name, e->d_name, strlen(e->d_name) + 1);
        item.bytes = (uint64_t)info.st_size;
        item.used = info.st_mtime;
        item.worth = !ours ? INFINITY : worths ? worth_of(s, e->d_name) : 0;
        ok = items_add(out, item);
    }
    if (d) closedir(d);
    return ok;
}

uint64_t kv_store_bytes(const KvStore *s)
{
    Items all = { 0 };
    uint64_t bytes = items_list(s, false, &all) ? all.bytes : 0;
    free(all.at);
    return bytes;
}

/* ---- putting ---------------------------------------------------------------------- */

static int by_worth(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->worth != y->worth) return x->worth < y->worth ? -1 : 1;
    return (x->used > y->used) - (x->used < y->used);
}

/* How many of the least worth have to go for `size` bytes; false: something of them is
 * worth more than `worth`. */
static bool victims(const Items *all, uint64_t room, uint64_t size, double worth,
                    size_t *n)
{
    uint64_t left = all->bytes;
    for (*n = 0; left > room || room - left < size; (*n)++) {
        if (*n == all->n || all->at[*n].worth > worth) return false;
        left -= all->at[*n].bytes;
    }
    return true;
}

static void clock_write(int lock, double clock)
{
    if (pwrite(lock, &clock, sizeof clock, 0) != (ssize_t)sizeof clock) return;
}

/* Makes room for `size` bytes; the lock is held. worth < 0: only where there is some. */
static bool make_room(const KvStore *s, int lock, uint64_t size, double worth)
{
    Items all = { 0 };
    size_t n = 0;
    bool ok = items_list(s, false, &all);
    bool full = ok && (all.bytes > s->budget || s->budget - all.bytes < size);
    if (full && worth < 0) {
        ok = false;
    } else if (full) {
        free(all.at);
        all = (Items){ 0 };
        ok = items_list(s, true, &all);
        if (ok && all.n) qsort(all.at, all.n, sizeof *all.at, by_worth);
        ok = ok && victims(&all, s->budget, size, worth, &n);
        if (!ok) clock_write(lock, worth);
        else if (n) clock_write(lock, all.at[n - 1].worth);
        for (size_t i = 0; ok && i < n; i++) unlinkat(s->at, all.at[i].name, 0);
    }
    free(all.at);
    return ok;
}

static bool write_all(int fd, const void *data, size_t n)
{
    for (const char *p = data; n > 0;) {
        ssize_t some = write(fd, p, n);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) return false;
        p += some;
        n -= (size_t)some;
    }
    return true;
}

/* A checksum tells what a crash left half written, so nothing is synced. */
static bool write_file(const KvStore *s, const Head *h, const void *data,
                       const char *name)
{
    int fd = openat(s->at, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    bool ok = fd >= 0 && write_all(fd, h, sizeof *h) && write_all(fd, data, h->bytes);
    if (fd >= 0 && close(fd) != 0) ok = false;
    ok = ok && renameat(s->at, "new", s->at, name) == 0;
    if (!ok) unlinkat(s->at, "new", 0);
    return ok;
}

static KvPut put_locked(const KvStore *s, int lock, const KvNew *e)
{
    char name[NAME];
    double each = e->cost / (double)(e->bytes + 1), clock = clock_read(s);
    Head h = { .bytes = e->bytes, .worth = { clock + each, each, 1 } };
    if (e->ahead) h.worth = (Worth){ clock, each, 0 };
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.key, e->key.z, sizeof h.key);
    h.check = check_of(&h, e->data);
    name_of(e->key, "kv", name);
    unlinkat(s->at, "new", 0);      // of a process that died
    unlinkat(s->at, name, 0);
    double worth = e->ahead ? -1 : h.worth.now;
    if (!make_room(s, lock, sizeof h + e->bytes, worth)) return KV_NOT_WORTH;
    return write_file(s, &h, e->data, name) ? KV_KEPT : KV_NOT_NOW;
}

/* A lock that another process keeps for long is not waited for. */
static bool lock_take(int fd)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        usleep(PAUSE_US);
    }
    return false;
}

KvPut kv_store_put(const KvStore *s, const KvNew *e)
{
    if (sizeof(Head) + e->bytes > s->budget) return KV_NOT_WORTH;
    int lock = openat(s->at, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) return KV_NOT_NOW;
    KvPut st = lock_take(lock) ? put_locked(s, lock, e) : KV_NOT_NOW;
    close(lock);
    return st;
}
