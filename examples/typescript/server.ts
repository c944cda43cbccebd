// A server that converts units, with the official SDK, over stdio. It runs as it is with
// Node 22.18 or newer, which leaves types out: node server.ts. See suite.yaml beside it
// for how `bridge harness` tests it.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const metres: Record<string, number> = { m: 1, km: 1000, mi: 1609.344, ft: 0.3048 };
const unit = z.enum(["m", "km", "mi", "ft"]);

const server = new McpServer({ name: "units", version: "1.0.0" });

server.registerTool(
	"convert_length",
	{
		description: "Convert a length from one unit to another.",
		inputSchema: { value: z.number(), from: unit, to: unit },
		outputSchema: { value: z.number(), unit },
		annotations: { readOnlyHint: true, openWorldHint: false },
	},
	async ({ value, from, to }) => {
		const result = { value: (value * metres[from]) / metres[to], unit: to };
		if (!Number.isFinite(result.value)) {
			return { content: [{ type: "text", text: "the result is too large" }], isError: true };
		}
		return { content: [{ type: "text", text: JSON.stringify(result) }], structuredContent: result };
	},
);

server.registerPrompt(
	"explain_unit",
	{ description: "Ask what a unit is.", argsSchema: { unit: z.string() } },
	({ unit }) => ({ messages: [{ role: "user", content: { type: "text", text: `What is the unit ${unit}?` } }] }),
);

await server.connect(new StdioServerTransport());
