"""The Python client of both eras (`mcp` 2.x) tells the story. Arguments: mm, the story, the daemon's lock file, the mode
(`legacy`, `auto` or a revision)."""

import os
import sys

import anyio
from mcp.client.client import Client as Connection
from mcp.client.stdio import StdioServerParameters
from story import Story


class Client:
    def __init__(self, connection):
        self.connection = connection

    async def tools(self):
        return [tool.name for tool in (await self.connection.list_tools()).tools]

    async def call(self, tool, arguments, progress=None):
        async def told(number, _total, message):
            await progress(number, message)

        result = await self.connection.call_tool(tool, arguments, progress_callback=told if progress else None)
        return result.is_error, "\n".join(block.text for block in result.content)

    async def cancelled(self, tool, arguments):
        with anyio.CancelScope() as scope:

            async def told(_number, _message):
                scope.cancel()

            await self.call(tool, arguments, told)
        return scope.cancelled_caught

    async def read(self, uri):
        return (await self.connection.read_resource(uri)).contents[0].text


async def main(mm, path, lock, mode):
    server = StdioServerParameters(command=mm, args=["mcp"], env=dict(os.environ))
    async with Connection(server, mode=mode) as connection:
        story = Story(Client(connection), path, lock)
        await story.tell()
        print(f"{story.told} checks, protocol {connection.protocol_version}")


anyio.run(main, *sys.argv[1:5])
