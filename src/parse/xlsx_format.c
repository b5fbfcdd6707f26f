/* xlsx_format.c -- see xlsx_format.h. Formats and their ids: ECMA-376 part 1, 18.8.30. */
#include "parse/xlsx_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_FROM = 164 };    // ids below are Excel's own
static const double DAY_SECONDS = 86400, LAST_DAY = 2958465;    // of the year 9999

/* Dates are told by the letters of their fields, outside quotes, brackets and escapes. */
static XlsxForm form_of(Str code)
{
    XlsxForm form = XLSX_PLAIN;
    for (size_t i = 0; i < code.n && code.p[i] != ';'; i++) {
        char c = code.p[i];
        char end = c == '"' ? '"' : c == '[' ? ']' : 0;
        if (c == '\\' || c == '_' || c == '*') i++;
        else if (c == '[' && i + 2 < code.n && strchr("hmsHMS", code.p[i + 1]) &&
                 (code.p[i + 2] == ']' || code.p[i + 2] == code.p[i + 1]))
            return XLSX_PLAIN;          // [h]:mm is a length of time
        else if (end) while (++i < code.n && code.p[i] != end) continue;
        else if (c == '%') form = XLSX_PERCENT;
        else if (strchr("ymdhsYMDHS", c)) return XLSX_DATE;
        else if (c == 'G') return XLSX_PLAIN;     // General
    }
    return form;
}

static XlsxForm form_by_id(const XlsxFormats *f, long id)
{
    if (id >= OWN_FROM && id < XLSX_FORMATS) return f->own[id];
    bool date = (id >= 14 && id <= 22) || (id >= 27 && id <= 36) ||
                (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
    return date ? XLSX_DATE : id == 9 || id == 10 ? XLSX_PERCENT : XLSX_PLAIN;
}

static Status on_open(void *arg, const XmlTag *tag)
{
    XlsxFormats *f = arg;
    if (strcmp(tag->name, "cellXfs") == 0) f->inside = true;
    if (strcmp(tag->name, "numFmt") == 0) {
        long id = xml_number(tag, "numFmtId", -1);
        if (id >= 0 && id < XLSX_FORMATS)
            f->own[id] = (unsigned char)form_of(xml_attribute(tag, "formatCode"));
    }
    if (f->inside && strcmp(tag->name, "xf") == 0 && f->n < XLSX_FORMATS)
        f->cells[f->n++] = (unsigned char)form_by_id(f, xml_number(tag, "numFmtId", 0));
    return OK;
}

static Status on_close(void *arg, const char *name)
{
    XlsxFormats *f = arg;
    if (strcmp(name, "cellXfs") == 0) f->inside = false;
    return OK;
}

Status xlsx_formats_read(Pack *p, const Rel *rel, XlsxFormats *out)
{
    static const XmlEvents events = { .open = on_open, .close = on_close };
    if (!rel) return OK;
    out->own = ctx_new(p->cx, unsigned char, XLSX_FORMATS);
    out->cells = ctx_new(p->cx, unsigned char, XLSX_FORMATS);
    if (!out->own || !out->cells) return E_MEMORY;
    Status st = pack_xml(p, rel->path, &events, out);
    if (st != E_NOTFOUND && st != E_FORMAT) return st;
    ctx_forgive(p->cx);
    return OK;
}

/* Days since 1970 to a date of the Gregorian calendar, by counting eras of 400 years from
 * the first of March (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static void put_date(long days, char to[16])
{
    long z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    long doe = z - era * 146097;
    long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int day = (int)(doy - (153 * mp + 2) / 5 + 1);
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int year = (int)(yoe + era * 400 + (month <= 2)) % 10000;
    snprintf(to, 16, "%04d-%02d-%02d", year, month, day);
}

/* Excel has a 29th of February 1900, so that its first two months are a day off. */
static Str show_date(const XlsxFormats *f, double serial, char to[XLSX_SHOWN])
{
    char date[16];
    double day = floor(serial);
    long seconds = lround((serial - day) * DAY_SECONDS);
    if (seconds == (long)DAY_SECONDS) seconds = 0, day += 1;
    long since_1970 = (long)day - (f->from_1904 ? 24107 : day < 60 ? 25568 : 25569);
    put_date(since_1970, date);
    int h = (int)(seconds / 3600), m = (int)(seconds / 60 % 60), s = (int)(seconds % 60);
    if (seconds == 0) snprintf(to, XLSX_SHOWN, "%s", date);
    else if (day == 0 && s) snprintf(to, XLSX_SHOWN, "%02d:%02d:%02d", h, m, s);
    else if (day == 0) snprintf(to, XLSX_SHOWN, "%02d:%02d", h, m);
    else if (s) snprintf(to, XLSX_SHOWN, "%s %02d:%02d:%02d", date, h, m, s);
    else snprintf(to, XLSX_SHOWN, "%s %02d:%02d", date, h, m);
    return str_z(to);
}

Str xlsx_shown(const XlsxFormats *f, size_t style, Str number, char to[XLSX_SHOWN])
{
    char *end;
    XlsxForm form = style < f->n ? (XlsxForm)f->cells[style] : XLSX_PLAIN;
    if (number.n == 0 || number.n > 40) return number;
    double value = strtod(number.p, &end);
    if (*end || !isfinite(value)) return number;
    if (form == XLSX_DATE && value >= 0 && value <= LAST_DAY)
        return show_date(f, value, to);
    snprintf(to, XLSX_SHOWN, form == XLSX_PERCENT ? "%.10g%%" : "%.15g",
             form == XLSX_PERCENT ? value * 100 : value);
    return str_z(to);
}
