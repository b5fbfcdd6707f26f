"""serve_mixed.py PITH [--minutes M] [--clients N] [--seed S] -- everything at once against one
service: questions, searches, uploads, clients that leave, that are slow or talk nonsense; in
the last third also kill -9 and a new start, again and again. With the test models, or those
that PITH_GENERATOR, PITH_EMBEDDER and PITH_RERANKER name.

Ends with status 1 where the service died by itself, answered 500, lost a document that it had
accepted, or held over 5 % more memory of its own than after the first third. Prints a summary."""
import argparse, asyncio, json, os, random, re, signal, subprocess, sys, tempfile, time

ask = argparse.ArgumentParser(description=__doc__.split("--")[0])
ask.add_argument("pith")
ask.add_argument("--minutes", type=float, default=30)
ask.add_argument("--clients", type=int, default=12)
ask.add_argument("--seed", type=int, default=1)
opt = ask.parse_args()
NAMES, WORDS = 8, "otter river mill bell harbour market snow lamp heron bridge".split()


class Service:
    """One process after another over one store."""
    def __init__(self, folder):
        self.folder, self.process, self.port, self.starts = folder, None, 0, 0
        self.dying = False
        self.env = {"PITH_GENERATOR": "fake:slow_ms=2", "PITH_EMBEDDER": "fake:",
                    "PITH_RERANKER": "fake:", **os.environ, "XDG_CONFIG_HOME": folder,
                    "PITH_STORE": folder + "/store.db"}

    async def start(self):
        with open(self.folder + "/log", "wb") as log:
            self.process = subprocess.Popen([opt.pith, "serve", "-q", "-p", "0", "--threads", "1"],
                                            env=self.env, stderr=log)
        self.starts += 1
        for _ in range(600):
            with open(self.folder + "/log", encoding="utf-8", errors="replace") as log:
                found = re.search(r'listening url="http://[^:]*:(\d+)', log.read())
            if found:
                self.port = int(found[1])
                if (await fetch(self, "GET", "/readyz"))[0] == 200:
                    return
            await asyncio.sleep(.1)
        sys.exit("the service did not come up: " + open(self.folder + "/log").read())

    def memory_mb(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as f:
            return int(next(l for l in f if l.startswith("Private_Dirty")).split()[1]) / 1024


def head(service, method, path, n, kind="application/json"):
    return (f"{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{service.port}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {n}\r\n\r\n").encode()


async def fetch(service, method, path, body=b"", kind="application/json"):
    """Status and body; status 0: the connection broke."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(head(service, method, path, len(body), kind) + body)
        reply = await asyncio.wait_for(reader.read(), 120)
        writer.close()
    except OSError:
        return 0, b""
    begin, _, rest = reply.partition(b"\r\n\r\n")
    return (int(begin.split()[1]) if begin.startswith(b"HTTP/") else 0), rest


def question(r):
    return json.dumps({"stream": r.random() < .7, "max_tokens": r.randrange(1, 40), "messages": [
        {"role": "user", "content": f"What of the {r.choice(WORDS)} and the {r.choice(WORDS)}?"}]
    }).encode()


class Client:
    """Does one thing after another. Owns NAMES documents, so it knows what they must hold."""
    def __init__(self, number, service, counts):
        self.r = random.Random(opt.seed * 1000 + number)
        self.n, self.service, self.counts = number, service, counts
        self.may_hold = {}      # name -> texts, one of which it must have; None: it is gone
        self.version = 0

    def note(self, what, status):
        self.counts[f"{what} {status}"] = self.counts.get(f"{what} {status}", 0) + 1

    async def answer(self):
        status, body = await fetch(self.service, "POST", "/v1/chat/completions", question(self.r))
        self.note("ask", status)
        whole = b"[DONE]" in body or b'"usage"' in body
        cut = self.service.dying or self.alive != self.service.starts   # by our own kill
        assert status != 200 or whole or cut, body

    async def find(self):
        path, body = self.r.choice([
            ("/v1/search", {"query": self.r.choice(WORDS), "k": self.r.randrange(1, 20)}),
            ("/v1/embeddings", {"input": WORDS[:self.r.randrange(1, 9)]}),
            ("/v1/rerank", {"query": "otter", "documents": WORDS}),
            ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                      "params": {"name": "search", "arguments": {"query": "bell"}}})])
        self.note(path, (await fetch(self.service, "POST", path, json.dumps(body).encode()))[0])

    async def look(self):
        path = self.r.choice(["/v1/documents", "/metrics", "/healthz", "/v1/jobs", "/v1/models",
                              "/", "/app.js", "/nothing", "/v1/documents/none"])
        self.note("look", (await fetch(self.service, "GET", path))[0])

    async def upload(self):
        name, self.version = f"c{self.n}/d{self.r.randrange(NAMES)}.md", self.version + 1
        text = (f"version c{self.n}v{self.version} of the {self.r.choice(WORDS)}. "
                * self.r.randrange(1, 60))
        if self.r.random() < .5:
            body, kind = json.dumps({"document": name, "text": text}).encode(), "application/json"
        else:
            body = ('--the-border\r\nContent-Disposition: form-data; name="file"; '
                    f'filename="{name}"\r\n\r\n{text}\r\n--the-border--\r\n').encode()
            kind = "multipart/form-data; boundary=the-border"
        status, _ = await fetch(self.service, "POST", "/v1/documents", body, kind)
        self.note("upload", status)
        mark = f"c{self.n}v{self.version} "
        if status == 202:
            self.may_hold[name] = {mark}
        elif status == 0:       # killed before or after it was accepted
            self.may_hold.setdefault(name, {None}).add(mark)

    async def leave(self):
        body = question(self.r)
        data = head(self.service, "POST", "/v1/chat/completions", len(body)) + body
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
            writer.write(data[:self.r.randrange(1, len(data) + 200)])
            await writer.drain()
            await asyncio.sleep(self.r.random() * .3)
            if self.r.random() < .5:
                writer.transport.abort()
            writer.close()
        except OSError:
            pass
        self.note("leave", "")

    async def dawdle(self):
        body, path = question(self.r), self.r.choice(["/v1/chat/completions", "/v1/events"])
        method = "GET" if path == "/v1/events" else "POST"
        data = head(self.service, method, path, len(body) if method == "POST" else 0) + body
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
            for i in range(0, len(data), 40):
                writer.write(data[i:i + 40])
                await asyncio.sleep(.05)
            for _ in range(20):
                if not await asyncio.wait_for(reader.read(16), 1):
                    break
                await asyncio.sleep(.02)
            writer.close()
        except (OSError, asyncio.TimeoutError):
            pass
        self.note("dawdle", "")

    async def nonsense(self):
        r = self.r
        whole = question(r)
        bad = r.choice([whole[:r.randrange(len(whole))], r.randbytes(r.randrange(1, 3000)),
                        b"[" * 100000, b'{"messages":' + b'{"a":' * 5000, b"null", b"[]", b"{}",
                        b'{"messages":[{"role":"user","content":"a\\u0000b"}]}',
                        b'{"messages":[{"role":"user","content":[{"type":"text"}]}]}',
                        b'{"messages":[{"role":"user","content":"x"}],"max_tokens":1e400}',
                        b'{"query":"\xff\xfe"}', b'{"input":["a",2]}', b'{"documents":[{}]}'])
        path = r.choice(["/v1/chat/completions", "/v1/search", "/v1/documents", "/mcp",
                         "/v1/embeddings", "/v1/rerank", "/v1/completions"])
        status, _ = await fetch(self.service, "POST", path, bad)
        self.note("nonsense", status)

    async def work(self, going):
        deeds = [self.answer] * 5 + [self.find] * 5 + [self.look] * 3 + [self.upload] * 4 + [
            self.leave] * 4 + [self.dawdle] + [self.nonsense] * 5
        while going():
            self.alive = self.service.starts
            await self.r.choice(deeds)()
            await asyncio.sleep(self.r.random() * .05)


async def memory(service, samples):
    values = []
    for _ in range(samples):
        values.append(service.memory_mb())
        await asyncio.sleep(.5)
    return sorted(values)[len(values) // 2]


async def lost_documents(service, clients):
    for _ in range(1200):       # all jobs are done
        if not any(n.endswith(".json") for n in os.listdir(service.folder + "/store.db.inbox")):
            break
        await asyncio.sleep(.1)
    lost = []
    for name, marks in (item for c in clients for item in c.may_hold.items()):
        shown = await fetch(service, "GET", "/v1/documents/" + name.replace("/", "%2F"))
        text = b""
        for mark in marks - {None}:
            body = json.dumps({"query": mark, "mode": "words", "k": 1000}).encode()
            found = json.loads((await fetch(service, "POST", "/v1/search", body))[1])
            text += b"".join(p["text"].encode() for p in found["results"] if p["document"] == name)
        held = any(mark and mark.encode() in text for mark in marks)
        if not held and not (None in marks and shown[0] == 404):
            lost.append(name)
    return lost


async def main():
    folder = tempfile.mkdtemp()
    service, counts, until = Service(folder), {}, time.monotonic() + opt.minutes * 60
    await service.start()
    clients = [Client(n, service, counts) for n in range(opt.clients)]
    tasks = [asyncio.create_task(c.work(lambda: time.monotonic() < until)) for c in clients]
    await asyncio.sleep(opt.minutes * 20)
    early = await memory(service, 20)
    await asyncio.sleep(opt.minutes * 20)
    late, kills, crash = await memory(service, 20), 0, service.process.poll()
    while time.monotonic() < until and crash is None:
        await asyncio.sleep(2 + 6 * random.random())
        crash = service.process.poll()
        if crash is None:
            service.dying = True
            service.process.kill()
            service.process.wait()
            kills += 1
            await service.start()
            service.dying = False
    await asyncio.gather(*tasks)
    lost = await lost_documents(service, clients) if crash is None else []
    service.process.send_signal(signal.SIGTERM)
    stopped = service.process.wait(60)
    wrong = {k: v for k, v in counts.items() if k.endswith(" 500")}
    print(json.dumps({"minutes": opt.minutes, "requests": sum(counts.values()), "kills": kills,
                      "crash": crash, "exit_status": stopped, "answered_500": wrong,
                      "private_mb": [round(early, 1), round(late, 1)], "documents": sum(
                          len(c.may_hold) for c in clients), "lost": lost}))
    print(json.dumps(dict(sorted(counts.items()))))
    sys.exit(bool(crash is not None or stopped or wrong or lost or late > 1.05 * early))

asyncio.run(main())
