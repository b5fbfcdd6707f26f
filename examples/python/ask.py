#!/usr/bin/env python3
"""Indexes a folder and answers one question: ask.py FOLDER QUESTION

No binding is needed: results cross the border as JSON."""
import ctypes, json, sys

class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 512)]

pith = ctypes.CDLL("libpith.so.0")
pith.pith_answer_json.restype = ctypes.c_void_p
handle, answer, why = ctypes.c_void_p(), ctypes.c_void_p(), Error()

def check(code):
    if code:
        sys.exit(why.message.decode())

folder, question = (arg.encode() for arg in sys.argv[1:3])
check(pith.pith_open(None, ctypes.byref(handle), ctypes.byref(why)))
paths = (ctypes.c_char_p * 1)(folder)
check(pith.pith_add(handle, paths, ctypes.c_size_t(1), None, None, ctypes.byref(why)))
check(pith.pith_ask(handle, question, None, ctypes.byref(answer), ctypes.byref(why)))

text = ctypes.c_void_p(pith.pith_answer_json(answer))
result = json.loads(ctypes.string_at(text))
print(result["answer"])
for c in result["citations"]:
    print(f'[{c["n"]}] {c["document"]}, bytes {c["start"]} to {c["end"]}: {c["text"]}')
pith.pith_string_free(text)
pith.pith_answer_free(answer)
pith.pith_close(handle)
