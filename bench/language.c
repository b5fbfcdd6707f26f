/* language.c -- in which language the program takes texts to be.
 *
 *     bench_language [question] < TEXTS
 *
 * Reads one text a line and prints its language's code, -- where it sees none; as a
 * passage, or as a question. How long it took stands last, on the other output.
 * bench/peers/language.sh compares. */
#include "base/words.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char line[1 << 16];
    bool asked = argc > 1 && strcmp(argv[1], "question") == 0;
    Ctx cx = CTX_INIT;
    Words *w;
    double spent = 0;
    size_t n = 0, bytes = 0;
    if (words_open(&cx, &w) != OK) {
        fprintf(stderr, "bench_language: %s\n", cx.reason);
        return 1;
    }
    for (; fgets(line, sizeof line, stdin); n++) {
        Str text = str_trim(str_z(line));
        double begun = now_ms();
        Language l = asked ? words_asked(w, text) : words_written(w, text);
        spent += now_ms() - begun;
        bytes += text.n;
        puts(l < LANGUAGES ? language_facts[l].code : "--");
    }
    fprintf(stderr, "pith: %zu texts, %.1f MB/s\n", n, (double)bytes / spent / 1e3);
    words_close(w);
    ctx_end(&cx);
    return 0;
}
