# The store follows its folders: new, changed, moved and deleted files, other writers.
. "$(dirname "$0")/lib.sh"
watcher=''
trap '[ -z "$watcher" ] || kill -9 "$watcher" 2> /dev/null; chmod -R u+w "$work"; rm -rf "$work"' EXIT

# settles TEXT...: within ten seconds the list of documents has each text.
settles() {
    local text good
    for _ in $(seq 100); do
        "$pith" ls > list 2> /dev/null || true
        good=1
        for text; do grep -qF -- "$text" list || good=''; done
        if [ -n "$good" ]; then return; fi
        sleep 0.1
    done
    cat list log >&2
    die "the store does not get: $*"
}
# gone TEXT: within ten seconds no document has it.
gone() {
    for _ in $(seq 100); do
        "$pith" ls > list 2> /dev/null && ! grep -qF -- "$1" list && return
        sleep 0.1
    done
    die "the store keeps: $1"
}

mkdir docs
echo 'The ferry leaves at noon.' > docs/ferry.txt
"$pith" watch docs --delay 50 --json > log 2> err &
watcher=$!
settles ferry.txt
sleep 0.3
echo 'The kite flies on Sundays.' > docs/kite.txt
settles kite.txt
mkdir -p docs/new/deep
echo 'The owl calls at night.' > docs/new/deep/owl.txt
settles owl.txt
echo 'The crane comes in spring.' > docs/new/deep/crane.txt
settles crane.txt

# An editor writes beside the file and renames.
echo 'The kite flies on Mondays.' > docs/.kite.swp
mv docs/.kite.swp docs/kite.txt
for _ in $(seq 100); do
    "$pith" search Mondays --mode words > out 2> /dev/null || true
    grep -q Mondays out && break
    sleep 0.1
done
has out Mondays
mv docs/new docs/other
settles other/deep/owl.txt
gone new/deep
rm docs/ferry.txt
gone ferry.txt

# The store is free for others meanwhile, and what they add is followed.
mkdir more
echo 'The heron fishes here.' > more/heron.txt
run 0 "$pith" add more
sleep 0.3
echo 'The kite flies no more.' > docs/kite.txt      # any news makes it look for new roots
for _ in $(seq 100); do "$pith" search 'no more' --mode words | grep -q 'no more' && break; sleep 0.1; done
echo 'The stork nests there.' > more/stork.txt
settles stork.txt

kill -TERM "$watcher"
wait "$watcher" || die 'it did not stop cleanly'
watcher=''
python3 -c 'import json, sys
for line in open("log"): json.loads(line)' || die 'the log is no JSON'
run 2 "$pith" watch --delay nonsense
run 3 "$pith" --store none.db watch
