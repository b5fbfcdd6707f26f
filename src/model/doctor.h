/* doctor.h -- what this machine has, what pith will use of it, and what is wrong. */
#ifndef PITH_MODEL_DOCTOR_H
#define PITH_MODEL_DOCTOR_H

#include "base/ctx.h"

enum { DOCTOR_PROBLEMS_MAX = 12 };

typedef struct Problem {
    Str what;               // "1.1 GiB of memory are free"
    Str cure;               // what to do about it
} Problem;

typedef struct Doctor {
    Str cpu;                // the name that the kernel gives
    Str features;           // those that matter here, "avx2 avx512f avx512_vnni"
    int cores;              // that this process may use
    uint64_t memory_bytes;  // of the machine, or of the container where that is less
    uint64_t free_bytes;    // without swapping, by the same rule
    Str engine;             // libllama's version and its kernels
    Str devices;            // "CPU: AMD EPYC; CUDA0: ..."
    Str generator;          // where a generator runs: "Vulkan0: ...", or "CPU" and who
                            // reads there
    Str encoder;            // "oneDNN 2.6.3 avx512_core_bf16", or "libllama"
    Problem problem[DOCTOR_PROBLEMS_MAX];
    int n_problems;
} Doctor;

/* Looks at the machine; all text is in cx's arena. */
MUST_USE Status doctor(Ctx *cx, Doctor *out);

#endif
