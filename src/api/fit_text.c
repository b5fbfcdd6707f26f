/* fit_text.c -- some plain prose to measure a generator with, where the user has no
 * documents in a store yet. */
#include "api/fit.h"

#define TEXT(literal) { (literal), sizeof(literal) - 1 }

const Str *fit_texts(size_t *n)
{
    static const Str text[] = {
        TEXT("The public library of a small town is open from Tuesday to Saturday. "
             "Books are lent for four weeks and can be renewed twice, in person, "
             "by telephone or on the web page, unless somebody else has asked for "
             "them. A reader who brings a book back late pays twenty cents a day, "
             "but never more than the book would cost new. Children below fourteen "
             "pay nothing. Old newspapers are kept in the cellar and may be read "
             "there, not taken home."),
        TEXT("A heat pump takes warmth from the air outside, from the ground or "
             "from ground water, and lifts it to the temperature that a house "
             "needs. For each unit of electricity it delivers three to four units "
             "of heat. The colder the source and the hotter the radiators, the "
             "less it gains, so that large radiators or heating in the floor are "
             "worth their price. In a house that is badly insulated one should "
             "mend the roof and the windows first."),
        TEXT("To bake bread with sourdough, mix a spoon of the starter with a "
             "hundred grams of flour and as much water on the evening before, and "
             "leave it in a warm place. In the morning it should have doubled. Add "
             "four hundred grams of flour, ten grams of salt and a quarter of a "
             "litre of water, knead the dough for ten minutes and let it rest for "
             "three hours. Bake it for forty minutes, the first ten of them at the "
             "highest heat."),
        TEXT("When two trains meet on a line with a single track, one of them must "
             "wait in a station where the track is double. Signals prevent a train "
             "from entering a section before the other has left it. In earlier "
             "times the driver was handed a staff, of which there was only one for "
             "each section, and who had it was allowed to go. Today counters on "
             "the axles report whether a section is free, and a computer sets the "
             "signals."),
        TEXT("The contract runs for twelve months and is extended by a year unless "
             "one of the parties ends it in writing three months before. The "
             "customer pays on the first day of each month. If a payment is more "
             "than thirty days late, the supplier may stop the service after one "
             "reminder. Damage that was caused on purpose or by gross negligence "
             "is paid for without a limit; in all other cases at most what the "
             "customer paid in the last year."),
        TEXT("Bees find their way by the position of the sun, which they see "
             "through clouds by the polarization of its light. A bee that has "
             "found flowers dances on the comb when it comes home: the angle "
             "between the dance and the vertical is the angle between the flowers "
             "and the sun, and the longer the dance, the longer the way. Karl von "
             "Frisch described this in 1927, and received the Nobel Prize for it "
             "in 1973, together with two colleagues."),
        TEXT("A patient with a fever should drink enough, rest, and be looked at "
             "by a doctor if the temperature stays above thirty-nine degrees for "
             "more than three days, or if there is a stiff neck, a rash that does "
             "not fade under pressure, or trouble with breathing. Infants below "
             "three months are taken to a doctor at once. Medicine against fever "
             "makes the illness easier to bear and does not make it shorter."),
        TEXT("A backup that was never restored is a hope and no backup. Keep three "
             "copies of what matters, on two kinds of media, one of them in "
             "another building. Write down how the files are brought back, and do "
             "it once a year on a machine that is otherwise empty. Check that the "
             "copies are made every night: the message that nothing was copied is "
             "the one that gets lost. Encrypt what leaves the house, and keep the "
             "key elsewhere."),
    };
    *n = sizeof text / sizeof *text;
    return text;
}
