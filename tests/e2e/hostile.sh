# What a hostile or unlucky user brings: one line says what is wrong and what to do, the
# exit status is right, and nothing that was there is lost.
. "$(dirname "$0")/lib.sh"

# told STATUS TEXT COMMAND...: fails with one line on standard error that has the text.
told() {
    local status=$1 text=$2
    shift 2
    run "$status" "$@"
    has err "$text"
    [ "$(wc -l < err)" = 1 ] || { cat err >&2; die "more than one line: $*"; }
}

# ---- paths and files ------------------------------------------------------------------
mkdir docs
echo 'The kite flies over the lighthouse at noon.' > docs/kite.md
: > docs/empty.txt
head -c 5000 /dev/urandom > docs/binary.txt
printf '\xff\xfek\0i\0t\0e\0s\0 \0r\0i\0s\0e\0' > docs/utf16.txt
printf '\xef\xbb\xbfA mark begins this harbour.' > docs/mark.txt
printf 'bad \xff\xfe\xfa bytes and a harbour too' > docs/invalid.txt
ln -s . docs/loop
ln -s two docs/one
ln -s one docs/two
mkfifo docs/fifo

told 3 'No such file' "$pith" add absent
told 3 'symbolic links' "$pith" add docs/one
told 3 'this is no text' "$pith" add docs/binary.txt
told 3 'this is a FIFO' "$pith" add docs/fifo
told 3 'this is a device' "$pith" add /dev/zero
run 0 timeout 60 "$pith" --json add docs
json out "j['added'] == 5 and j['failed'] == 0"
run 0 "$pith" --json search harbour --mode words
json out "len(j['results']) == 2"
run 0 "$pith" --json search kites --mode words
json out "len(j['results']) == 2"

# ---- questions ------------------------------------------------------------------------
told 3 'empty' "$pith" ask ''
told 3 'empty' "$pith" ask '   '
told 3 'empty' "$pith" search ''
run 0 "$pith" ask $'\x01\x1b[31m kite?\x07'
run 0 "$pith" ask $'\xff\xfe\xfa'
run 0 timeout 120 "$pith" ask "$(printf 'why %.0s' {1..25000})"

# ---- stores ---------------------------------------------------------------------------
cp store.db newer.db
printf '\0\0\0\x09' | dd of=newer.db bs=1 seek=60 conv=notrunc status=none
told 3 'made by a newer pith' "$pith" --store newer.db ls
cp store.db torn.db
dd if=/dev/urandom of=torn.db bs=4096 seek=1 count=8 conv=notrunc status=none
told 3 'damaged' "$pith" --store torn.db ls
head -c 3000 store.db > cut.db
told 3 'damaged' "$pith" --store cut.db search kite
: > zero.db
told 3 'pith add' "$pith" --store zero.db ls
told 3 'not a file' "$pith" --store docs ls
told 3 'pith add' "$pith" --store absent.db ls
exec 9> store.db.lock
flock 9
told 3 'is writing to it' "$pith" add docs
run 0 "$pith" search kite
exec 9>&-
run 0 "$pith" add docs

# ---- a disk that is full, by the shell's limit: what was told as done stays ------------
mkdir many
for i in $(seq 400); do echo "Page $i of many, about harbours and kites." > "many/$i.txt"; done
run 3 bash -c 'ulimit -f 200; exec "$0" --json --store full.db add many' "$pith"
[ "$(wc -l < err)" = 1 ] || die 'a full disk is one line'
done=$(python3 -c 'import json; print(json.load(open("out"))["added"])')
run 0 "$pith" --store full.db --json add many
json out "j['unchanged'] >= $done and j['added'] + j['unchanged'] == 400"

# ---- models and the environment -------------------------------------------------------
: > zero.gguf
printf 'GGUF\3\0\0\0' > short.gguf
head -c 5000 /dev/urandom > noise.gguf
for model in zero short noise; do
    told 3 "$model.gguf" "$pith" --embedder "./$model.gguf" --store m.db add docs
    told 3 "$model.gguf" "$pith" --generator "./$model.gguf" ask 'When does the kite fly?'
done
told 3 'pith model pull' env -u PITH_EMBEDDER PITH_MODELS="$work" "$pith" add docs
told 3 'HOME' env -u HOME -u PITH_STORE -u XDG_DATA_HOME "$pith" status

# ---- nobody at the other end ----------------------------------------------------------
run 0 bash -c '"$0" ls | head -1; exit "${PIPESTATUS[0]}"' "$pith"
run 0 bash -c 'exec "$0" chat <&-' "$pith"
run 3 bash -c 'exec "$0" status >&-' "$pith"
