/* ask.c -- indexes a folder and answers one question, streaming.
 *
 *     cc ask.c $(pkg-config --cflags --libs pith) -o ask
 *     ./ask FOLDER QUESTION */
#include <pith.h>
#include <stdio.h>

static int print(void *arg, const char *piece, size_t n)
{
    (void)arg;
    fwrite(piece, 1, n, stdout);
    return fflush(stdout);   // nonzero stops the answer
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: ask FOLDER QUESTION\n"), 2;

    const char *folder = argv[1], *question = argv[2];
    const pith_ask_options opt = { .on_text = print };
    pith *p = NULL;
    pith_answer *a = NULL;
    pith_error why;
    int code = pith_open(NULL, &p, &why);
    if (!code) code = pith_add(p, &folder, 1, NULL, NULL, &why);
    if (!code) code = pith_ask(p, question, &opt, &a, &why);
    if (code) fprintf(stderr, "%s\n", why.message);

    for (size_t i = 0; a && i < a->n_citations; i++) {
        const pith_citation *c = &a->citations[i];
        printf("\n[%d] %s, bytes %zu to %zu: %s", c->n, a->passages[c->passage].document,
               c->start, c->end, c->text);
    }
    printf("\n");
    pith_answer_free(a);
    pith_close(p);
    return code ? 1 : 0;
}
