# A question by words finds its document in whatever language it is written; English
# stays as it was. Each document says what no other says, in another form of the word.
. "$(dirname "$0")/lib.sh"

mkdir docs
write() { cat > "docs/$1.txt"; }

write de <<'TEXT'
Das neue Krankenhaus am Fluss wird im Herbst eröffnet. Die Stadt hat dafür lange gespart, und
viele Häuser in der Nachbarschaft wurden renoviert. Die Garantiezeit der Geräte beträgt zwei Jahre.
TEXT
write fr <<'TEXT'
L'hôpital accueille les malades toute la journée. Les chevaux de la ferme sont soignés par un
vétérinaire qui vient une fois par semaine, et les récoltes sont vendues au marché.
TEXT
write es <<'TEXT'
Las canciones de la fiesta se escuchan hasta la madrugada. Los pescadores vuelven al puerto con
sus redes llenas, y en la plaza los niños juegan sin descanso.
TEXT
write sv <<'TEXT'
Biblioteket ligger vid torget och har öppet alla dagar utom söndag. Barnboken som lånas mest är
en saga om en björn, och den står alltid längst fram i hyllan.
TEXT
write 'fi' <<'TEXT'
Kirjastossa on paljon kirjoja, ja ne ovat kaikkien luettavissa. Kaupungin taloissa asuu monta
perhettä, mutta talvella myös lumi on niin syvää, että se peittää portaat.
TEXT
write tr <<'TEXT'
Balıkçılar sabah erken denize açılır ve bu köyün evlerinde herkes onlar için çay hazırlar.
Akşam olunca tekneler geri döner ve çocuklar da kıyıda bekler.
TEXT
write ru <<'TEXT'
В библиотеках города хранятся старинные рукописи. Гарантия на прибор действует двадцать четыре
месяца, а ремонт выполняют в мастерской у реки.
TEXT
write ar <<'TEXT'
يبدأ الضمان من تاريخ الشراء ويستمر سنتين. والكتب القديمة محفوظة في المكتبة الوطنية، وللمدرسة
حديقة كبيرة يلعب فيها الأطفال.
TEXT
write hi <<'TEXT'
पुस्तकालयों में पुरानी किताबें रखी जाती हैं। अस्पतालों के डॉक्टर हर गाँव में जाते हैं और लड़कों को दवा देते हैं।
TEXT
write ja <<'TEXT'
東京都の図書館は朝九時に開きます。保証期間は購入日から二年です。猫が窓のそばで寝ています。
TEXT
write zh <<'TEXT'
这台机器的保修期是三年。北京大学的校园里有一个很大的湖，冬天可以滑冰。
TEXT
write ko <<'TEXT'
도서관은 아침 아홉 시에 문을 엽니다. 제품의 보증기간은 이 년입니다.
TEXT
write th <<'TEXT'
ห้องสมุดเปิดทุกวันตั้งแต่เก้าโมงเช้า และโรงพยาบาลอยู่ใกล้แม่น้ำ
TEXT
write en <<'TEXT'
The library by the harbour opens at nine. Dogs were running along the quay while the ferries left.
TEXT
run 0 "$pith" add docs --json
json out "j['added'] == 14"

# finds LANGUAGE QUERY: the document of that language comes first.
finds() {
    echo "$1: $2"
    run 0 "$pith" search "$2" --mode words --json
    json out "j['results'] and j['results'][0]['document'].endswith('/$1.txt')"
}
finds de 'Haus'
finds de 'krankenhäuser'
finds de 'Garantie'
finds de 'Wie lange ist die Garantiezeit der Geräte?'
finds de 'nachbarschaften'
finds fr 'hôpitaux'
finds fr 'hopital'
finds fr 'un cheval et la récolte'
finds es 'canción'
finds es '¿Dónde juega el niño?'
finds sv 'björnar'
finds sv 'Vilken lånad barnbok'
finds 'fi' 'kirja'
finds 'fi' 'talo'
finds tr 'ev'
finds tr 'balıkçı'
finds ru 'библиотека'
finds ru 'рукописей'
finds ru 'Сколько действует гарантия?'
finds ar 'ضمان'
finds ar 'كتب'
finds ar 'مدرسة'
finds hi 'किताब'
finds hi 'अस्पताल'
finds hi 'लड़का'
finds ja '保証期間'
finds ja '猫'
finds ja '図書館は何時に開きますか'
finds zh '保修期多长'
finds zh '湖'
finds ko '도서관'
finds ko '보증기간이 얼마입니까'
finds th 'โรงพยาบาล'
finds th 'ห้องสมุด'
finds en 'dog runs'
finds en 'ferry'

# A word that no document has is missed in any script; function words are not.
unknown() { "$pith" search "$1" --mode words --json > out; json out "not j['results']"; }
unknown 'Zahnbürste'
unknown 'вертолёт'
unknown '冷蔵庫'
