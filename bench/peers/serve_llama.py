"""serve_llama.py URL CLIENTS PROCESS-ID -- CLIENTS at once, each with a question of its own of
about 1,200 tokens, answered in 64 tokens, after one that warms the server up. Prints one JSON
object: tokens a second of all, by the clock and by the server's processor time, which other
programs disturb less; and the time to the first text. The same bytes go to whatever server it
is: OpenAI's interface, documents left out."""
import asyncio, json, os, random, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stream import rank, read_answer

host, port = sys.argv[1].split("//")[1].rstrip("/").split(":")
CLIENTS, PROCESS, TOKENS, SENTENCES = int(sys.argv[2]), sys.argv[3], 64, 72


def question(seed):
    """No prompt shares more than its first words with another."""
    r = random.Random(seed)
    who = ["ferry", "harbour master", "library", "bakery", "school", "museum", "tram", "mill"]
    does = ["opens at", "closes at", "was built in", "counts", "pays for", "stands beside"]
    what = ["the old bridge", "nine o'clock", "the second week of May", "forty two windows",
            "the northern meadow", "a new roof of slate", "the bell in the tower"]
    text = " ".join(f"The {r.choice(who)} of quarter {r.randrange(9999)} {r.choice(does)} "
                    f"{r.choice(what)}." for _ in range(SENTENCES))
    return f"{text}\n\nRetell what was said above in your own words, as a long story."


def request(body):
    text = json.dumps(body).encode()
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nPith-Ground: no\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
            f"Connection: close\r\n\r\n").encode() + text


async def answer(seed):
    body = {"model": "any", "stream": True, "stream_options": {"include_usage": True},
            "max_tokens": TOKENS, "temperature": 0,
            "messages": [{"role": "user", "content": question(seed)}]}
    first, _, usage = await read_answer(host, port, request(body))
    return first, usage["completion_tokens"], usage["prompt_tokens"]


def processor_s():
    with open(f"/proc/{PROCESS}/stat", encoding="ascii") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


async def main():
    await answer(0)
    begun, used = time.monotonic(), processor_s()
    done = await asyncio.gather(*(answer(c + 1) for c in range(CLIENTS)))
    wall, used, first = time.monotonic() - begun, processor_s() - used, [a[0] for a in done]
    print(json.dumps({"clients": CLIENTS, "answers": len(done), "wall_s": round(wall, 2),
                      "prompt_tokens": round(sum(a[2] for a in done) / len(done)),
                      "tokens": sum(a[1] for a in done),
                      "tokens_per_s": round(sum(a[1] for a in done) / wall, 2),
                      "tokens_per_cpu_s": round(sum(a[1] for a in done) / used, 2),
                      "first_p50_s": round(rank(first, .5), 2),
                      "first_p99_s": round(rank(first, .99), 2)}))

asyncio.run(main())
