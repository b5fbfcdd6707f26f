/* machine.c -- see machine.h. Everything is read anew at each call: nothing is kept. */
#include "model/machine.h"

#include "base/hash.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool machine_line(const char *path, const char *key, char value[MACHINE_LINE])
{
    FILE *f = fopen(path, "r");
    bool found = false;
    char line[MACHINE_LINE];
    size_t n = strlen(key);
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, n) != 0 || !colon) continue;
        if (line[n] != ':' && line[n] != ' ' && line[n] != '\t') continue;
        Str v = str_trim(str_z(colon + 1));
        snprintf(value, MACHINE_LINE, "%.*s", (int)v.n, v.p);
        found = true;
    }
    if (f) fclose(f);
    return found;
}

void machine_flags(char flags[MACHINE_LINE])
{
    flags[0] = '\0';
    if (!machine_line("/proc/cpuinfo", "flags", flags))
        (void)machine_line("/proc/cpuinfo", "Features", flags);
}

MachineKey machine_key(void)
{
    char name[MACHINE_LINE] = "", flags[MACHINE_LINE];
    Buf b = BUF(4 * MACHINE_LINE);
    MachineKey key;
    (void)machine_line("/proc/cpuinfo", "model name", name);
    machine_flags(flags);
    buf_addf(&b, "%s\n%s\n%d", name, flags, machine_cores());
    Blake2bHex hash = blake2b_bytes(buf_str(&b));
    buf_free(&b);
    memcpy(key.z, hash.z, sizeof key.z);
    return key;
}

uint64_t machine_memory(const char *key)
{
    char value[MACHINE_LINE];
    if (!machine_line("/proc/meminfo", key, value)) return 0;
    return strtoull(value, NULL, 10) * 1024;
}

/* A number of bytes from a file of its own; UINT64_MAX for "max" or no such file. */
static uint64_t read_bytes(const char *path)
{
    FILE *f = fopen(path, "r");
    char text[32], *end;
    if (!f || !fgets(text, sizeof text, f)) text[0] = '\0';
    if (f) fclose(f);
    uint64_t n = strtoull(text, &end, 10);
    return end == text ? UINT64_MAX : n;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the group holds of files but could give back at once. */
static uint64_t reclaimable(void)
{
    FILE *f = fopen("/sys/fs/cgroup/memory.stat", "r");
    char line[256];
    uint64_t n = 0;
    while (f && n == 0 && fgets(line, sizeof line, f))
        if (str_starts(str_z(line), STR("inactive_file ")))
            n = strtoull(line + strlen("inactive_file "), NULL, 10);
    if (f) fclose(f);
    return n;
}

/* Inside a container its own group is mounted at the root; version 2, else 1. */
MemoryLimit machine_limit(void)
{
    MemoryLimit g = { read_bytes("/sys/fs/cgroup/memory.max"),
                      read_bytes("/sys/fs/cgroup/memory.current") };
    uint64_t spare = reclaimable();
    if (g.used != UINT64_MAX) g.used -= lesser(g.used, spare);
    if (g.limit != UINT64_MAX) return g;
    g.limit = read_bytes("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    g.used = read_bytes("/sys/fs/cgroup/memory/memory.usage_in_bytes");
    return g;
}

uint64_t machine_free_bytes(void)
{
    MemoryLimit g = machine_limit();
    uint64_t available = machine_memory("MemAvailable");
    if (available == 0) available = UINT64_MAX;
    if (g.limit == UINT64_MAX || g.used == UINT64_MAX) return available;
    return lesser(available, g.limit > g.used ? g.limit - g.used : 0);
}

void machine_large_pages(void *p, size_t n)
{
    enum { LARGE = 2 << 20 };
    uintptr_t begin = ((uintptr_t)p + LARGE - 1) / LARGE * LARGE;
    uintptr_t end = ((uintptr_t)p + n) / LARGE * LARGE;
    if (begin < end) madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

int machine_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

double machine_quota(void)
{
    char line[64] = "", *end = line;      // "max 100000", or microseconds in each period
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    bool got = f && fgets(line, sizeof line, f);
    if (f) fclose(f);
    double quota = got ? strtod(line, &end) : 0;
    double period = quota > 0 ? strtod(end, NULL) : 0;
    return period > 0 ? quota / period : 0;
}
