"""The parts of a LangChain program that both comparisons use.

Embeddings run the int8 ONNX file in onnxruntime with fastembed's settings: batches of
256, padded to the longest text, at most 512 tokens, all graph optimisations, CLS pooling,
unit length. fastembed itself fetches its models from a site; this needs the file alone."""
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from langchain_core.embeddings import Embeddings
from tokenizers import Tokenizer

QUERY_PREFIX = "Represent this sentence for searching relevant passages: "


class OnnxEmbeddings(Embeddings):
    def __init__(self, folder, batch=256):
        options = ort.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = ort.InferenceSession(
            str(Path(folder) / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name for i in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        self.tokenizer.enable_truncation(512)
        self.tokenizer.enable_padding()
        self.batch = batch

    def _embed(self, texts):
        encoded = self.tokenizer.encode_batch(texts)
        feed = {
            "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64),
            "token_type_ids": np.array([e.type_ids for e in encoded], dtype=np.int64),
        }
        out = self.session.run(None, {k: v for k, v in feed.items() if k in self.inputs})[0]
        v = out[:, 0] if out.ndim == 3 else out
        return (v / np.linalg.norm(v, axis=1, keepdims=True)).tolist()

    def embed_documents(self, texts):
        out = []
        for at in range(0, len(texts), self.batch):
            out += self._embed(texts[at:at + self.batch])
        return out

    def embed_query(self, text):
        return self._embed([QUERY_PREFIX + text])[0]


def load(folders):
    """What the page says, by BSHTMLLoader's and TextLoader's ways."""
    from langchain_community.document_loaders import BSHTMLLoader, TextLoader
    html = {"open_encoding": "utf-8", "bs_kwargs": {"features": "html.parser"}}
    for path in sorted(p for f in folders for p in Path(f).rglob("*") if p.is_file()):
        if path.suffix in (".html", ".htm"):
            yield from BSHTMLLoader(str(path), **html).load()
        elif path.suffix in (".md", ".txt"):
            yield from TextLoader(str(path), encoding="utf-8").load()


def split(documents):
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    splitter = RecursiveCharacterTextSplitter(chunk_size=800, chunk_overlap=0)
    return splitter.split_documents(documents)


def count_tokens(folder, texts):
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    return sum(len(e.ids) for e in tokenizer.encode_batch(texts))
