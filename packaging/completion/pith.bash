# pith.bash -- completion of pith(1) for bash.
_pith_models() { pith model ls --json 2> /dev/null | tr '{' '\n' | sed -n 's/.*"name": *"\([^"]*\)".*/\1/p'; }

_pith()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local commands='add sync watch ls rm status vocab reembed warm search ask chat model doctor bench eval calibrate route tune serve mcp'
    local global='--store --json --generator --embedder --reranker --adapter --threads
                  --quiet --help'
    local asking='--context --max-tokens --mode --temperature --seed --explain --strict
                  --rerank --rerank-ms --no-rerank --no-filter --whole --kv --no-abstain --quote
                  --budget --remote --remote-model
                  --remote-policy --remote-day-tokens --remote-day-cost --remote-day-seconds
                  --remote-price-in --remote-price-out --remote-context
                  --route --rewrite --decompose --hyde'
    local command='' w words=''

    case $before in
        --mode) words='hybrid words vectors' ;;
        --remote-policy) words='never ask auto' ;;
        --route) words='auto slm llm' ;;
        --generator|--embedder|--model) words=$(_pith_models) ;;
        --reranker) words="none $(_pith_models)" ;;
        --log) words='text json' ;;
        --cert|--key|--store|--queries|--qrels|--run|--run-out|--baseline|--per-query|\
        --adapter|--data|--out)
            mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
        return
    fi
    for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case " $commands " in *" $w "*) command=$w; break ;; esac
    done
    case $command:$word in
        :-*)        words="$global --version" ;;
        :*)         words=$commands ;;
        add:-*)     words="--chunk-tokens --max-file $global" ;;
        search:-*)  words="-k --count --mode --rerank --rewrite --decompose --hyde $global" ;;
        calibrate:-*) words="--risk --confidence --masked --limit --per-query --show --reset
                           $global" ;;
        ask:-*|chat:-*) words="$asking $global" ;;
        route:-*)   words="--keep --share --risk --confidence --features --penalty --out
                           --remote --remote-model --limit --per-query $global" ;;
        route:*)    [ "$before" = route ] && words='fit report' ;;
        bench:-*)   words="--quick --full --chunks $global" ;;
        model:-*)   words="--again --prompt --answer --loss --show --reset $global" ;;
        model:*)    case $before in
                        pull|rm|show|fit) words=$(_pith_models) ;;
                        model) words='ls pull fit show rm' ;;
                    esac ;;
        serve:-*)   words="--host --port --cert --key --allow-host --searchers --answers --kv --queue
                           --deadline --grace --max-body --max-connections --read-only
                           --log --remote --remote-model --remote-policy --remote-day-tokens
                           --remote-day-cost --remote-day-seconds --remote-price-in
                           --remote-price-out $global" ;;
        serve:*)    case $before in key) words='add ls rm' ;; serve) words='key' ;; esac ;;
        warm:-*)    words="--kv $global" ;;
        vocab:-*)   words="--glossary --write $global" ;;
        mcp:-*)     words="--read-only $global" ;;
        tune:-*)    words="--data --model --out --rank --alpha --seq --batch --steps
                           --minutes --lr --save-every --max-mb --seed --count --passages --jobs
                           --context-tokens --unanswerable --agree --limit --show --reset
                           $global" ;;
        tune:*)     [ "$before" = tune ] && words='data train gate retrieval' ;;
        eval:-*)    words="--queries --qrels --limit --skip --mode --rerank --k --chunk-tokens
                           --context-tokens --max-tokens --oracle --closed-book --run
                           --run-out --baseline --per-query --rewrite --decompose --hyde
                           --splits --risk --confidence --masked --examples
                           --by --quote --whole --kv --budget $global" ;;
        eval:*)     [ "$before" = eval ] \
                        && words='retrieve rerank answer abstain filter route questions risk compare
                                report' ;;
        *:-*)       words=$global ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _pith pith
