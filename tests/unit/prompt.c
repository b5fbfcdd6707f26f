/* What the generator reads, and in which language it is to answer. */
#include "ask/prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the first four */
#include <cmocka.h>

static Ctx cx;

static int stop(void **state)
{
    (void)state;
    ctx_end(&cx);
    return 0;
}

static Prompt built(const char *passage, const char *question, PromptWay way)
{
    Passage p = { .chunk = { .text = str_z(passage) } };
    Prompt out;
    Passages ps = { .at = &p, .n = passage ? 1 : 0 };
    assert_int_equal(prompt_build(&cx, &ps, str_z(question), way, &out), OK);
    return out;
}

static void assert_system(const Prompt *p, const char *want)
{
    assert_int_equal(p->message[0].content.n, strlen(want));
    assert_memory_equal(p->message[0].content.p, want, strlen(want));
}

static const char english[] = "The garden opens at seven in the morning.";
static const char german[] = "Der Garten öffnet um sieben Uhr, und er ist am Montag zu.";

static void asks_in_english_for_what_is_english(void **state)
{
    (void)state;
    Prompt p = built(english, "When does it open?", PROMPT_PLAIN);
    assert_system(&p, "Answer the question using the passages. Reply with one short "
                      "sentence.");
    const char user[] = "Passage 1:\nThe garden opens at seven in the morning.\n\n"
                        "Question: When does it open?";
    assert_int_equal(p.message[1].content.n, strlen(user));
    assert_memory_equal(p.message[1].content.p, user, strlen(user));
    p = built(NULL, "When does it open?", PROMPT_PLAIN);
    assert_system(&p, "Answer the question. Reply with one short sentence.");
}

static void says_nothing_where_question_and_passages_are_of_one_language(void **state)
{
    (void)state;
    Prompt p = built(german, "Wann ist der Garten zu?", PROMPT_PLAIN);
    assert_system(&p, "Answer the question using the passages. Reply with one short "
                      "sentence.");
    p = built(english, "Xylophon 3", PROMPT_PLAIN);
    assert_system(&p, "Answer the question using the passages. Reply with one short "
                      "sentence.");
}

static void wants_the_language_of_the_question(void **state)
{
    (void)state;
    static const char *const asked[][2] = {
        { "Wann ist der Garten zu?", "in German" }, { "¿Cuándo abre?", "in Spanish" },
        { "花园几点开门？", "in Chinese" }, { "庭は何時に開きますか", "in Japanese" },
        { "정원은 몇 시에 엽니까", "in Korean" }, { "Когда открыт сад?", "in Russian" },
        { "Коли відкрито сад і двір?", "in the language of the question" },
        { "باغ کی باز می‌شود؟", "in the language of the question" },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        Prompt p = built(english, asked[i][0], PROMPT_PLAIN);
        Str want = ctx_printf(&cx, "sentence. Answer %s.", asked[i][1]);
        assert_true(str_ends(p.message[0].content, want));
    }
    Prompt p = built(german, "When is the garden closed?", PROMPT_QUOTE);
    assert_true(str_ends(p.message[0].content, STR("marks. Answer in English.")));
}

static void knows_a_refusal(void **state)
{
    (void)state;
    assert_true(prompt_is_refusal(STR(PROMPT_REFUSAL)));
    assert_true(prompt_is_refusal(STR("Das geht nicht hervor.")));
    assert_false(prompt_is_refusal(STR("The garden opens at seven.")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_in_english_for_what_is_english),
        cmocka_unit_test(says_nothing_where_question_and_passages_are_of_one_language),
        cmocka_unit_test(wants_the_language_of_the_question),
        cmocka_unit_test(knows_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
