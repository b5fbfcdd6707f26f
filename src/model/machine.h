/* machine.h -- memory and cores as this process may use them: the kernel's word, and the
 * limits of the container where there is one. */
#ifndef PITH_MODEL_MACHINE_H
#define PITH_MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MACHINE_LINE = 8192 };    // bytes; a line of CPU flags has about 2,000

/* The value of the first line "key : value" of a file of the kernel. */
bool machine_line(const char *path, const char *key, char value[MACHINE_LINE]);

/* Bytes that can be taken without swapping, the container's limit included; UINT64_MAX
 * where the kernel does not say. */
uint64_t machine_free_bytes(void);
/* An entry of /proc/meminfo in bytes, as "MemTotal"; 0: not told. */
uint64_t machine_memory(const char *key);

typedef struct MemoryLimit {
    uint64_t limit, used;        // bytes; UINT64_MAX: none, or not told
} MemoryLimit;

/* Of the control group that this process is in. */
MemoryLimit machine_limit(void);

/* Asks for large pages behind n bytes at p, which costs fewer misses where a program goes
 * through much memory. What the kernel does not grant stays as it is. */
void machine_large_pages(void *p, size_t n);

/* The CPU's flags as the kernel has them, with spaces between; "" where it tells none. */
void machine_flags(char flags[MACHINE_LINE]);

typedef struct MachineKey {
    char z[33];             // hex digits, NUL
} MachineKey;

/* Names what measurements of speed hang on: the CPU, its flags, the cores that this
 * process may use. */
MachineKey machine_key(void);

/* Cores that this process may run on; at least 1. */
int machine_cores(void);
/* Cores that the container's quota pays for; 0: no quota. */
double machine_quota(void);

#endif
