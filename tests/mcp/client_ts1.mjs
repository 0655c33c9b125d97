// The handshake-only TypeScript client (`@modelcontextprotocol/sdk` 1.x) tells the story. Arguments: mm, the story, the
// daemon's lock file.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { Story } from "./story.mjs";

const [mm, path, lock] = process.argv.slice(2);
const client = new Client({ name: "ts1", version: "1" }, { capabilities: {} });
await client.connect(new StdioClientTransport({ command: mm, args: ["mcp"], env: process.env, stderr: "inherit" }));

const call = (tool, args, options) => client.callTool({ name: tool, arguments: args }, undefined, options);
const story = new Story({
  tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
  async call(tool, args, onprogress) {
    const result = await call(tool, args, onprogress ? { onprogress, resetTimeoutOnProgress: true } : {});
    return [result.isError ?? false, result.content.map((block) => block.text).join("\n")];
  },
  async cancelled(tool, args) {
    const stop = new AbortController();
    const ended = await call(tool, args, { signal: stop.signal, onprogress: () => stop.abort("enough") }).catch((error) => error);
    return ended instanceof Error || ended === "enough";
  },
  read: async (uri) => (await client.readResource({ uri })).contents[0].text,
}, path, lock);
await story.tell();
await client.close();
console.log(`${story.told} checks, handshake of ${client.getServerVersion().name}`);
