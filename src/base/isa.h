/* isa.h -- which instructions of this CPU may be used.
 *
 * All that the CPU has, unless the environment's PITH_ISA names a lower level: so that
 * what runs on other machines is tested on this one, and a CPU that misbehaves is helped.
 * Levels hold for our own kernels; oneDNN has ONEDNN_MAX_CPU_ISA, libllama is built in
 * variants. */
#ifndef PITH_BASE_ISA_H
#define PITH_BASE_ISA_H

#include <stdbool.h>

typedef enum Isa {
    ISA_PLAIN,              // C alone: "plain"
    ISA_AVX2,               // "avx2"
    ISA_AVX512,             // with VNNI: "avx512"
    ISA_BF16,               // AVX-512 BF16: "bf16"
    ISA_AMX,                // "amx"
} Isa;

/* Whether kernels of this level may run, where the CPU has what they need. A level that
 * nobody knows is none. */
bool isa_allows(Isa level);
/* The level named; NULL: no limit. */
const char *isa_limit(void);

#endif
