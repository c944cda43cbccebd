// The dialogue of two agents and a browsing client with the bridge, using one
// of the TypeScript SDKs. The SDKs check every answer against the protocol's
// schema.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

const TOOLS = [
  "assign_task",
  "check_messages",
  "check_partner_status",
  "create_conversation",
  "enable_yolo_mode",
  "execute_command",
  "extend_conversation",
  "get_history",
  "invite_to_conversation",
  "join_conversation",
  "list_conversations",
  "list_tasks",
  "send_to_partner",
  "update_my_status",
  "update_task",
];

// dialogue runs it. open(command, args, env) returns a connected client.
export async function dialogue(name, open, bridge) {
  const work = mkdtempSync(join(tmpdir(), "bridge-sdk-"));
  const env = {
    PATH: process.env.PATH,
    HOME: work,
    BRIDGE_DB: join(work, "state", "bridge.db"),
    YOLO_MODE: "1",
  };
  const clients = [];
  const start = async () => {
    const client = await open(bridge, ["serve"], env);
    clients.push(client);
    return client;
  };
  try {
    await talk(await start(), await start());
    console.log(`ok: ${name}: ${TOOLS.length} tools`);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    rmSync(work, { recursive: true, force: true });
  }
}

async function talk(backend, frontend) {
  await listed(backend);

  const created = await call(backend, "create_conversation", {
    my_role: "backend developer",
    partner_role: "frontend developer",
    team: "api",
  });
  const joined = await call(frontend, "join_conversation", { join_code: created.join_code });
  assert.equal(joined.conversation_id, created.conversation_id);
  assert.equal(joined.session_id, "b");
  assert.equal(joined.token, created.session_b_token);

  const question = "Which fields do you need? \u{1F4EC}";
  const sent = await call(backend, "send_to_partner", {
    message: question,
    action_type: "question",
    files_involved: ["api/users.go"],
    idempotency_key: "one",
  });
  const again = await call(backend, "send_to_partner", { message: question, idempotency_key: "one" });
  assert.equal(again.message_id, sent.message_id, "a repeated key makes no second message");

  const waited = await call(frontend, "check_messages", { wait_seconds: 50 });
  assert.deepEqual(waited.messages.map((m) => [m.message, m.trust, m.files_involved]), [[question, "untrusted", ["api/users.go"]]]);
  assert.equal((await call(frontend, "check_messages", {})).messages.length, 0);

  await call(frontend, "update_my_status", { status: "working" });
  const partner = await call(backend, "check_partner_status", {});
  assert.equal(partner.status, "working");
  assert.equal(partner.alive, true);

  const task = await call(backend, "assign_task", { title: "List the fields", body: "As JSON." });
  await call(frontend, "update_task", { task_id: task.task_id, state: "done", note: "id and name" });
  const tasks = await call(backend, "list_tasks", { ended: true });
  assert.deepEqual(tasks.tasks.map((t) => t.state), ["done"]);

  await resources(backend, frontend, created.conversation_id);

  assert.ok((await call(backend, "get_history", { limit: 1 })).has_more);

  // There is no grant: both must refuse, and say whom to ask.
  assert.match(await refused(backend, "enable_yolo_mode", { mode: "safe" }), /yolo enable/);
  assert.match(await refused(backend, "execute_command", { command: "ls", dry_run: true }), /yolo enable/);
  assert.match(await refused(backend, "send_to_partner", { message: "" }), /message/);
}

// resources reads what both share, and waits for a notification that the other process
// has changed it.
async function resources(reader, writer, conversation) {
  const templates = (await reader.listResourceTemplates()).resourceTemplates.map((t) => t.uriTemplate);
  assert.equal(templates.length, 6);
  const { resources: own } = await reader.listResources();
  for (const { uri } of own) {
    assert.equal((await reader.readResource({ uri })).contents[0].uri, uri);
  }
  const uri = `agents://${conversation}/b/status`;
  assert.ok(own.some((r) => r.uri === uri), `${uri} is not listed`);
  for (const foreign of ["collaboration://conv_0123456789abcdef", `workspace://${conversation}/%2e%2e/x`, "file:///etc/passwd"]) {
    await assert.rejects(reader.readResource({ uri: foreign }), /resource|uri/);
  }
  const updated = new Promise((resolve) => reader.setNotificationHandler(reader.updatedNotification, ({ params }) => resolve(params.uri)));
  const end = await reader.follow(uri);
  await call(writer, "update_my_status", { status: "blocked" });
  assert.equal(await updated, uri);
  assert.equal(JSON.parse((await reader.readResource({ uri })).contents[0].text).status, "blocked");
  await end();
}

async function listed(client) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), TOOLS);
  if (client.getServerCapabilities()?.prompts) {
    const { prompts } = await client.listPrompts();
    for (const prompt of prompts) {
      const given = Object.fromEntries((prompt.arguments ?? []).map((a) => [a.name, "R8T52-GN3ZK"]));
      const { messages } = await client.getPrompt({ name: prompt.name, arguments: given });
      assert.ok(messages.length > 0, `${prompt.name} says nothing`);
    }
  }
}

async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
  assert.ok(result.content[0].text.length > 0, `${name}: no text`);
  return result.structuredContent;
}

async function refused(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(result.isError, `${name} was not refused: ${JSON.stringify(result.content)}`);
  return result.content[0].text;
}
