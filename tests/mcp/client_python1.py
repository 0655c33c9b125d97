"""The handshake-only Python client (`mcp` 1.x) tells the story. Arguments: mm, the story, the daemon's lock file."""

import os
import re
import sys

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from story import Story


class Client:
    def __init__(self, session):
        self.session = session

    async def tools(self):
        return [tool.name for tool in (await self.session.list_tools()).tools]

    async def call(self, tool, arguments, progress=None):
        async def told(number, _total, message):
            await progress(number, message)

        result = await self.session.call_tool(tool, arguments, progress_callback=told if progress else None)
        return result.isError, "\n".join(block.text for block in result.content)

    async def cancelled(self, tool, arguments):
        """This library never tells the server of a call that was given up, so the person behind it has to use `stop`."""
        with anyio.CancelScope() as scope:

            async def told(_number, _message):
                scope.cancel()

            await self.call(tool, arguments, told)
        _, status = await self.call("status", {})
        _, stopped = await self.call("stop", {"run_id": re.search(r"Its run: (r[a-z0-9]{9})", status).group(1)})
        return scope.cancelled_caught and "was stopped" in stopped

    async def read(self, uri):
        return (await self.session.read_resource(uri)).contents[0].text


async def main(mm, path, lock):
    server = StdioServerParameters(command=mm, args=["mcp"], env=dict(os.environ))
    async with stdio_client(server) as pipes, ClientSession(*pipes) as session:
        started = await session.initialize()
        story = Story(Client(session), path, lock)
        await story.tell()
        print(f"{story.told} checks, protocol {started.protocolVersion}")


anyio.run(main, *sys.argv[1:4])
