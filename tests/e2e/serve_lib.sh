# serve_lib.sh -- sourced by the tests of the service: one on a free port, stopped at the end.
. "$(dirname "$0")/lib.sh"
export XDG_CONFIG_HOME=$work/config
server=''
trap '[ -z "$server" ] || kill -9 "$server" 2> /dev/null; chmod -R u+w "$work"; rm -rf "$work"' EXIT

# serve OPTION...: starts a service, sets $server (its process) and $url, waits until ready.
serve() {
    : > serve.log
    "$pith" serve -p 0 "$@" > serve.out 2> serve.log &
    server=$!
    for _ in $(seq 300); do
        url=$(sed -n 's|.*listening url="\(https\{0,1\}://[^"]*\)/".*|\1|p' serve.log)
        if [ -n "$url" ] && curl -skf -o /dev/null "$url/readyz"; then return; fi
        kill -0 "$server" 2> /dev/null || break
        sleep 0.1
    done
    cat serve.log >&2
    die 'the service did not come up'
}
# stop_server: SIGTERM, and its exit status must be 0.
stop_server() {
    kill -TERM "$server"
    wait "$server" || { cat serve.log >&2; die 'the service did not stop cleanly'; }
    server=''
}
# http STATUS METHOD PATH [CURL OPTION...]: the reply's body is in ./out.
http() {
    local want=$1 method=$2 path=$3 got
    shift 3
    got=$(curl -sk -m 60 -X "$method" -o out -D head -w '%{http_code}' "$url$path" "$@") || true
    [ "$got" = "$want" ] && return
    cat out serve.log >&2
    die "status $got, wanted $want: $method $path"
}
json_header='Content-Type: application/json'
# post STATUS PATH BODY [CURL OPTION...]
post() {
    local want=$1 path=$2 body=$3
    shift 3
    http "$want" POST "$path" -H "$json_header" --data-binary "$body" "$@"
}
