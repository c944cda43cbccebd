// The first TypeScript SDK (@modelcontextprotocol/sdk): a handshake, then calls.
// node legacy.mjs BRIDGE, with the SDK in a node_modules folder above this file.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { dialogue } from "./dialogue.mjs";

async function open(command, args, env) {
  const client = new Client({ name: "legacy", version: "1.0.0" });
  await client.connect(new StdioClientTransport({ command, args, env }));
  client.updatedNotification = ResourceUpdatedNotificationSchema;
  client.follow = async (uri) => {
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
  };
  return client;
}

await dialogue("TypeScript SDK, legacy", open, process.argv[2]);
