# pith model fit from outside: what is refused, what is told where nothing was measured, and
# that a fit which is stopped while it writes a file leaves neither file nor record.
. "$(dirname "$0")/lib.sh"
use_real_models

source=$("$pith" model show "$PITH_GENERATOR" --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])')
mkdir models
ln -s "$source" models/small.gguf
export PITH_MODELS=$work/models PITH_GENERATOR=small

run 0 "$pith" model fit --show
has out 'not fitted'
run 0 "$pith" model fit --show --json
json out 'j is None'
run 0 "$pith" model fit --reset --json small
json out 'j == {"removed": False}'
run 2 "$pith" model fit --prompt 3
run 2 "$pith" model fit small other
run 3 "$pith" model fit absent
has err 'absent'
run 3 "$pith" model fit --generator fake:

"$pith" model fit --threads 1 --prompt 64 --answer 2 > out 2> err &
child=$!
for _ in $(seq 2000); do
    compgen -G 'models/fitted/.work/*.gguf' > seen && break
    kill -0 "$child" 2> /dev/null || { cat err >&2; die 'it ended by itself'; }
    sleep 0.1
done
[ -s seen ] || die 'it never wrote a form'
# Another one at the same time is told to wait.
run 3 "$pith" model fit --threads 1
has err 'another process'
kill -INT "$child"
wait "$child" && die 'a run that was stopped has status 0'
[ -z "$(find models/fitted -type f -size +0)" ] || die "left behind: $(find models/fitted)"
run 0 "$pith" model fit --show
has out 'not fitted'
