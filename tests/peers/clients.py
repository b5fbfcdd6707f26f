"""clients.py URL -- the official clients against a running service: OpenAI's, LangChain's
and MCP's. Each is used as its own documentation shows, with no change but the address.
The store holds examples/docs/alderbrook. Prints one line a check."""
import asyncio, sys

url = sys.argv[1]
QUESTION = "How many kilometres of streets do the Town Works clear and grit?"


def done(what):
    print("ok:", what)


def openai_client():
    import openai
    client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
    messages = [{"role": "user", "content": QUESTION}]
    reply = client.chat.completions.create(model="pith", messages=messages)
    assert "[1]" in reply.choices[0].message.content, reply
    assert reply.usage.total_tokens > 0 and reply.citations[0]["document"]
    done("openai chat: " + reply.choices[0].message.content[:70])
    stream = client.chat.completions.create(model="pith", messages=messages, stream=True,
                                            stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == reply.choices[0].message.content and chunks[-1].usage.total_tokens
    done(f"openai stream: {len(chunks)} chunks")
    vectors = client.embeddings.create(model="pith", input=["a pavement", "a roof"])
    assert len(vectors.data) == 2 and len(vectors.data[0].embedding) > 8
    done(f"openai embeddings: {len(vectors.data[0].embedding)} dimensions, base64")
    reply = client.completions.create(model="pith", prompt="Snow falls. What falls?")
    assert reply.choices[0].text
    done("openai completions")
    assert [m.id for m in client.models.list()]
    done("openai models")
    try:
        client.chat.completions.create(model="pith", messages=[])
        raise AssertionError("no messages were taken")
    except openai.BadRequestError as why:
        assert why.param == "messages", why
    done("openai errors")
    talk = messages + [{"role": "assistant", "content": "214 kilometres."},
                       {"role": "user", "content": "How many classes of streets are there?"}]
    assert client.chat.completions.create(model="pith", messages=talk).choices
    done("openai history")


def langchain_client():
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings
    chat = ChatOpenAI(base_url=url + "/v1", api_key="none", model="pith", max_retries=0)
    assert "[1]" in chat.invoke(QUESTION).content
    assert "".join(c.content for c in chat.stream(QUESTION))
    done("langchain chat and stream")
    # Without it LangChain sends numbers of OpenAI's own tokens instead of text.
    embed = OpenAIEmbeddings(base_url=url + "/v1", api_key="none", model="pith",
                             check_embedding_ctx_length=False)
    assert len(embed.embed_documents(["a", "b"])) == 2 and embed.embed_query("a")
    done("langchain embeddings")


async def mcp_check(transport, mode):
    from mcp.client import Client
    async with Client(transport, mode=mode) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {"search", "ask", "add", "list"}, tools
        added = await client.call_tool("add", {"document": "mcp.txt",
                                               "text": "The narwhal winters in the fjord."})
        assert not added.is_error, added
        found = await client.call_tool("search", {"query": "narwhal fjord", "k": 1})
        assert found.structured_content["results"][0]["document"] == "mcp.txt", found
        answer = await client.call_tool("ask", {"question": QUESTION})
        assert "[1]" in answer.content[0].text, answer
        assert (await client.call_tool("ask", {})).is_error
        if mode == "legacy":
            await client.send_ping()
        return client.protocol_version


async def mcp_client(command):
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client
    import os
    server = StdioServerParameters(command=command, args=["mcp"], env=dict(os.environ))
    for mode, revision in (("legacy", "2025-11-25"), ("auto", "2026-07-28")):
        assert await mcp_check(url + "/mcp", mode) == revision
        done("mcp over HTTP, " + revision)
        assert await mcp_check(stdio_client(server), mode) == revision
        done("mcp over stdio, " + revision)


openai_client()
langchain_client()
asyncio.run(mcp_client(sys.argv[2]))
