"""ask_txtai.py index ENCODER_FOLDER STORE OUT: txtai's index of the chunks of a pith store.
ask_txtai.py serve ENCODER_FOLDER INDEX GGUF: its RAG pipeline, for ask_warm.py.

Words (BM25) and vectors together, which is txtai's hybrid index. Vectors are of the int8
ONNX file, which txtai pools by the mean; that takes as long as the right way."""
import sys

from ask_parts import ANSWER, SYSTEM, USER, fitting, serve, store_texts, threads
from txtai import Embeddings
from txtai.pipeline import RAG

PREFIX = "Represent this sentence for searching relevant passages: "


def index(encoder, store, out):
    embeddings = Embeddings(
        path=f"{encoder}/model.onnx", maxlength=512, encodebatch=1, hybrid=True, content=True,
        gpu=False, instructions={"query": PREFIX})
    embeddings.index(store_texts(store))
    embeddings.save(out)


def answers(_, folder, gguf):
    embeddings = Embeddings()
    embeddings.load(folder)

    def best(queries, limit):
        found = embeddings.batchsearch(queries, limit)
        for results in found:
            kept, _ = fitting([r["text"] for r in results], count)
            results[:] = [r for r in results if r["text"] in kept]
        return found

    rag = RAG(best, gguf, context=20, system=SYSTEM, template=USER, separator="\n\n",
              n_ctx=2048, n_batch=512, n_threads=threads(), n_threads_batch=threads())
    llama = rag.model.generator.llm

    def count(text):
        return len(llama.tokenize(text.encode(), add_bos=False))

    return lambda question: rag(question, maxlength=ANSWER, stream=True, temperature=0)


if __name__ == "__main__":
    if sys.argv[1] == "index":
        index(*sys.argv[2:])
    else:
        serve(answers(*sys.argv[2:]))
