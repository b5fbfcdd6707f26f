"""serve.py URL PROCESS-ID [ROUNDS] -- speed of a running service, from outside: time to the
first text and tokens a second with 1, 4 and 8 clients, /healthz while answers are written,
latency that HTTP adds, and the memory of 2,000 idle streams. Prints one JSON object a
figure."""
import asyncio, json, sys, time

from stream import rank, read_answer

host, port = sys.argv[1].split("//")[1].rstrip("/").split(":")
pid = sys.argv[2]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
TOKENS = 64
QUESTIONS = ["How much is a resident's parking permit for a year?",
             "When must snow be cleared from the pavement?",
             "How many kilometres of streets are cleared and gritted?",
             "What does a stall at the weekly market cost?"]


def request(method, path, body=None):     # 1.0: replies come without chunks
    text = json.dumps(body).encode() if body else b""
    head = (f"{method} {path} HTTP/1.0\r\nHost: {host}:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n")
    return head.encode() + text


async def fetch(data):
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    reply = await reader.read()
    writer.close()
    return reply


async def answer(n):
    """One streamed answer: seconds to the first text and to the end, tokens written."""
    body = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": TOKENS,
            "messages": [{"role": "user", "content": QUESTIONS[n % len(QUESTIONS)]}]}
    first, whole, usage = await read_answer(host, port,
                                            request("POST", "/v1/chat/completions", body))
    return first or whole, whole, usage.get("completion_tokens", 0)


async def beats(out, going):
    while going():
        begun = time.monotonic()
        await fetch(request("GET", "/healthz"))
        out.append(time.monotonic() - begun)
        await asyncio.sleep(0.02)


def tell(**figures):
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}))


def memory_mb():
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(next(l for l in f if l.startswith("Private_Dirty")).split()[1]) / 1024


async def clients(n, rounds):
    health, busy = [], True
    watch = asyncio.create_task(beats(health, lambda: busy))
    begun = time.monotonic()
    async def one(c):
        return [await answer(c + r) for r in range(rounds)]
    done = [x for part in await asyncio.gather(*(one(c) for c in range(n))) for x in part]
    wall = time.monotonic() - begun
    busy = False
    await watch
    first = [d[0] for d in done]
    tell(clients=n, answers=len(done), tokens_per_s=sum(d[2] for d in done) / wall,
         answers_per_s=len(done) / wall, first_p50_s=rank(first, .5), first_p99_s=rank(first, .99),
         healthz_p50_ms=1e3 * rank(health, .5), healthz_p99_ms=1e3 * rank(health, .99),
         healthz_n=len(health))


async def idle(n):
    before, streams = memory_mb(), []
    for _ in range(n):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request("GET", "/v1/events"))
        await reader.readuntil(b": pith")
        streams.append(writer)
    begun = time.monotonic()
    await fetch(request("GET", "/healthz"))
    tell(idle_streams=n, private_mb_more=memory_mb() - before,
         healthz_ms=1e3 * (time.monotonic() - begun))
    for writer in streams:
        writer.close()


async def overhead():
    """What HTTP adds to a search: its own time against that which pith reports."""
    added = []
    for i in range(60):
        begun = time.monotonic()
        reply = await fetch(request("POST", "/v1/search", {"query": QUESTIONS[i % 4]}))
        wall = 1e3 * (time.monotonic() - begun)
        added.append(wall - json.loads(reply.split(b"\r\n\r\n", 1)[1])["ms"])
    tell(search_added_ms_p50=rank(added, .5), search_added_ms_p99=rank(added, .99))


async def main():
    await answer(0)
    for n in (1, 4, 8):
        await clients(n, ROUNDS)
    await overhead()
    await idle(2000)

asyncio.run(main())
