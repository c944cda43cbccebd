"""A server of notes that needs nothing but Python 3.9: JSON-RPC by hand, over stdio.

It offers a tool that searches, a resource template that reads, and a prompt. See suite.yaml
beside it for how `bridge harness` tests it.
"""
import json
import sys
from pathlib import Path
from urllib.parse import unquote

NOTES = Path(__file__).resolve().parent / "notes"
REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25")
PREFIX = "note:///"

SEARCH = {
    "name": "search_notes",
    "description": "Find notes that hold a word.",
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
    "inputSchema": {
        "type": "object",
        "properties": {"word": {"type": "string", "minLength": 1, "maxLength": 100}},
        "required": ["word"],
        "additionalProperties": False,
    },
    "outputSchema": {
        "type": "object",
        "properties": {"notes": {"type": "array", "items": {"type": "string"}}},
        "required": ["notes"],
    },
}
SUMMARIZE = {
    "name": "summarize",
    "description": "Ask for a summary of a note.",
    "arguments": [{"name": "note", "description": "its name", "required": True}],
}


class Refused(Exception):
    """A request that is answered with a JSON-RPC error."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def read_note(name):
    """Return the text of a note. Only names of the folder are taken, never paths."""
    for path in NOTES.iterdir():
        if path.name == name and path.is_file():
            return path.read_text(encoding="utf-8")
    raise Refused(-32002, "there is no such note")


def search(arguments):
    word = arguments.get("word")
    if not isinstance(word, str) or not 1 <= len(word) <= 100 or len(arguments) != 1:
        return {"content": [{"type": "text", "text": "word must be a text of 1 to 100 characters"}], "isError": True}
    found = sorted(p.name for p in NOTES.iterdir() if word.lower() in p.read_text(encoding="utf-8").lower())
    result = {"notes": found}
    return {"content": [{"type": "text", "text": json.dumps(result)}], "structuredContent": result}


def call_tool(params):
    if params.get("name") != SEARCH["name"]:
        raise Refused(-32602, "there is no such tool")
    return search(params.get("arguments") or {})


def read_resource(params):
    uri = params.get("uri")
    if not isinstance(uri, str) or not uri.startswith(PREFIX):
        raise Refused(-32002, "there is no such resource")
    return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": read_note(unquote(uri[len(PREFIX):]))}]}


def get_prompt(params):
    note = (params.get("arguments") or {}).get("note")
    if params.get("name") != SUMMARIZE["name"] or not isinstance(note, str):
        raise Refused(-32602, "there is no such prompt, or its note is missing")
    text = "Summarize this note:\n\n" + read_note(note)
    return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}


def initialize(params):
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in REVISIONS else REVISIONS[-1],
        "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
        "serverInfo": {"name": "notes", "version": "1.0.0"},
    }


METHODS = {
    "initialize": initialize,
    "ping": lambda params: {},
    "tools/list": lambda params: {"tools": [SEARCH]},
    "tools/call": call_tool,
    "resources/list": lambda params: {"resources": []},
    "resources/templates/list": lambda params: {"resourceTemplates": [{"uriTemplate": PREFIX + "{name}", "name": "note"}]},
    "resources/read": read_resource,
    "prompts/list": lambda params: {"prompts": [SUMMARIZE]},
    "prompts/get": get_prompt,
}


def answer(request):
    try:
        method = METHODS.get(request["method"])
        if method is None:
            raise Refused(-32601, "there is no such method")
        return {"result": method(request.get("params") or {})}
    except Refused as refused:
        return {"error": {"code": refused.code, "message": str(refused)}}


def main():
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "id" in request and "method" in request:
            reply = {"jsonrpc": "2.0", "id": request["id"], **answer(request)}
            sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
