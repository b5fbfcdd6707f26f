/* zygote.h -- the process that reads documents: it forks a child for each of them.
 *
 * It is started by start.c with one socket and nothing else: no environment to speak of,
 * no open files, no memory of ours. Before it sees a byte it locks itself (sandbox.h).
 * For each request it forks; the child maps the source, locks itself further, parses, and
 * writes windows to the pipe that came with the request (wire.h). A fork of this small
 * process is cheap, and what one document does to a child no other document sees. */
#ifndef PITH_EXTRACT_ZYGOTE_H
#define PITH_EXTRACT_ZYGOTE_H

#include "parse/parse.h"

#include <sys/types.h>

/* Changes with anything that goes over the socket or the pipe. */
enum { ZYGOTE_PROTOCOL = 1 };

enum { ZYGOTE_NAME = 256, ZYGOTE_CHILDREN = 32 };

/* To it: OP_READ comes with two descriptors, the source and the pipe. */
typedef enum ZygoteOp { OP_READ = 1, OP_KILL } ZygoteOp;

typedef struct ZygoteRequest {
    uint32_t op, id;
    uint32_t kind, name_n;
    uint32_t cpu_s;
    uint64_t bytes;             // of the source
    uint64_t data_bytes;        // memory that the child may have
    char name[ZYGOTE_NAME];     // the end of the document's name
} ZygoteRequest;

/* From it: what it is, once; then how each child ended. */
typedef enum ZygoteTold { TOLD_HELLO = 1, TOLD_REFUSED, TOLD_ENDED } ZygoteTold;

typedef struct ZygoteReply {
    uint32_t told, id;
    uint32_t protocol, kinds;   // of TOLD_HELLO
    int32_t landlock;           // ABI, 0: none
    int32_t how;                // as waitpid has it
    uint64_t peak_bytes;
    char reason[256];           // of TOLD_REFUSED
} ZygoteReply;

typedef Status ZygoteParse(Ctx *cx, Kind kind, const Input *in, const Sink *to);

/* Serves the socket until it is closed; the result is for exit. Nothing may have been
 * opened before. */
int zygote_run(int control, ZygoteParse *parse);

#endif
