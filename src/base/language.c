/* language.c -- see language.h. */
#include "base/language.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 4096,       // of the table; a power of two, twice the words and more
    WORD_MAX = 24,      // bytes of the longest function word
    READ_MAX = 4096,
    HITS_MIN = 3,       // function words of two letters and more that a text must have,
    HITS_SHARE = 8,     // and one of so many words; letters alone are initials
};

/* English: Lucene's 33 and the words that questions are made of. The others: the most
 * frequent words, with those of questions. */
const LanguageFacts language_facts[LANGUAGES] = {
    [LANGUAGE_EN] = { "en", "english",
        "a about am an and are as at be been but by can could did do does for from "
        "had has have how i if in into is it its me my no not of on or our she "
        "should such that the their them then there these they this to was we were "
        "what when where which who whom whose why will with would you your",
        false, NULL },
    [LANGUAGE_CA] = { "ca", "catalan",
        "a al als amb aquest aquesta aquests aquestes això com d de del dels des el "
        "els en entre és era es està fins ha han hi i l la les li més molt no o on "
        "pel per perquè però què quan quant qui quin quina s sense ser seu seva si "
        "són també té tot un una uns", true, NULL },
    [LANGUAGE_DA] = { "da", "danish",
        "af alle at blev bliver da de den denne der deres det dette dig din disse du "
        "efter eller en er et for fra få før ham han har havde hende hun hvad hvem "
        "hvilken hvis hvor hvordan hvorfor hvornår i ikke ind jeg kan kun man med "
        "meget men mod når nogle nu og også om op os over på sig sin skal som så til "
        "ud under var ved vi vil være",
        false, "af an be bi er for fra ind med mis ned om op over "
        "på sam til ud und under ved vid" },
    [LANGUAGE_DE] = { "de", "german",
        "aber alle als am an auch auf aus bei bis da damit dann das dass dem den der "
        "des die dies diese diesem diesen dieser dieses doch durch ein eine einem "
        "einen einer eines er es für gegen hat haben hatte ich ihm ihr ihre im in "
        "ist ja kann kein keine können man mehr mit muss nach nicht noch nur ob oder "
        "ohne sein seine sich sie sind so soll sowie um und uns unter vom von vor "
        "wann war waren warum was wegen welche welchem welchen welcher welches wem "
        "wen wenn wer werden wie wieviel wir wird wo wurde wurden zu zum zur über",
        false, "ab an auf aus be bei dar durch ein emp ent er fort ge gegen her hin "
        "hinter miss mit nach nieder ob statt um un unter ur ver vor weg wider "
        "wieder zer "
        "zu zurück über uber" },
    [LANGUAGE_ES] = { "es", "spanish",
        "a al algo como con cuál cuales cuando cuándo cuánto cuántos cuánta cuántas "
        "cómo de del desde donde dónde durante e el ella ellos en entre era eran es "
        "esa ese esta estaba está están este estos esto fue fueron ha hace hasta hay "
        "la las le les lo los más me mi mucho muy ni no nos o otra otro otros para "
        "pero por porque puede pueden que qué quien quién se ser si sin sobre son su "
        "sus sí también tiene todo todos un una uno unos y ya", false, NULL },
    [LANGUAGE_FI] = { "fi", "finnish",
        "ei ennen eri eli en ettei että hän he ilman itse ja jo jos joka jonka joita "
        "jotka jossa kanssa kaikki kenen koska kuin kuinka kuka kun kuten me mikä "
        "miksi millainen milloin minkä minä missä mistä mitä molemmat moni mukaan "
        "mutta myös ne niiden niin nämä näin ole oli olivat ollut on ovat paljon saa "
        "se sekä sen siitä sinä sitten sitä tai tämä tämän te tulee vai vain voi "
        "voidaan voivat", false,
        "ala epä yli" },
    [LANGUAGE_FR] = { "fr", "french",
        "a afin ainsi alors au aucun aussi autre aux avec avoir c car ce cela ces "
        "cet cette ceux chaque chez comme comment d dans de des donc dont du elle "
        "elles en entre est et été était être eu fait il ils j je l la laquelle le "
        "lequel les leur leurs lors mais même n ne ni nos notre nous on ont ou où "
        "par pas peut peuvent plus pour pourquoi qu quand que quel quelle quelles "
        "quels qui quoi s sa sans se ses si son sont sous sur tous tout toute très "
        "un une vos votre vous y à",
        true, NULL },
    [LANGUAGE_HU] = { "hu", "hungarian",
        "a abban ahol aki ami amely amelyek az azok azonban azt be csak de egy egyik "
        "el ez ezek ezt fel hanem hogy hogyan hol is itt így kell ki kik le lehet "
        "lesz ma majd meg melyik mely mennyi mert mi miatt miért mikor milyen mint "
        "mit most már még nagyon ne nem nincs nélkül olyan ott pedig s sem szerint "
        "után és vagy vagyis van vannak volt voltak össze",
        false, "be el fel ki le meg át rá össze" },
    [LANGUAGE_ID] = { "id", "indonesian",
        "ada adalah agar akan antara apa apakah atau bagaimana bagi bahwa banyak "
        "belum berapa bisa dalam dan dapat dari dengan di dia hanya harus ia ini itu "
        "jika juga kami kapan karena ke kepada ketika kita lebih mana masih mengapa "
        "mereka namun oleh pada para sampai sangat saya sebagai sebuah secara sedang "
        "sehingga seperti serta siapa suatu sudah tersebut telah tetapi tidak untuk "
        "yaitu yang", false,
        NULL },
    [LANGUAGE_IT] = { "it", "italian",
        "a ad agli ai al alla alle all anche ancora c che chi ci come con cosa cui d "
        "da dagli dai dal dalla dall degli dei del della delle dell deve di dopo "
        "dove due è e ed era erano essere fra gli ha hanno i il in io l la le lo "
        "loro ma nei nel nella nelle nell non o ogni per perché più può possono "
        "prima qual quale quali quando quanti quanto quante quella quello questa "
        "questo questi se senza si sia sono stata stato su sua sul sulla sull suo "
        "tra tutti tutto un una uno", true,
        NULL },
    [LANGUAGE_NL] = { "nl", "dutch",
        "aan al alle als bij dan dat de deze die dit door dus een en er geen had heb "
        "hebben heeft het hij hoe hoeveel hun ik in is ja je kan kunnen maar meer "
        "men met mijn moet na naar niet nog nu of om onder ons ook op over te tegen "
        "ten tot u uit van veel voor waar waarom waren wanneer want was wat we welk "
        "welke werd wie wij worden wordt zal ze zich zij zijn zo zonder zou", false,
        "aan achter af be bij door ge her in mis na om onder ont op over ten toe tot "
        "tussen uit ver voor weg" },
    [LANGUAGE_NO] = { "no", "norwegian",
        "alle at av ble blir da de den denne der deres det dette dere disse du eller "
        "en enn er et etter for fra få før ha hadde han har henne hun hva hvem "
        "hvilke hvilken hvis hvor hvordan hvorfor i ikke inn jeg kan kun man med "
        "meget men mot mye nå når noe noen og også om opp oss over på seg sin skal "
        "som så til under ut uten var ved vi vil være",
        false, "av an be bi er for fra inn med mis ned om "
        "opp over på sam til und under ut ved vid" },
    [LANGUAGE_PT] = { "pt", "portuguese",
        "a ao aos as até com como da das de dela dele depois do dos e é ela ele eles "
        "em entre era essa esse esta está estão este eu foi foram há isso isto já "
        "lhe mais mas me mesmo muito na nas não nem no nos nós num numa o onde os ou "
        "para pela pelas pelo pelos pode podem por porque qual quais quando quanto "
        "quantos quem que se seja sem ser será seu seus só sobre são sua suas também "
        "te tem têm um uma umas uns você à às", false, NULL },
    [LANGUAGE_RO] = { "ro", "romanian",
        "a acest această aceasta acestei acestui aceste acestea acești ai al ale am "
        "ar are astfel asupra au ca că când cât câte care cărei ce cel cele cine cu "
        "cum dar de decât deci din dintre după ea ei el este eu era erau fără fi fie "
        "fost între în îi îl își la le lor lui mai mult ne nici nu o pe pentru poate "
        "pot prin printr sa să sau se si sunt sub și toate toți tot un una unde unei "
        "unui unor va vor", false, NULL },
    [LANGUAGE_SV] = { "sv", "swedish",
        "alla att av bara blev blir bli de dem den denna deras dess dessa det detta "
        "dig din du där efter eller en er ett från för ha hade han hans har hon hur "
        "här i icke in inte jag kan man med mellan men mot mycket ni nu när någon "
        "något några och också om oss på samt sedan sig sin ska skulle som så till "
        "under upp ut utan vad var varför vara vem vi vid vilka vilken vilket vill "
        "än är över", false,
        "av an be bi er för från in med miss ned om på sam till und under upp ut vid "
        "över over" },
    [LANGUAGE_TR] = { "tr", "turkish",
        "acaba ama ancak bazı ben biz bir biri bu bunu bunun çok çünkü da daha de "
        "değil diye dolayı eğer en fakat gibi göre hangi hem hep her hiç için ile "
        "ise kadar kaç kendi ki kim kimin mı mi mu mü nasıl ne neden nedir nerede "
        "niçin o olan olarak oldu olduğu olup olur onlar onu onun sadece sen siz "
        "sonra şey şu tarafından tüm üzere var ve veya ya yani yok zaman", false, NULL },
    [LANGUAGE_AR] = { "ar", "arabic",
        "أن أنا أو أي أين إذا إلى إن أين التي الذي الذين الى ان او اي اين بعد بل بين "
        "تلك ثم حتى حول ذلك عن عند على غير في فيه فيها قبل قد كان كانت كل كم كما كيف "
        "لا لم لماذا لن له لها ليس ما ماذا متى مع من منذ منه منها نحن هذا هذه هل هم "
        "هنا هناك هو هي و وقد ولا وهو وهي يكون", false, NULL },
    [LANGUAGE_EL] = { "el", "greek",
        "αλλα αν απο αυτα αυτη αυτο αυτος για γιατι δε δεν εγω ειναι ενα ενας εχει "
        "εχουν η ηταν θα και κατα κι με μια μας μετα μη μου να ο οι ομως οπου οπως "
        "οταν οτι οσο που ποια ποιο ποιος ποσο ποσα ποτε πως πολυ προς σας σε σαν "
        "στα στη στην στις στο στον στους τα τη την της τι τις το τον του τους των "
        "ως", false, NULL },
    [LANGUAGE_HI] = { "hi", "hindi",
        "अपना अपनी अपने आप इन इस इसके उन उनके उस उसके एक और कब कर करना करने कहां "
        "कहाँ का कि कितना कितनी कितने किस किसी की कुछ के को कोई कौन कौनसा क्या क्यों "
        "गया गयी गए गई जब जा जो तक तो था थी थे दिया द्वारा नहीं ने पर भी में मैं यदि "
        "यह या ये रहा रही रहे लिए वह वाले वे साथ से सकता सकते सभी हम ही हुआ हुई हुए "
        "है हैं हो होता होती होते होने कैसे", false, NULL },
    [LANGUAGE_HY] = { "hy", "armenian",
        "այդ այս այն բայց են եմ եք էին էր ըստ թե ի իր և եւ կամ հետ համար մեջ մեր նա "
        "նրա նրանք ոչ որ որը որոնք ով ում ինչ ինչու ինչպես որտեղ երբ քանի պիտի վրա",
        false,
        NULL },
    [LANGUAGE_RU] = { "ru", "russian",
        "а без более бы был была были было быть в вам вас во вот все всего всех вы "
        "где да даже для до его ее если есть еще же за здесь и из или им их к как "
        "какая какие какой какое каких какова каков когда кого которая которого "
        "которой которые который которых кто куда ли либо лишь между меня мне может "
        "можно мы на над надо нас не нет ни но ну о об однако он она они оно от "
        "откуда очень по под после почему при про с сам свое своего своей себя "
        "сколько со так также там тем то того тоже только том тот ты у уже чего чем "
        "через что чтобы эта эти это этого этой этом этот я", false,
        NULL },
    [LANGUAGE_TA] = { "ta", "tamil",
        "அது அந்த அவர் அவர்கள் அவன் அவள் ஆகும் ஆனால் இது இந்த இல்லை உள்ள எங்கே என "
        "என்ன என்பது என்று எந்த எப்படி எப்போது எவ்வளவு ஏன் ஒரு தான் நான் நாம் பிறகு "
        "மற்றும் மிக யார் வேண்டும்", false, NULL },
    [LANGUAGE_TH] = { "th", NULL,
        "กว่า กับ การ ก็ ของ ความ คือ จะ จาก ซึ่ง ด้วย ต้อง ถึง ถ้า ทำไม ที่ ที่ไหน "
        "นั้น นี้ มี มาก มา เมื่อ เมื่อไร เมื่อไหร่ แต่ และ แล้ว โดย ใคร ใด ใน ได้ "
        "ไม่ ไหน ไหม ไป หรือ ให้ อะไร อยู่ อย่างไร อีก เป็น เท่าไร เท่าไหร่ กี่ บ้าง "
        "ว่า", false, NULL },
    [LANGUAGE_ZH] = { "zh", NULL,
        "什么 什麼 为什 為什 怎么 怎麼 怎样 怎樣 多少 多久 多大 多长 多長 哪里 哪裡 哪些 哪个 哪個 哪儿 何时 何時 如何 是否 我们 我們 "
        "他们 他們 这个 這個 那个 那個 可以 何故 何人 何年 何月 何日 誰が 何が 何を 무엇 어디 언제 얼마 어떻 어떤 누가 누구 그리 그러 "
        "하지", false, NULL },
};

/* ---- the table -------------------------------------------------------------------- */

typedef struct Slot {
    Str word;
    uint32_t languages;
} Slot;

struct FunctionWords {
    Slot at[SLOTS];
};

static Slot *slot(const FunctionWords *f, Str word)
{
    size_t i = str_hash(word) & (SLOTS - 1);
    while (f->at[i].word.p && !str_eq(f->at[i].word, word)) i = (i + 1) & (SLOTS - 1);
    return (Slot *)&f->at[i];
}

FunctionWords *function_words_new(void)
{
    FunctionWords *f = calloc(1, sizeof *f);
    for (int l = 0; f && l < LANGUAGES; l++) {
        const char *p = language_facts[l].function_words;
        while (*p) {
            Str word = { p, strcspn(p, " ") };
            Slot *s = slot(f, word);
            s->word = word;
            s->languages |= 1u << l;
            p += word.n + (p[word.n] == ' ');
        }
    }
    return f;
}

void function_words_free(FunctionWords *f) { free(f); }

uint32_t function_words_find(const FunctionWords *f, Str word)
{
    return word.n && word.n <= 2 * WORD_MAX ? slot(f, word)->languages : 0;
}

/* ---- the language of a text ------------------------------------------------------- */

typedef struct Tally {
    int words, hits[LATIN_LANGUAGES];
    float weight[LATIN_LANGUAGES];      // a word of n languages counts 1 / n
} Tally;

static bool is_letter(unsigned char c)
{
    return (unsigned)(c | 0x20) - 'a' < 26 || c >= 0x80;
}

/* The next word in Latin letters, small ones (ASCII and Latin-1 are made so), into word.
 * Quotation marks and dashes (U+2000 and on) end it, as any byte of no letter does. */
static Str latin_word(Str text, size_t *at, char *word)
{
    for (size_t i = *at, n = 0;; i++, n++) {
        unsigned char c = i < text.n ? (unsigned char)text.p[i] : ' ';
        if (!is_letter(c) || c == 0xE2) {
            *at = i;
            if (n > 0) return (Str){ word, n <= WORD_MAX ? n : 0 };
            if (i >= text.n) return (Str){ NULL, 0 };
            *at = i += c == 0xE2 && text.n - i > 2 ? 2 : 0;
            n = SIZE_MAX;
            continue;
        }
        bool capital = c < 0x80 ? c < 'a' : n > 0 && n <= WORD_MAX && c <= 0x9E &&
                       c != 0x97 && (unsigned char)word[n - 1] == 0xC3;
        if (n < WORD_MAX) word[n] = (char)(capital ? c + 0x20 : c);
    }
}

static void tally(const FunctionWords *f, Str text, Tally *t)
{
    char word[WORD_MAX];
    const uint32_t latin = (1u << LATIN_LANGUAGES) - 1;
    for (size_t at = 0; at < text.n;) {
        Str w = latin_word(text, &at, word);
        if (!w.p) return;
        if (w.n && (unsigned char)*w.p >= 0xCD) continue;   // of another script
        uint32_t in = function_words_find(f, w) & latin;
        t->words++;
        for (int l = 0; in >> l; l++) {
            if (!(in >> l & 1)) continue;
            t->hits[l] += w.n > 1;
            t->weight[l] += 1.0f / (float)__builtin_popcount(in);
        }
    }
}

Language language_of_text(const FunctionWords *f, Str text)
{
    Tally t = { 0 };
    int best = LANGUAGE_EN;
    if (text.n > READ_MAX) text.n = READ_MAX;
    tally(f, text, &t);
    for (int l = 0; l < LATIN_LANGUAGES; l++)
        if (t.weight[l] > t.weight[best]) best = l;
    bool enough = t.hits[best] >= HITS_MIN && t.hits[best] * HITS_SHARE >= t.words;
    return enough && t.weight[best] > 1.5f * t.weight[LANGUAGE_EN] ? (Language)best
                                                                  : LANGUAGE_EN;
}
