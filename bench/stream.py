"""stream.py -- an answer that a server of OpenAI's dialect streams, and ranks of figures."""
import asyncio, json, time


async def read_answer(host, port, request):
    """Sends the bytes of a request; seconds to the first text (None: there was none), seconds
    to the end, and what the server reports as usage."""
    reader, writer = await asyncio.open_connection(host, int(port))
    begun, first, usage = time.monotonic(), None, {}
    writer.write(request)
    while line := await reader.readline():
        if not line.startswith(b"data: {"):
            continue
        chunk = json.loads(line[6:])
        assert "error" not in chunk, chunk
        if first is None and chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
            first = time.monotonic() - begun
        usage = chunk.get("usage") or usage
    writer.close()
    return first, time.monotonic() - begun, usage


def rank(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
