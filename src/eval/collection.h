/* collection.h -- documents, questions and judgements in the layout of BEIR.
 *
 *     corpus.jsonl   {"id", "title", "text"}
 *     queries.jsonl  {"id", "text", "answers"?, "type"?}
 *     qrels.tsv      query, document, grade
 *
 * A collection is held in memory. Every text ends in NUL. An "id" may be written "_id"
 * and may be a number. */
#ifndef PITH_EVAL_COLLECTION_H
#define PITH_EVAL_COLLECTION_H

#include "base/ctx.h"
#include "eval/trec.h"

typedef struct Doc {
    Str id, title, text;
    size_t line;
} Doc;

typedef struct Corpus {
    Doc *at;            // by id, in byte order
    size_t n;
} Corpus;

typedef struct Question {
    Str id;             // the line's number where the file has none
    Str text;           // "text" or "question"
    Str document;       // the one that answers it; n = 0 where the file does not say
    Str *answers;       // any of them is right
    size_t n_answers;
    bool unanswerable;  // its type is no_answer or unanswerable, or "answers" is empty
    size_t line;
} Question;

typedef struct Questions {
    Question *at;       // in the file's order
    size_t n;
} Questions;

/* E_FORMAT, with the line: no valid JSON object, no id, no text, an id that another line
 * has too, no line at all. name goes before errors; nothing of text is kept. */
MUST_USE Status corpus_parse(Ctx *cx, const char *name, Str text, Corpus *out);
MUST_USE Status questions_parse(Ctx *cx, const char *name, Str text, Questions *out);
/* The same from a file. */
MUST_USE Status corpus_read(Ctx *cx, const char *path, Corpus *out);
MUST_USE Status questions_read(Ctx *cx, const char *path, Questions *out);

/* NULL where the corpus has no such document. */
const Doc *corpus_find(const Corpus *c, Str id);
/* Is this the document that was named, by its whole uri or by its end from a '/' on? */
bool document_is(Str uri, Str named);
/* Judgements of documents that the corpus does not have. */
size_t corpus_unknown(const Corpus *c, const Qrels *qrels);

#endif
