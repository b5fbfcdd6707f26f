"""ingest_langchain.py index ENCODER_FOLDER BATCH OUT FOLDER...: LangChain's side.
ingest_langchain.py report ENCODER_FOLDER WORK BATCH...: what both did, and the ratio."""
import json
import sys
from pathlib import Path

from ask_parts import store_texts
from langchain_parts import OnnxEmbeddings, count_tokens, load, split


def index(encoder, batch, out, *folders):
    from langchain_community.vectorstores import FAISS
    chunks = split(load(folders))
    FAISS.from_documents(chunks, OnnxEmbeddings(encoder, int(batch)))
    Path(out).write_text(json.dumps([c.page_content for c in chunks]), encoding="utf-8")


def line(name, texts, encoder, measured):
    m = json.loads(Path(measured).read_text())
    tokens = count_tokens(encoder, texts)
    print(f"{name:22} {m['seconds']:7.2f} s ({m['cpu_seconds']:.1f} of CPU) "
          f"{len(texts):6} chunks {tokens / len(texts):6.1f} "
          f"tokens each {len(texts) / m['seconds']:7.1f} chunks/s "
          f"{tokens / m['seconds']:8.0f} tokens/s {m['peak_mib']:6.0f} MiB at peak")
    return (len(texts) / m["seconds"], tokens / m["seconds"], tokens / m["cpu_seconds"],
            m["peak_mib"])


def report(encoder, work, *batches):
    ours = line("pith add", store_texts(f"{work}/store.db"),
                encoder, f"{work}/pith.json")
    cells = []
    for batch in batches:
        texts = json.loads(Path(f"{work}/chunks{batch}.json").read_text())
        peer = line(f"LangChain, batch {batch}", texts, encoder, f"{work}/peer{batch}.json")
        print(f"{'ratio':22} {ours[0] / peer[0]:.2f} in chunks/s, {ours[1] / peer[1]:.2f} in "
              f"tokens/s, {ours[2] / peer[2]:.2f} in tokens a CPU-second")
        cells.append((f"{peer[0]:.0f}, {peer[3]:.0f} MiB in batches of {batch}",
                      f"{ours[0] / peer[0]:.1f}"))
    peers, ratios = zip(*cells)
    print(f"= {ours[0]:.0f} chunks/s, {ours[3]:.0f} MiB | LangChain + onnxruntime int8 "
          f"{'; '.join(peers)} | {'; '.join(ratios)}")


if __name__ == "__main__":
    {"index": index, "report": report}[sys.argv[1]](*sys.argv[2:])
