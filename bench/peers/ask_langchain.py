"""ask_langchain.py index ENCODER_FOLDER STORE OUT: FAISS over the chunks of a pith store.
ask_langchain.py ask ENCODER_FOLDER INDEX GGUF QUESTION: one streamed answer.
ask_langchain.py serve ENCODER_FOLDER INDEX GGUF: the answers of a running program, for
ask_warm.py.
ask_langchain.py compare RUNS QUESTION WORK PITH ENCODER_FOLDER GGUF: the comparison.

A run is a new process. First token: from its start to the first byte that it prints."""
import json
import os
import statistics
import sys
import time
from pathlib import Path

from ask_parts import ANSWER, CONTEXT, SYSTEM, USER, fitting, serve, store_texts, threads
from langchain_parts import OnnxEmbeddings

PROMPT = f"""<|im_start|>system
{SYSTEM}<|im_end|>
<|im_start|>user
{USER}<|im_end|>
<|im_start|>assistant
"""


def index(encoder, store, out):
    from langchain_community.vectorstores import FAISS
    FAISS.from_texts(store_texts(store), OnnxEmbeddings(encoder, 1)).save_local(out)


class Peer:
    """A LangChain program that is ready for questions."""

    def __init__(self, encoder, folder, gguf):
        from langchain_community.llms import LlamaCpp
        from langchain_community.vectorstores import FAISS
        from langchain_core.prompts import PromptTemplate
        self.found = FAISS.load_local(folder, OnnxEmbeddings(encoder),
                                      allow_dangerous_deserialization=True)
        self.llm = LlamaCpp(model_path=gguf, n_ctx=2048, n_batch=512, max_tokens=ANSWER,
                            temperature=0, n_threads=threads(), verbose=False)
        self.chain = PromptTemplate.from_template(PROMPT) | self.llm

    def context(self, question):
        """The best passages that fit, and how many tokens they have."""
        found = self.found.similarity_search(question, k=20)
        kept, used = fitting([d.page_content for d in found], self.llm.get_num_tokens)
        return "\n\n".join(kept), used

    def write(self, context, question):
        """The pieces of an answer, a token each, as they come."""
        return self.chain.stream({"context": context, "question": question})


def ask(encoder, folder, gguf, question):
    peer, tokens = Peer(encoder, folder, gguf), 0
    context, used = peer.context(question)
    for piece in peer.write(context, question):
        tokens += 1
        print(piece, end="", flush=True)
    print(f"passages of {used} tokens, {tokens} written", file=sys.stderr)


def serve_answers(encoder, folder, gguf):
    peer = Peer(encoder, folder, gguf)
    serve(lambda question: peer.write(peer.context(question)[0], question))


def run(command, log):
    """Seconds to the first byte and in all, seconds of CPU, MiB at peak."""
    back, front = os.pipe()
    begin = time.monotonic()
    err = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, front, 1), (os.POSIX_SPAWN_DUP2, err, 2)])
    os.close(front)
    first = None
    while os.read(back, 4096):
        first = first or time.monotonic() - begin
    _, status, usage = os.wait4(pid, 0)
    os.close(back)
    os.close(err)
    if status or first is None:
        sys.exit(f"{command[0]} stopped: {Path(log).read_text()[-400:]}")
    return (first, time.monotonic() - begin, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024)


def generated(command):
    import subprocess
    a = json.loads(subprocess.run(command + ["--json"], capture_output=True, check=True).stdout)
    return "prompt of {prompt} tokens, {generated} written".format(**a["tokens"])


def show(name, got, note):
    m = [statistics.median(g[i] for g in got) for i in range(4)]
    print(f"{name:22} first token {m[0]:5.2f} s, in all {m[1]:5.2f} s, CPU {m[2]:5.2f} s, "
          f"{m[3]:4.0f} MiB at peak; {note}")
    return m


def compare(runs, question, work, pith, encoder, gguf):
    log = f"{work}/log"
    base = [pith, "--store", f"{work}/store.db", "ask", question, "--generator", gguf,
            "--context", str(CONTEXT), "--max-tokens", str(ANSWER), "--no-abstain", "--quiet"]
    equal = base + ["--no-rerank", "--no-filter"]
    peer = [sys.executable, __file__, "ask", encoder, f"{work}/index", gguf, question]
    got = {"peer": [], "equal": [], "base": []}
    for i in range(int(runs) + 1):      # in turn, so that all meet the same neighbours
        for name, command in (("equal", equal), ("base", base), ("peer", peer)):
            one = run(command, log)
            if i:                       # the first brings the files into memory
                got[name].append(one)
    theirs = show("LangChain + llama.cpp", got["peer"], Path(log).read_text().splitlines()[-1])
    ours = {}
    for label, name, command in (("pith, equal context", "equal", equal),
                                 ("pith, as it comes", "base", base)):
        m = ours[name] = show(label, got[name], generated(command))
        print(f"{'ratio':22} {theirs[0] / m[0]:.2f} to the first token, "
              f"{theirs[1] / m[1]:.2f} in all, {theirs[2] / m[2]:.2f} in CPU time, "
              f"{theirs[3] / m[3]:.2f} in memory")
    print(f"= {ours['equal'][0]:.2f} s; with the filter {ours['base'][0]:.2f} s | LangChain + "
          f"llama.cpp {theirs[0]:.2f} s | {theirs[0] / ours['equal'][0]:.1f}; "
          f"{theirs[0] / ours['base'][0]:.1f}")


if __name__ == "__main__":
    {"index": index, "ask": ask, "serve": serve_answers, "compare": compare}[sys.argv[1]](*sys.argv[2:])
