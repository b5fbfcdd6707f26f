/* term.c -- see term.h. */
#include "app/term.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, DEFAULT_WIDTH = 80 };

double term_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int width_of(int fd)
{
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) != 0 || w.ws_col < 20) return DEFAULT_WIDTH;
    return w.ws_col;
}

void progress_begin(Progress *p, bool quiet)
{
    *p = (Progress){ .quiet = quiet, .terminal = isatty(STDERR_FILENO) != 0,
                     .begun = term_now_ms() };
    if (!p->terminal) p->shown = p->begun;
}

static void draw_bar(double share)
{
    int full = (int)(share * BAR);
    fputc('[', stderr);
    for (int i = 0; i < BAR; i++) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %3.0f%% ", share * 100);
}

/* Whether it is time to show something again. */
static bool due(Progress *p, double now)
{
    double every = p->terminal ? 100 : 10000;
    if (p->quiet || now - p->shown < every) return false;
    p->shown = now;
    return true;
}

void progress_line(Progress *p, const char *line)
{
    if (!due(p, term_now_ms())) return;
    fprintf(stderr, p->terminal ? "\r\033[K%s" : "%s\n", line);
    fflush(stderr);
}

void progress_show(Progress *p, double done, double total, const char *unit,
                   const char *note)
{
    double now = term_now_ms();
    if (!due(p, now)) return;
    double seconds = (now - p->begun) / 1e3, rate = seconds > 0 ? done / seconds : 0;
    if (p->terminal) fputs("\r\033[K", stderr);
    if (p->terminal && total > 0) draw_bar(done / total > 1 ? 1 : done / total);
    fprintf(stderr, "%.0f", done);
    if (total > 0) fprintf(stderr, "/%.0f", total);
    fprintf(stderr, " %s, %.1f/s", unit, rate);
    if (total > done && rate > 0) fprintf(stderr, ", %.0f s left", (total - done) / rate);
    int room = width_of(STDERR_FILENO) - 70;
    size_t n = note ? strlen(note) : 0;
    if (p->terminal && n && room > 12)   // the end of a path says most
        fprintf(stderr, "  %s", n > (size_t)room ? note + n - room : note);
    if (!p->terminal) fputc('\n', stderr);
    fflush(stderr);
}

bool term_utf8(void)
{
    static const char *const name[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const char *is = getenv(name[i]);
        if (is && *is) return strcasestr(is, "utf-8") || strcasestr(is, "utf8");
    }
    return false;
}

void progress_clear(const Progress *p)
{
    if (p->terminal && !p->quiet) fputs("\r\033[K", stderr);
}

const char *term_bytes(uint64_t bytes, char out[16])
{
    static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
    double v = (double)bytes;
    int u = 0;
    while (v >= 1000 && u < 4) v /= 1000, u++;
    snprintf(out, 16, u && v < 10 ? "%.1f %s" : "%.0f %s", v, unit[u]);
    return out;
}

void term_place(const pith_passage *p)
{
    fputs(p->document, stdout);
    if (p->page > 0 && p->page_end > p->page)
        printf(", pages %d-%d", p->page, p->page_end);
    else if (p->page > 0)
        printf(", page %d", p->page);
    if (*p->section) printf(" > %s", p->section);
}

/* One word; now: whether what stands before it is bright. */
static void put_word(const char *word, size_t n, const unsigned char *bright, bool *now)
{
    for (size_t i = 0; i < n; i++) {
        bool is = bright && bright[i];
        if (is != *now) fputs(is ? "\033[22m" : "\033[2m", stdout);
        *now = is;
        putchar(word[i]);
    }
}

void term_paragraph(const char *text, int indent, bool color,
                    const unsigned char *bright)
{
    int width = width_of(STDOUT_FILENO), at = 0;
    const char *begin = text;
    bool now = false;
    if (color) fputs("\033[2m", stdout);
    while (*text) {
        while (isspace((unsigned char)*text)) text++;
        size_t n = strcspn(text, " \t\r\n");
        if (n == 0) break;
        if (at && at + 1 + (int)n > width) putchar('\n'), at = 0;
        if (at == 0) at = printf("%*s", indent, "");
        else at += printf(" ");
        put_word(text, n, color && bright ? bright + (text - begin) : NULL, &now);
        at += (int)n;
        text += n;
    }
    if (at) putchar('\n');
    if (color) fputs("\033[0m", stdout);
}
