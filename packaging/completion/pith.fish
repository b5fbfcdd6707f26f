# pith.fish -- completion of pith(1) for fish.
function __pith_models
    pith model ls --json 2>/dev/null | string match -ra '"name": *"([^"]*)"' -g
end

set -l commands add sync watch ls rm status vocab reembed warm search ask chat model doctor bench eval calibrate route tune serve mcp
set -l none "not __fish_seen_subcommand_from $commands"

complete -c pith -n "$none" -f
complete -c pith -n "$none" -a add -d 'index files and folders'
complete -c pith -n "$none" -a sync -d 'revisit what was added'
complete -c pith -n "$none" -a watch -d 'follow the folders as they change'
complete -c pith -n "$none" -a ls -d 'list the documents'
complete -c pith -n "$none" -a rm -d 'remove documents'
complete -c pith -n "$none" -a status -d 'what the store holds'
complete -c pith -n "$none" -a warm -d 'let the generator read ahead'
complete -c pith -n '__fish_seen_subcommand_from warm' -l kv -x -d 'MiB on disk'
complete -c pith -n "$none" -a vocab -d 'how tokenizers break your words'
complete -c pith -n "$none" -a reembed -d 'make all vectors anew'
complete -c pith -n "$none" -a search -d 'find passages'
complete -c pith -n "$none" -a ask -d 'answer a question'
complete -c pith -n "$none" -a chat -d 'a conversation'
complete -c pith -n "$none" -a model -d 'list, fetch, fit, show and remove models'
complete -c pith -n "$none" -a doctor -d 'what this machine has'
complete -c pith -n "$none" -a bench -d 'what it does in a second'
complete -c pith -n "$none" -a tune -d 'a small model that knows your documents'
complete -c pith -n "$none" -a serve -d 'answer over HTTP'
complete -c pith -n "$none" -a mcp -d 'tools for an assistant'
complete -c pith -n "$none" -a eval -d 'how good it is, in figures'
complete -c pith -n "$none" -a calibrate -d 'fit the threshold of refusal'
complete -c pith -n "$none" -a route -d 'weights and accounts of the router'

complete -c pith -l store -r -F -d 'the store to use'
complete -c pith -l json -d 'print JSON'
complete -c pith -l generator -x -a '(__pith_models)' -d 'model that writes answers'
complete -c pith -l embedder -x -a '(__pith_models)' -d 'model that makes vectors'
complete -c pith -l reranker -x -a 'none (__pith_models)' -d 'model that orders passages'
complete -c pith -l adapter -r -F -d 'LoRA adapter of the generator'
complete -c pith -l threads -x -d 'one per core by default'
complete -c pith -s q -l quiet -d 'no progress, no remarks'
complete -c pith -s h -l help -d 'help'

set -l add '__fish_seen_subcommand_from add'
complete -c pith -n "$add" -l chunk-tokens -x -d 'length of a passage'
complete -c pith -n "$add" -l max-file -x -d 'refuse larger files, MB'

set -l vocab '__fish_seen_subcommand_from vocab'
complete -c pith -n "$vocab" -l glossary -d 'abbreviations that are explained'
complete -c pith -n "$vocab" -l write -d 'add them to the glossary of the store'

set -l search '__fish_seen_subcommand_from search'
complete -c pith -n "$search" -s k -l count -x -d 'how many passages'
complete -c pith -n "$search" -l rerank -x -d 'how many the reranker reads'

set -l ask '__fish_seen_subcommand_from ask chat'
complete -c pith -n "$ask" -l context -x -d 'tokens of passages'
complete -c pith -n "$ask" -l max-tokens -x -d 'longest answer'
complete -c pith -n "$ask" -l temperature -x -d '0 gives the same answer each time'
complete -c pith -n "$ask" -l seed -x -d 'random seed'
complete -c pith -n "$ask" -l explain -d 'show every stage'
complete -c pith -n "$ask" -l strict -d 'status 1 when the documents do not say'
complete -c pith -n "$ask" -l no-rerank -d 'leave the reranker out'
complete -c pith -n "$ask" -l rerank -x -d 'let the reranker read the best N'
complete -c pith -n "$ask" -l rerank-ms -x -d 'as many as it can in this time'
complete -c pith -n "$ask" -l no-filter -d 'whole passages, weak sentences included'
complete -c pith -n "$ask" -l whole -d 'drop no sentence of a passage'
complete -c pith -n "$ask" -l kv -x -d 'MiB for passages read before'
complete -c pith -n "$ask" -l budget -x -d 'an answer within this time'
complete -c pith -n "$ask" -l quote -d 'quote the documents, word for word'
complete -c pith -n "$ask" -l no-abstain -d 'let the model try anyway'
set -l far '__fish_seen_subcommand_from ask chat serve'
complete -c pith -n "$far" -l remote -x -d 'a large model, for hard questions'
complete -c pith -n "$far" -l remote-model -x -d 'its name'
complete -c pith -n "$far" -l remote-policy -x -a 'never ask auto' -d 'may text be sent'
complete -c pith -n "$far" -l remote-day-tokens -x -d 'at most so many a day'
complete -c pith -n "$far" -l remote-day-cost -x -d 'at most so much a day'
complete -c pith -n "$far" -l remote-day-seconds -x -d 'at most so long a day'
complete -c pith -n "$far" -l remote-price-in -x -d 'of a million tokens sent'
complete -c pith -n "$far" -l remote-price-out -x -d 'of a million tokens received'
complete -c pith -n "$ask" -l remote-context -x -d 'tokens of passages for it'
complete -c pith -n "$ask" -l route -x -a 'auto slm llm' -d 'who writes'
complete -c pith -n '__fish_seen_subcommand_from search ask chat eval' -l mode -x \
    -a 'hybrid words vectors' -d 'how passages are found'

set -l figures '__fish_seen_subcommand_from bench'
complete -c pith -n "$figures" -l quick -d 'about a minute'
complete -c pith -n "$figures" -l full -d 'all generators, a million chunks'
complete -c pith -n "$figures" -l chunks -x -d 'of the store searched'

set -l model '__fish_seen_subcommand_from model'
complete -c pith -n "$model" -f -a 'ls pull fit show rm'
complete -c pith -n "$model; and __fish_seen_subcommand_from pull fit show rm" -f -a '(__pith_models)'
complete -c pith -n "$model" -l again -d 'pull even what is here'
complete -c pith -n "$model" -l prompt -x -d 'fit: tokens that are read'
complete -c pith -n "$model" -l answer -x -d 'fit: tokens that are written'
complete -c pith -n "$model" -l loss -x -d 'fit: nats a token that may be lost'
complete -c pith -n "$model" -l show -d 'fit: what was found before'
complete -c pith -n "$model" -l reset -d 'fit: back to the file as it came'

complete -c pith -n '__fish_seen_subcommand_from search ask chat eval' -l rewrite \
    -d 'words that documents use'
complete -c pith -n '__fish_seen_subcommand_from search ask chat eval' -l decompose \
    -d 'search for the parts of a question'
complete -c pith -n '__fish_seen_subcommand_from search ask chat eval' -l hyde \
    -d 'search with a passage made up'

complete -c pith -n '__fish_seen_subcommand_from eval' -l skip -x -d 'not the first N'

set -l promise '__fish_seen_subcommand_from calibrate'
complete -c pith -n "$promise" -l limit -x -d 'the first N questions'
complete -c pith -n "$promise" -l per-query -r -F -d 'write figures'
complete -c pith -n "$promise" -l show -d 'what is kept'
complete -c pith -n "$promise" -l reset -d 'forget it'
complete -c pith -n '__fish_seen_subcommand_from calibrate eval' -l risk -x \
    -d 'share of wrong promised'
complete -c pith -n '__fish_seen_subcommand_from calibrate eval' -l confidence -x \
    -d 'how surely'
complete -c pith -n '__fish_seen_subcommand_from calibrate eval' -l masked \
    -d 'half without their documents'

set -l eval '__fish_seen_subcommand_from eval'
complete -c pith -n "$eval" -a 'retrieve rerank answer abstain filter route questions risk compare report'
complete -c pith -n "$eval" -l limit -x -d 'the first N questions'
complete -c pith -n "$eval" -l examples -x -d 'questions gained and lost'
complete -c pith -n "$eval" -l by -x -d 'figure to choose them by'
for option in queries qrels run run-out baseline per-query
    complete -c pith -n "$eval" -l $option -r -F
end

set -l weights '__fish_seen_subcommand_from route'
complete -c pith -n "$weights" -a 'fit report'
for option in keep share risk confidence features penalty remote remote-model limit
    complete -c pith -n "$weights" -l $option -x
end
for option in out per-query
    complete -c pith -n "$weights" -l $option -r -F
end

set -l tune '__fish_seen_subcommand_from tune'
complete -c pith -n "$tune" -f -a data -d 'write examples from the documents'
complete -c pith -n "$tune" -f -a train -d 'train an adapter'
complete -c pith -n "$tune" -f -a gate -d 'keep an adapter if it wins'
complete -c pith -n "$tune" -f -a retrieval -d 'a map of queries, kept if it pays'
complete -c pith -n "$tune" -l show -d 'the adapter of the store'
complete -c pith -n "$tune" -l reset -d 'do without it from now on'
complete -c pith -n "$tune" -l model -x -a '(__pith_models)' -d 'the model to train'
complete -c pith -n "$tune" -l data -r -F -d 'examples, JSONL'
complete -c pith -n "$tune" -l out -r -F -d 'the folder of the adapter'
for option in rank alpha seq batch steps minutes lr save-every max-mb seed count \
        passages context-tokens unanswerable agree limit jobs
    complete -c pith -n "$tune" -l $option -x
end

set -l serve '__fish_seen_subcommand_from serve'
complete -c pith -n "$serve" -a key -d 'add, ls or rm a key'
complete -c pith -n "$serve" -l log -x -a 'text json'
complete -c pith -n "$serve" -l read-only -d 'documents stay as they are'
for option in cert key
    complete -c pith -n "$serve" -l $option -r -F
end
for option in host port allow-host searchers answers kv queue deadline grace max-body max-connections
    complete -c pith -n "$serve" -l $option -x
end
complete -c pith -n '__fish_seen_subcommand_from mcp' -l read-only -d 'no tool adds documents'
