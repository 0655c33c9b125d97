// The TypeScript client of both eras (`@modelcontextprotocol/client` 2.x) tells the story. Arguments: mm, the story, the
// daemon's lock file, the mode of its negotiation.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Story } from "./story.mjs";

const [mm, path, lock, mode] = process.argv.slice(2);
const client = new Client({ name: "ts2", version: "1" }, { capabilities: {}, versionNegotiation: { mode } });
await client.connect(new StdioClientTransport({ command: mm, args: ["mcp"], env: process.env, stderr: "inherit" }));

const call = (tool, args, options) => client.callTool({ name: tool, arguments: args }, options);
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
const protocol = client.getNegotiatedProtocolVersion();
await client.close();
console.log(`${story.told} checks, protocol ${protocol}`);
