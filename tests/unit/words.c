/* The analyser: borders as ICU finds them, folding and stems in several scripts. */
#include "base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <cmocka.h>

static Ctx cx;
static Words *words;

static int start(void **state)
{
    (void)state;
    return words_open(&cx, &words) != OK;
}

static int stop(void **state)
{
    (void)state;
    words_close(words);
    ctx_end(&cx);
    return 0;
}

/* The stems of a text, a space between them, "-" before a function word. */
static void assert_stems(const char *text, const char *want)
{
    char got[512];
    size_t n = 0;
    Word w;
    *got = '\0';
    assert_int_equal(words_begin(&cx, words, str_z(text)), OK);
    while (words_next(words, &w)) {
        assert_true(w.start < w.end && w.end <= strlen(text));
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%s%.*s", n ? " " : "",
                              w.stop ? "-" : "", (int)w.stem.n, w.stem.p);
    }
    assert_string_equal(got, want);
}

static void stems_english_and_marks_function_words(void **state)
{
    (void)state;
    assert_stems("The running dogs don't Generalize.", "-the run dog don't general");
    assert_stems("What is it?", "-what -is -it");
    assert_stems("", "");
    assert_stems("  \n--- ... _ __", "");
    assert_stems("me@example.org caf\xC3\xA9@home",
                 "-me example.org exampl org cafe home");
}

static void folds_case_width_and_accents(void **state)
{
    (void)state;
    assert_stems("Café CAFE\xCC\x81 ｃａｆｅ", "cafe cafe cafe");
    assert_stems("Größe don\xE2\x80\x99t", "gross don't");
    assert_stems("co\xC2\xADop \xEF\xAC\x81" "ne", "coop fine");
}

static void stems_other_scripts(void **state)
{
    (void)state;
    assert_stems("книги книга Ёлки ёлка", "книг книг елк елк");
    assert_stems("الكتب", "كتب");
    assert_stems("किताबें", "किताब");
    assert_stems("ΒΙΒΛΊΑ βιβλία", "βιβλ βιβλ");
}

static void stems_by_the_language_spoken(void **state)
{
    (void)state;
    words_speak(words, LANGUAGE_DE);
    assert_stems("Die Häuser der Städte", "-die haus -der stadt");
    assert_stems("1984 книги", "1984 книг");
    words_speak(words, LANGUAGE_FR);
    assert_stems("L’hôpital, les hôpitaux et l'école", "hopital -le hopital -et ecol");
    words_speak(words, LANGUAGE_TR);
    assert_stems("IŞIK balıkçılar", "isik balikci");
    words_speak(words, LANGUAGE_EN);
    assert_stems("Die Häuser", "die hauser");
}

static void knows_arabic_articles_and_what_is_written_with_them(void **state)
{
    (void)state;
    assert_stems("ضمان الضمان والضمان بالضمان", "ضمان ضمان ضمان ضمان");
    assert_stems("المدرسة وللمدرسة والد", "مدرس مدرس والد");
}

static void tells_languages_apart(void **state)
{
    (void)state;
    static const char *const text[] = {
        "en", "The house stands by the river, and nobody knows who built it.",
        "de", "Das Haus steht am Fluss, und niemand weiß, wer es gebaut hat.",
        "fr", "La maison est au bord de la rivière et on ne sait pas qui l’a bâtie.",
        "es", "La casa está junto al río y nadie sabe quién la construyó.",
        "it", "La casa si trova vicino al fiume e non si sa chi l'ha costruita.",
        "pt", "A casa fica junto ao rio e ninguém sabe quem a construiu, nem quando.",
        "nl", "Het huis staat aan de rivier en niemand weet wie het heeft gebouwd.",
        "da", "Huset ligger ved åen, og der er ikke nogen, der ved af det.",
        "sv", "Huset ligger vid ån och det är ingen som vet vem som byggde det.",
        "no", "Huset ligger ved elven, og det er ikke noen som vet hvem som bygde det.",
        "fi", "Talo on joen rannalla, ja kuka sen on rakentanut tai milloin.",
        "hu", "A ház a folyó mellett áll, és senki sem tudja, hogy ki építette.",
        "tr", "Ev nehir kenarında ve onu kimin yaptığı daha belli değil, ama bu bir ev.",
        "ro", "Casa se află lângă râu și nu se știe cine a construit-o sau când.",
        "id", "Rumah itu ada di tepi sungai dan tidak ada yang tahu siapa pembuatnya.",
        "ca", "La casa és al costat del riu i no se sap qui la va fer amb les mans.",
        "hu", "A csomag telepítése előtt a beállításokat ellenőrizni kell.",
        "fi", "Asetukset ovat tiedostossa, joka on käyttäjän hakemistossa.",
        "tr", "Kullanıcıların dosyaları bu dizinde saklanmaktadır.",
        "no", "Innstillingene lagres i en fil som brukes av programmet.",
        "en", "Natural and accidental causes of Los Angeles fires in La Jolla.",
        "en", "D. H. Lawrence, M. de la Mare, L. D. Smith: 1984; a, c, d, l",
        "en", "", "en", "3.14 \xFF\xE2",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i += 2) {
        Language l = words_language(words, str_z(text[i + 1]));
        assert_string_equal(language_facts[l].code, text[i]);
    }
}

/* A question is told by less than a passage, or not at all. */
static void tells_the_language_of_a_question(void **state)
{
    (void)state;
    static const char *const text[] = {
        "de", "Was kostet der Ausweis?", "fr", "Combien coûte l'entrée ?",
        "es", "¿Cuánto pesa?", "it", "Dove si trova la stazione?",
        "nl", "Wie heeft de brief geschreven?", "pt", "Onde fica a estação?",
        "ru", "Сколько стоит билет?", "zh", "博物馆几点开门？",
        "ar", "متى يفتح المتحف؟",
        "en", "Who wrote it?", "en", "what is la la land about",
        "--", "Der Spiegel", "--", "3.14",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i += 2) {
        Language l = words_asked(words, str_z(text[i + 1]));
        assert_string_equal(l < LANGUAGES ? language_facts[l].code : "--", text[i]);
    }
}

static void tells_characters_alone_for_an_index(void **state)
{
    (void)state;
    words_singles(words, true);
    assert_stems("東京都", "東京 東 京都 京 都");
    assert_stems("猫 カメラ", "猫 カメ メラ");
    words_singles(words, false);
    Word w;
    assert_int_equal(words_begin(&cx, words, STR("冷蔵庫はどこ ab abc")), OK);
    static const bool whole[] = { true, true, false, false, false, false, true };
    for (size_t i = 0; i < sizeof whole; i++) {
        assert_true(words_next(words, &w));
        if (w.whole != whole[i]) fail_msg("pair %zu", i);
    }
}

static void pairs_what_is_written_without_spaces(void **state)
{
    (void)state;
    assert_stems("東京都", "東京 京都");
    assert_stems("東", "東");
    assert_stems("カメラ。犬", "カメ メラ 犬");
    assert_stems("서울에서", "서울 울에 에서");
    assert_stems("GPT東京 x", "gpt 東京 x");
}

static void gives_identifiers_whole_and_in_parts(void **state)
{
    (void)state;
    assert_stems("read_file", "read_fil read file");
    assert_stems("readFile()", "readfil read file");
    assert_stems("file.read", "file.read file read");
    assert_stems("v1.25 3.14 1,000", "v1.25 3.14 1,000");
    assert_stems("__init__", "__init__ init");
}

static void cuts_a_word_that_never_ends(void **state)
{
    (void)state;
    static char text[100000];
    Word w;
    memset(text, 'x', sizeof text);
    assert_int_equal(words_begin(&cx, words, (Str){ text, sizeof text }), OK);
    assert_true(words_next(words, &w));
    assert_int_equal(w.stem.n, 64);
    assert_int_equal(w.end, sizeof text);
    assert_false(words_next(words, &w));
    for (size_t i = 0; i + 1 < sizeof text; i += 2) memcpy(text + i, "\xC3\xA9", 2);
    assert_int_equal(words_begin(&cx, words, (Str){ text, sizeof text }), OK);
    assert_true(words_next(words, &w));
    assert_int_equal(w.stem.n, 64);
    assert_false(words_next(words, &w));
}

static void lets_broken_bytes_separate_words(void **state)
{
    (void)state;
    assert_stems("one\xFFtwo\xC3 three\xE2\x80", "one two three");
}

static uint32_t draw(uint32_t *r) { return *r = *r * 1664525 + 1013904223, *r >> 8; }

/* Compares the borders of whole words with those of one ICU iterator over all. */
static void assert_borders_of_icu(const char *text, size_t n, UBreakIterator *icu)
{
    UErrorCode e = U_ZERO_ERROR;
    UText u = UTEXT_INITIALIZER;
    Word w;
    utext_openUTF8(&u, text, (int64_t)n, &e);
    ubrk_setUText(icu, &u, &e);
    assert_true(U_SUCCESS(e));
    assert_int_equal(words_begin(&cx, words, (Str){ text, n }), OK);
    int32_t from = ubrk_first(icu), to;
    bool more = words_next(words, &w);
    for (; (to = ubrk_next(icu)) != UBRK_DONE; from = to) {
        if (ubrk_getRuleStatus(icu) < UBRK_WORD_NONE_LIMIT) continue;
        if (strspn(text + from, "_") >= (size_t)(to - from)) continue;   // a quirk of ICU
        if (!more || w.start != (size_t)from || w.end != (size_t)to)
            fail_msg("ICU has %d-%d, we %zu-%zu in <%.*s>", from, to, w.start, w.end,
                     (int)n, text);
        while ((more = words_next(words, &w)) && w.end <= (size_t)to) {}   // its parts
    }
    assert_false(more);
    utext_close(&u);
}

static void finds_the_borders_that_icu_finds(void **state)
{
    (void)state;
    static const char *const piece[] = {
        "a", "B", "c", "z", "0", "7", "_", ".", "'", ",", ";", ":", " ", " ", "\n", "-",
        "\"", "/", "\t", "(", "\r", "ab", "\xC3\xA9", "\xD0\xB6", "\xE2\x80\x99",
        "\xCC\x81", "\xE2\x80\x94", "\xD7\x90",
        "plain words of ASCII that are more than a run of it ",
    };
    enum { ASCII = 22, ALL = sizeof piece / sizeof *piece };
    UErrorCode e = U_ZERO_ERROR;
    UBreakIterator *icu = ubrk_open(UBRK_WORD, "", NULL, 0, &e);
    assert_true(U_SUCCESS(e));
    uint32_t r = 99;
    for (int round = 0; round < 20000; round++) {
        char text[2048];
        size_t n = 0, kinds = round % 2 ? ASCII : ALL;
        for (uint32_t left = draw(&r) % 30; left; left--) {
            const char *p = piece[draw(&r) % kinds];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
        }
        text[n] = '\0';
        assert_borders_of_icu(text, n, icu);
    }
    ubrk_close(icu);
}

static void assert_sentences(const char *text, const char *const *want, size_t n)
{
    Span *s;
    size_t got;
    assert_int_equal(words_sentences(&cx, words, str_z(text), &s, &got), OK);
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(s[i].end - s[i].start, strlen(want[i]));
        assert_memory_equal(text + s[i].start, want[i], strlen(want[i]));
    }
}

static void parts_sentences(void **state)
{
    (void)state;
    assert_sentences("It works. Does it? Yes!",
                     (const char *[]){ "It works.", "Does it?", "Yes!" }, 3);
    assert_sentences("A line\nthat goes on. Title\n\nText  \r\n \r\nMore",
                     (const char *[]){ "A line\nthat goes on.", "Title", "Text",
                                       "More" }, 4);
    assert_sentences("Dr. Smith saw Fig. 3, e.g. that of Prof. Jones. He left.",
                     (const char *[]){ "Dr. Smith saw Fig. 3, e.g. that of Prof. Jones.",
                                       "He left." }, 2);
    assert_sentences("東京です。犬がいる。", (const char *[]){ "東京です。", "犬がいる。" }, 2);
    assert_sentences("Finds are kept for two years. 74 bicycles were handed in.",
                     (const char *[]){ "Finds are kept for two years.",
                                       "74 bicycles were handed in." }, 2);
    assert_sentences("See No. 5 and figs. 3 and 4, approx. 12 m, p.abs. 7 of 3.14 it.",
                     (const char *[]){ "See No. 5 and figs. 3 and 4, approx. 12 m, "
                                       "p.abs. 7 of 3.14 it." }, 1);
    assert_sentences("Das ist schön. 3 gingen.",
                     (const char *[]){ "Das ist schön.", "3 gingen." }, 2);
    assert_sentences(" \n\n \n", NULL, 0);
}

/* What ends a sentence in one language does not in another; a paragraph a language. */
static void parts_sentences_by_their_language(void **state)
{
    (void)state;
    assert_sentences("Am 3. Oktober kamen z. B. Prof. Dr. Meier und J. S. Bach in die "
                     "Nr. 5. „Wirklich?“ fragte er. Das war Ludwig XIV. Danach ist es "
                     "1990 geworden.",
                     (const char *[]){
                         "Am 3. Oktober kamen z. B. Prof. Dr. Meier und J. S. Bach in "
                         "die Nr. 5.", "„Wirklich?“ fragte er.",
                         "Das war Ludwig XIV. Danach ist es 1990 geworden." }, 3);
    assert_sentences("Elle est avec M. Dupont et Mme. Durand, et on le sait. Voir art. "
                     "Premier.",
                     (const char *[]){ "Elle est avec M. Dupont et Mme. Durand, et on le "
                                       "sait.", "Voir art. Premier." }, 2);
    assert_sentences("La Dra. Ana no está con el Sr. García. ¿Dónde está la casa? Es de "
                     "los dos. No lo sé, no. Otra vez.",
                     (const char *[]){ "La Dra. Ana no está con el Sr. García.",
                                       "¿Dónde está la casa?", "Es de los dos.",
                                       "No lo sé, no.", "Otra vez." }, 5);
    assert_sentences("А. С. Пушкин жил на ул. Ленина и т. д. Он умер в 1837 г. Это всё.",
                     (const char *[]){ "А. С. Пушкин жил на ул. Ленина и т. д.",
                                       "Он умер в 1837 г.", "Это всё." }, 3);
    assert_sentences("डॉ. शर्मा आए। वे गए।",
                     (const char *[]){ "डॉ. शर्मा आए।", "वे गए।" }, 2);
    assert_sentences("قال د. أحمد ذلك. هل هذا صحيح؟ نعم.",
                     (const char *[]){ "قال د. أحمد ذلك.", "هل هذا صحيح؟", "نعم." }, 3);
    assert_sentences("「東京です。」と言った。はい！",
                     (const char *[]){ "「東京です。」と言った。", "はい！" }, 2);
    assert_sentences("他来了。“好。”他说。对；不。",
                     (const char *[]){ "他来了。", "“好。”", "他说。", "对；不。" }, 4);
    assert_sentences("Τι είναι; Είναι σπίτι.",
                     (const char *[]){ "Τι είναι;", "Είναι σπίτι." }, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stems_english_and_marks_function_words),
        cmocka_unit_test(folds_case_width_and_accents),
        cmocka_unit_test(stems_other_scripts),
        cmocka_unit_test(stems_by_the_language_spoken),
        cmocka_unit_test(knows_arabic_articles_and_what_is_written_with_them),
        cmocka_unit_test(tells_languages_apart),
        cmocka_unit_test(tells_the_language_of_a_question),
        cmocka_unit_test(tells_characters_alone_for_an_index),
        cmocka_unit_test(pairs_what_is_written_without_spaces),
        cmocka_unit_test(gives_identifiers_whole_and_in_parts),
        cmocka_unit_test(cuts_a_word_that_never_ends),
        cmocka_unit_test(lets_broken_bytes_separate_words),
        cmocka_unit_test(finds_the_borders_that_icu_finds),
        cmocka_unit_test(parts_sentences),
        cmocka_unit_test(parts_sentences_by_their_language),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
