// The second TypeScript SDK (@modelcontextprotocol/client): once pinned to the
// protocol revision without a handshake, and once negotiating the revision.
// node modern.mjs BRIDGE, with the SDK in a node_modules folder above this file.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { dialogue } from "./dialogue.mjs";

const REVISION = "2026-07-28";

for (const mode of [{ pin: REVISION }, "auto"]) {
  const open = async (command, args, env) => {
    const client = new Client({ name: "modern", version: "1.0.0" }, { versionNegotiation: { mode } });
    await client.connect(new StdioClientTransport({ command, args, env }));
    assert.equal(client.getNegotiatedProtocolVersion(), REVISION);
    client.updatedNotification = "notifications/resources/updated";
    client.follow = async (uri) => {
      const subscription = await client.listen({ resourceSubscriptions: [uri] });
      return () => subscription.close();
    };
    return client;
  };
  await dialogue(`TypeScript SDK, ${mode.pin ?? mode}`, open, process.argv[2]);
}
