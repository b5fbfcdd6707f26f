/* fault.h -- the calls by which a program changes files, with a switch: at the n-th of
 * them the process dies or the disk says no, or each is written down.
 *
 * The functions here take the place of the C library's in the whole program, SQLite
 * included, so nothing of the store knows of it. Include it in one file of a program.
 * What another process would see after a kill is what was written; what a power cut
 * leaves is told by the journal: of each file what its last fsync found there, and
 * nothing, all or any part of what was written after that. */
#ifndef PITH_TESTS_FAULT_H
#define PITH_TESTS_FAULT_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

typedef enum FaultKind {
    FAULT_NONE,         // only counted
    FAULT_KILL,         // dies before it
    FAULT_TORN,         // dies after half of its bytes
    FAULT_SHORT,        // half of the bytes is written, as write(2) allows
    FAULT_FULL,         // ENOSPC after half of the bytes, from here on
    FAULT_EIO,          // once
    FAULT_KINDS
} FaultKind;

typedef enum JournalKind {
    J_WRITE, J_CUT, J_SYNC, J_RENAME, J_REMOVE, J_MARK
} JournalKind;

typedef struct JournalEntry {
    JournalKind kind;
    char file[64];      // its last name
    off_t at;           // J_WRITE: offset; J_CUT: size; J_MARK: what was told
    size_t n;
    char *data;         // J_WRITE: the bytes; J_RENAME: the new name
} JournalEntry;

static struct Fault {
    bool armed;
    long count;         // calls so far, while armed
    long at;            // the one that is hit, from 1; 0: none
    FaultKind kind;
    bool recording;
    JournalEntry *journal;
    size_t n, cap;
} fault;

static void journal_add(JournalEntry e)
{
    if (fault.n == fault.cap) {
        fault.cap = fault.cap ? 2 * fault.cap : 1024;
        fault.journal = realloc(fault.journal, fault.cap * sizeof *fault.journal);
        if (!fault.journal) abort();
    }
    fault.journal[fault.n++] = e;
}

static void journal_name(JournalEntry *e, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(e->file, sizeof e->file, "%s", slash ? slash + 1 : path);
}

static void journal_fd(JournalKind kind, int fd, const void *data, size_t n, off_t at)
{
    char link[48], path[PATH_MAX] = { 0 };
    JournalEntry e = { .kind = kind, .at = at, .n = n };
    if (!fault.recording) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0) abort();
    journal_name(&e, path);
    if (n && !(e.data = malloc(n))) abort();
    if (n) memcpy(e.data, data, n);
    journal_add(e);
}

static inline void journal_mark(int what)
{
    if (fault.recording) journal_add((JournalEntry){ .kind = J_MARK, .at = what });
}

static inline void journal_free(void)
{
    for (size_t i = 0; i < fault.n; i++) free(fault.journal[i].data);
    free(fault.journal);
    fault = (struct Fault){ 0 };
}

/* What is to become of this call. */
static FaultKind fault_now(void)
{
    if (!fault.armed) return FAULT_NONE;
    fault.count++;
    bool hit = fault.count == fault.at ||
               (fault.kind == FAULT_FULL && fault.at && fault.count > fault.at);
    if (!hit) return FAULT_NONE;
    if (fault.kind == FAULT_KILL) kill(getpid(), SIGKILL);
    return fault.kind;
}

/* A call without bytes: whether it is to fail. */
static bool fault_refuses(void)
{
    FaultKind k = fault_now();
    if (k == FAULT_TORN) kill(getpid(), SIGKILL);
    if (k != FAULT_FULL && k != FAULT_EIO) return false;
    errno = k == FAULT_EIO ? EIO : ENOSPC;
    return true;
}

static ssize_t fault_write(int fd, const void *data, size_t n, off_t at)
{
    FaultKind k = fault_now();
    if (k == FAULT_NONE || k == FAULT_SHORT) {
        if (k == FAULT_SHORT && n > 1) n /= 2;
        ssize_t done = syscall(SYS_pwrite64, fd, data, n, at);
        if (done > 0) journal_fd(J_WRITE, fd, data, (size_t)done, at);
        return done;
    }
    if (k != FAULT_EIO && n > 1) syscall(SYS_pwrite64, fd, data, n / 2, at);
    if (k == FAULT_TORN) kill(getpid(), SIGKILL);
    errno = k == FAULT_EIO ? EIO : ENOSPC;
    return -1;
}

static int fault_cut(int fd, off_t size)
{
    if (fault_refuses()) return -1;
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0) journal_fd(J_CUT, fd, NULL, 0, size);
    return rc;
}

static int fault_sync(int fd)
{
    if (fault_refuses()) return -1;
    int rc = (int)syscall(SYS_fsync, fd);
    if (rc == 0) journal_fd(J_SYNC, fd, NULL, 0, 0);
    return rc;
}

#define SEEN __attribute__((visibility("default")))   // by the libraries, too

SEEN ssize_t pwrite(int fd, const void *data, size_t n, off_t at);
SEEN ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at);
SEEN int ftruncate(int fd, off_t size);
SEEN int ftruncate64(int fd, off64_t size);
SEEN int fsync(int fd);
SEEN int fdatasync(int fd);
SEEN int rename(const char *from, const char *to);
SEEN int unlink(const char *path);

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    return fault_write(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    return fault_write(fd, data, n, at);
}

int ftruncate(int fd, off_t size) { return fault_cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return fault_cut(fd, size); }
int fsync(int fd) { return fault_sync(fd); }
int fdatasync(int fd) { return fault_sync(fd); }

int rename(const char *from, const char *to)
{
    if (fault_refuses()) return -1;
    int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (rc != 0 || !fault.recording) return rc;
    JournalEntry e = { .kind = J_RENAME }, name = { 0 };
    journal_name(&e, from);
    journal_name(&name, to);
    if (!(e.data = strdup(name.file))) abort();
    journal_add(e);
    return 0;
}

int unlink(const char *path)
{
    if (fault_refuses()) return -1;
    int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (rc != 0 || !fault.recording) return rc;
    JournalEntry e = { .kind = J_REMOVE };
    journal_name(&e, path);
    journal_add(e);
    return 0;
}

#endif
