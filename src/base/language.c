/* language.c -- see language.h. */
#include "base/language.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 8192,       // of the table; a power of two, twice the words and more
    WORD_MAX = 24,      // bytes of the longest function word
    READ_MAX = 4096,
    HITS_MIN = 3,       // function words of two letters and more that a text must have,
    HITS_SHARE = 8,     // and one of so many words; letters alone are initials
    SHARE = 8,          // or by weight, where that alone is enough
};
static const float LETTER_WEIGHT = .5f,     // of a word with a letter that few write
                   ENDING_WEIGHT = .4f,     // of one that ends as few languages' words do
                   LEAST_WEIGHT = .7f, LEAST_SOLID = .5f;

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

/* Other frequent words: they tell a language, but a query may mean them. */
static const char *const frequent[LATIN_LANGUAGES] = {
    [LANGUAGE_CA] =
        "abans altre altres any anys aquell aquella bé cada casa cosa després dia "
        "dies dir dos dues encara fa fer força gran haver hem home ja lloc llavors "
        "manera mateix millor moltes molts món nou nova part poc pot primer primera "
        "quant quanta sempre seus seves sobre tant temps tenir tota totes tots tres "
        "vegada vegades vida vol",
    [LANGUAGE_DA] =
        "aldrig altid anden andre blevet bruge dag dage derfor fik findes flere får "
        "første gennem gør gøre hele hver hvert indtil ingen kommer koster kunne lige "
        "ligger lille længe mange mellem mere mest måske nogen nye samme selv siden "
        "skulle sådan tid to tre uden været år året åbner",
    [LANGUAGE_DE] =
        "beim bereits bitte darf deren dessen drei dürfen etwa etwas euch fünf geben "
        "gehen gibt gut heißt hier immer ihnen ihren ins jahr jahre jahren jede jeder "
        "jedes jedoch jetzt kosten kostet lange liegt machen macht mich mir müssen "
        "neue neuen schon sehr seinem seinen seiner seit selbst sondern sonst steht "
        "teil viel viele vier weil weitere wenig wieder wollen worden während zeit "
        "zwei zwischen",
    [LANGUAGE_EN] =
        "after all also any because before being between both during each even every "
        "few first get he her here him his just know like made make many may more "
        "most much must new only other over own same see so some than through time "
        "two until up us very way while work year years yes",
    [LANGUAGE_ES] =
        "antes aquí así aunque año años bien cada casa cosa cuanto cuesta debe deben "
        "decir después dos día días gran hacer hizo hoy lugar manera mejor menos "
        "misma mismo mucha muchas muchos mundo nada nunca parte poco primera primero "
        "pues según siempre siendo solo sólo tal tan tanto tenía tiempo toda todas "
        "trabajo tres unas usted veces vez vida",
    [LANGUAGE_FI] =
        "aika aina alla ehkä eikä enemmän ensimmäinen erittäin hyvin hänen häntä "
        "juuri jälkeen kaksi kerran koko kolme kuitenkin kunnes lisäksi maksaa muu "
        "muut muuta noin nyt oikein olla osa paikka pitää sama samalla sanoi siinä "
        "silloin siis suuri tapa täysin uusi vielä voit vuoden vuonna vuosi yksi",
    [LANGUAGE_FR] =
        "année années avant beaucoup bien bon certains chose combien coûte coûtent "
        "depuis deux devant dire doit doivent encore faire faut fois grand heure "
        "heures ici jamais jour jours jusqu moins monde non nouveau nouvelle parce "
        "pendant petit peu plusieurs première premier puis quelque quelques rien sera "
        "seulement soit temps toujours toutes travail trois trop trouve vers voir",
    [LANGUAGE_HU] =
        "alatt által aztán bár egyszer első emberek fog gyakran ha három hozzá igen "
        "ilyen ismét jó kerül két később közben között körül lenne lett minden "
        "mindenki mindig mivel más mennyibe múlva nagy nekem soha sok számára szinte "
        "talán tehát tőle valaki valami volna ő ők új évben éves éppen",
    [LANGUAGE_ID] =
        "air akhirnya anak anda bahkan baik baru beberapa begitu besar bukan cara "
        "cukup demikian dua dulu hal harga hari hidup hingga jadi jalan jangan kali "
        "kamu kata kecil kembali kemudian kerja lagi lain lalu lama maka malam masuk "
        "melakukan melalui melihat memiliki menggunakan menjadi merupakan mungkin "
        "orang penting perlu pernah pertama rumah saat saja sama satu sebelum selalu "
        "semua sendiri seorang sering sesuai setelah setiap tahun tempat tentang "
        "terjadi tiga waktu",
    [LANGUAGE_IT] =
        "altra altri altro anni anno bene casa costa così detto devono dire due fare "
        "fatto giorni giorno grande hai lei lui mentre mio modo molti molto nessuno "
        "noi nostro nulla oggi ora ore parte poco poi posso primo proprio quindi "
        "sempre solo sotto stesso tanto tempo tre troppo tutta tutte uomo verso vita "
        "volta",
    [LANGUAGE_NL] =
        "alleen altijd ander andere beter daar dag dagen deel doen drie echter eerst "
        "eerste elk gaan gaat geven gewoon goed graag grote haar heel hem hier iemand "
        "iets jaar jaren keer komen komt kost krijgen laten maken mij moeten nieuwe "
        "nooit onze sinds staat steeds tijd toen tussen twee uur vaak vele verder "
        "volgens voordat weer wel weten wil willen zeer zelf zoals zullen",
    [LANGUAGE_NO] =
        "aldri alltid andre blitt bruke dag dager derfor fikk finnes flere får første "
        "gjennom gjør gjøre hele hver hvert ingen inntil kommer koster kunne lenge "
        "ligger lite mange mellom mer mest nye samme selv siden skulle slik tid to "
        "tre vært år året åpner",
    [LANGUAGE_PT] =
        "ainda ano anos antes apenas aqui assim bem cada casa coisa custa dessa desse "
        "deve devem dia dias disse dizer dois duas então fazer grande hoje lugar "
        "maior melhor menos mesma minha muitas muitos mundo nada nosso novo nunca "
        "outra outras outro outros parte pouco primeira primeiro sempre sob tempo "
        "tinha toda todas todo todos trabalho três tudo vez vezes vida",
    [LANGUAGE_RO] =
        "acestor acum alte alți altă ani anul aproape asemenea atunci bine cea cei "
        "chiar costă dacă două fapt face făcut fiind foarte iar însă loc lucru mare "
        "mari mod mulți nimic noastră noi nostru nou nouă oameni ori parte peste prea "
        "prima primul puțin său sale spre timp toată trebuie trei viața",
    [LANGUAGE_SV] =
        "alltid andra behöver bättre bör dag dagar därför eftersom endast enligt fick "
        "finns flera få får första genom ger gör göra hela här innan ingen kommer "
        "kostar kunde ligger lite länge mest måste nya olika redan samma själv sätt "
        "tid tre två vem vilja väl varje år året åren öppnar",
    [LANGUAGE_TR] =
        "ait artık aynı az bana bazen belki beri bile bin biraz birçok böyle bugün "
        "bütün büyük eski etmek etti fazla geldi gün hala hemen iki ilk iyi iş içinde "
        "kendisi küçük olmak olması önce özellikle pek sahip şimdi tek vardı vardır "
        "yapılan yeni yerine yıl yılda yılı yılında üç",
};

/* How words end there; two letters at least stand before. */
static const char *const endings[LATIN_LANGUAGES] = {
    [LANGUAGE_CA] =
        "ció cions tat tats ment ar ó nts ables itzar",
    [LANGUAGE_DA] =
        "tion tioner hed heden erne ende lig lige sk ske else elsen ede",
    [LANGUAGE_DE] =
        "ung ungen heit keit lich liche lichen licher isch ische ischen ischer schaft "
        "tion ieren iert igen end enden tät",
    [LANGUAGE_EN] =
        "able al ally an ance ant ants ate ated ates ating ation ations cy ed en ence "
        "ency ent ents er ers es ful gy hood ian ible ic ical ics ies ing ings ion ions "
        "ish ism ist ists ity ive ized le less ly ment ments ness or ors ous ry ship "
        "sis th ties tion tions ty ure y",
    [LANGUAGE_ES] =
        "ción ciones dad dades mente ando iendo ado ados ada adas ido idos ida idas "
        "arse ir aje ería",
    [LANGUAGE_FI] =
        "ssa ssä sta stä lla llä lta ltä lle ksi nen iin ään aan een taan tään mme "
        "vat vät minen misen tuu taa tää ttu tty tetty tettu iden jen ien uus yys "
        "ista istä issa issä ella ellä non",
    [LANGUAGE_FR] =
        "tion tions ement ements eur eurs aux eux ité ités ique iques oir ez aient "
        "ois ée ées és",
    [LANGUAGE_HU] =
        "ban ben nak nek hoz hez höz ból ből ról ről tól től val vel ért ság ség "
        "ságot séget ható hető ása ése ások ések okat eket ják jük ként nként ott ett "
        "ött ni ja ás és tt ok ek ök ák át ét ai ei",
    [LANGUAGE_ID] =
        "kan nya lah an",
    [LANGUAGE_IT] =
        "zione zioni mente tà ato ati ata ate are ere ire ando endo ezza ismo aggio "
        "gli ità",
    [LANGUAGE_NL] =
        "ing ingen heid lijk lijke isch ische atie aties teit eren eerd tie ties den "
        "de en",
    [LANGUAGE_NO] =
        "sjon sjoner sjonen het heten lig lige else elsen ende ene",
    [LANGUAGE_PT] =
        "ção ções dade dades mente ando endo ado ados ada adas ido idos ida idas ões "
        "ães agem",
    [LANGUAGE_RO] =
        "ului elor ilor ul ție ții ția iei ând ește esc ează tor lui at ate",
    [LANGUAGE_SV] =
        "tion tioner het heten ning ningar ande arna orna erna ade at ig iga lig liga "
        "else elsen",
    [LANGUAGE_TR] =
        "lar ler ları leri dır dir dur dür tır tir ması mesi mak mek nın nin ının "
        "inin acak ecek yor miş mış sını sini ında inde dan den ya ye ı lık lik sı si "
        "ını ini ır ir",
};

/* ---- the table -------------------------------------------------------------------- */

typedef struct Slot {
    Str word;
    uint32_t function, any;     // languages: a function word there, and that or frequent
    uint32_t ending;
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

static void add_words(FunctionWords *f, const char *p, Slot as)
{
    while (p && *p) {
        Str word = { p, strcspn(p, " ") };
        Slot *s = slot(f, word);
        s->word = word;
        s->function |= as.function;
        s->any |= as.any;
        s->ending |= as.ending;
        p += word.n + (p[word.n] == ' ');
    }
}

FunctionWords *function_words_new(void)
{
    FunctionWords *f = calloc(1, sizeof *f);
    for (int l = 0; f && l < LANGUAGES; l++) {
        uint32_t in = 1u << l;
        const LanguageFacts *facts = &language_facts[l];
        add_words(f, facts->function_words, (Slot){ .function = in, .any = in });
        if (l >= LATIN_LANGUAGES) continue;
        add_words(f, frequent[l], (Slot){ .any = in });
        add_words(f, endings[l], (Slot){ .ending = in });
    }
    return f;
}

void function_words_free(FunctionWords *f) { free(f); }

uint32_t function_words_find(const FunctionWords *f, Str word)
{
    return word.n && word.n <= 2 * WORD_MAX ? slot(f, word)->function : 0;
}

/* ---- the language of a text ------------------------------------------------------- */

typedef struct Tally {
    int words, hits[LATIN_LANGUAGES];
    float weight[LATIN_LANGUAGES];      // a word of n languages counts 1 / n
    float solid[LATIN_LANGUAGES];       // the same without endings and single letters
} Tally;

static bool is_letter(unsigned char c)
{
    return (unsigned)(c | 0x20) - 'a' < 26 || c >= 0x80;
}

/* The next word in Latin letters, small ones (ASCII and Latin-1 are made so), into word.
 * Punctuation (U+0080 to U+00BF, U+2000 and on) and bytes that are no letter end it. */
static Str latin_word(Str text, size_t *at, char *word)
{
    for (size_t i = *at, n = 0;; i++, n++) {
        unsigned char c = i < text.n ? (unsigned char)text.p[i] : ' ';
        if (!is_letter(c) || c == 0xE2 || c == 0xC2) {
            *at = i;
            if (n > 0) return (Str){ word, n <= WORD_MAX ? n : 0 };
            if (i >= text.n) return (Str){ NULL, 0 };
            size_t more = c == 0xE2 ? 2 : c == 0xC2;
            *at = i += text.n - i > more ? more : 0;
            n = SIZE_MAX;
            continue;
        }
        bool capital = c < 0x80 ? c < 'a' : n > 0 && n <= WORD_MAX && c <= 0x9E &&
                       c != 0x97 && (unsigned char)word[n - 1] == 0xC3;
        if (n < WORD_MAX) word[n] = (char)(capital ? c + 0x20 : c);
    }
}

/* Letters that few languages write; of two bytes, as all of Latin Extended is. */
typedef struct Letter {
    char bytes[3];
    uint32_t languages;
} Letter;

#define IN(x) (1u << LANGUAGE_##x)
static const Letter letters[] = {
    { "ß", IN(DE) }, { "ä", IN(DE) | IN(FI) | IN(SV) },
    { "ü", IN(DE) | IN(HU) | IN(TR) },
    { "ö", IN(DE) | IN(FI) | IN(HU) | IN(SV) | IN(TR) },
    { "å", IN(DA) | IN(NO) | IN(SV) }, { "ø", IN(DA) | IN(NO) },
    { "æ", IN(DA) | IN(NO) }, { "ñ", IN(ES) }, { "ã", IN(PT) }, { "õ", IN(PT) },
    { "ç", IN(CA) | IN(FR) | IN(PT) | IN(TR) }, { "ê", IN(FR) | IN(PT) },
    { "è", IN(CA) | IN(FR) | IN(IT) }, { "ù", IN(FR) | IN(IT) }, { "ì", IN(IT) },
    { "ò", IN(CA) | IN(IT) }, { "î", IN(FR) | IN(RO) }, { "ă", IN(RO) },
    { "ș", IN(RO) }, { "ț", IN(RO) }, { "ţ", IN(RO) }, { "ş", IN(RO) | IN(TR) },
    { "ğ", IN(TR) }, { "ı", IN(TR) }, { "İ", IN(TR) }, { "ő", IN(HU) },
    { "ű", IN(HU) },
};
#undef IN

/* The languages of the rarest of these letters in word; 0 where it has none. */
static uint32_t letters_find(Str word)
{
    uint32_t least = 0;
    for (size_t i = 0; i + 1 < word.n; i++) {
        if (!(word.p[i] & 0x80)) continue;
        for (size_t k = 0; k < sizeof letters / sizeof *letters; k++) {
            uint32_t in = letters[k].languages;
            if (memcmp(word.p + i, letters[k].bytes, 2) != 0) continue;
            if (!least || __builtin_popcount(in) < __builtin_popcount(least)) least = in;
        }
    }
    return least;
}

/* The languages of the longest ending of word that is known. */
static uint32_t endings_find(const FunctionWords *f, Str word)
{
    enum { SHORTEST = 2, LONGEST = 7, BEFORE = 2 };
    size_t n = word.n < LONGEST + BEFORE ? word.n : LONGEST + BEFORE;
    for (n = n > BEFORE ? n - BEFORE : 0; n >= SHORTEST; n--) {
        Str end = { word.p + word.n - n, n };
        uint32_t in = slot(f, end)->ending;
        if (in) return in;
    }
    return 0;
}

static void vote(float *to, uint32_t in, float weight)
{
    for (int l = 0; in >> l; l++)
        if (in >> l & 1) to[l] += weight / (float)__builtin_popcount(in);
}

/* ¿ and ¡ are of Spanish alone. */
static int spanish_marks(Str text)
{
    int n = 0;
    for (size_t i = 0; i + 1 < text.n; i++) {
        unsigned char second = (unsigned char)text.p[i + 1];
        n += (unsigned char)text.p[i] == 0xC2 && (second == 0xBF || second == 0xA1);
    }
    return n;
}

static void tally(const FunctionWords *f, Str text, Tally *t)
{
    char word[WORD_MAX];
    const uint32_t latin = (1u << LATIN_LANGUAGES) - 1;
    t->weight[LANGUAGE_ES] += (float)spanish_marks(text);
    for (size_t at = 0; at < text.n;) {
        Str w = latin_word(text, &at, word);
        if (!w.p) return;
        if (w.n && (unsigned char)*w.p >= 0xCD) continue;   // of another script
        uint32_t in = (w.n ? slot(f, w)->any : 0) & latin;
        t->words++;
        vote(t->weight, in, 1);
        vote(t->weight, letters_find(w), LETTER_WEIGHT);
        if (w.n && !in) vote(t->weight, endings_find(f, w), ENDING_WEIGHT);
        if (w.n < 2) continue;
        vote(t->solid, in, 1);
        vote(t->solid, letters_find(w), LETTER_WEIGHT);
        for (int l = 0; in >> l; l++) t->hits[l] += in >> l & 1;
    }
}

/* Of two that weigh the same, the language that is written more. */
static Language heaviest(const Tally *t)
{
    static const Language by_use[LATIN_LANGUAGES] = {
        LANGUAGE_EN, LANGUAGE_ES, LANGUAGE_DE, LANGUAGE_FR, LANGUAGE_PT, LANGUAGE_IT,
        LANGUAGE_TR, LANGUAGE_NL, LANGUAGE_ID, LANGUAGE_SV, LANGUAGE_RO, LANGUAGE_HU,
        LANGUAGE_FI, LANGUAGE_DA, LANGUAGE_NO, LANGUAGE_CA };
    Language best = LANGUAGE_EN;
    for (int i = 0; i < LATIN_LANGUAGES; i++)
        if (t->weight[by_use[i]] > t->weight[best]) best = by_use[i];
    return best;
}

static bool is_clear(const Tally *t, Language l)
{
    return t->weight[l] >= LEAST_WEIGHT && t->weight[l] * SHARE >= (float)t->words &&
           t->weight[l] > 1.5f * t->weight[LANGUAGE_EN] &&
           t->solid[l] >= LEAST_SOLID && t->solid[l] > 1.5f * t->solid[LANGUAGE_EN];
}

Language language_of_text(const FunctionWords *f, Str text)
{
    Tally t = { 0 };
    if (text.n > READ_MAX) text.n = READ_MAX;
    tally(f, text, &t);
    Language best = heaviest(&t);
    bool enough = t.hits[best] >= HITS_MIN && t.hits[best] * HITS_SHARE >= t.words &&
                  t.weight[best] > 1.5f * t.weight[LANGUAGE_EN];
    return enough || is_clear(&t, best) ? best : LANGUAGE_EN;
}

Language language_of_question(const FunctionWords *f, Str text)
{
    Tally t = { 0 };
    if (text.n > READ_MAX) text.n = READ_MAX;
    tally(f, text, &t);
    Language best = heaviest(&t);
    if (best == LANGUAGE_EN) return t.weight[best] > 0 ? best : LANGUAGE_NONE;
    return is_clear(&t, best) ? best : LANGUAGE_NONE;
}
