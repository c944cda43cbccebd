package faultytest

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// request is a message from the client.
type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type object = map[string]any

type server struct {
	faults map[string]bool
	folder string
	work   time.Duration // duration of each call

	mu       sync.Mutex
	counters map[string]int
	calls    int
}

const (
	newest       = "2026-07-28"
	newestLegacy = "2025-11-25"
	metaRevision = "io.modelcontextprotocol/protocolVersion"
)

var legacy = []string{"2024-11-05", "2025-03-26", "2025-06-18", newestLegacy}

// answer returns the answer to a request, before a fault changes it.
func (s *server) answer(r request) object {
	var p struct {
		Meta      object `json:"_meta"`
		Revision  string `json:"protocolVersion"`
		URI       string `json:"uri"`
		Name      string `json:"name"`
		Arguments object `json:"arguments"`
	}
	_ = json.Unmarshal(r.Params, &p)
	modern := p.Meta[metaRevision] == newest
	switch {
	case r.Method == "server/discover" && s.faults["legacy-only"], modern && s.faults["legacy-only"]:
		return failure(r, -32601, "there is no such method")
	case r.Method == "initialize" && s.faults["modern-only"]:
		return failure(r, -32022, "this revision is not supported")
	}
	switch r.Method {
	case "initialize":
		return success(r, s.initialize(p.Revision))
	case "server/discover":
		return success(r, s.discover())
	case "ping":
		return success(r, object{})
	case "tools/list":
		return success(r, s.list())
	case "tools/call":
		return s.call(r, p.Name, p.Arguments)
	case "prompts/list":
		return success(r, s.prompts())
	case "prompts/get":
		return s.prompt(r, p.Name, p.Arguments)
	case "resources/list":
		return success(r, object{"resources": []object{}})
	case "resources/templates/list":
		return success(r, s.templates())
	case "resources/read":
		return s.read(r, p.URI)
	}
	return failure(r, -32601, "there is no such method")
}

func (s *server) initialize(asked string) object {
	if !slices.Contains(legacy, asked) {
		asked = newestLegacy
	}
	result := object{
		"protocolVersion": asked, "capabilities": offers(),
		"serverInfo": object{"name": "faulty", "version": "1"}, "instructions": "A server for tests.",
	}
	if s.faults["unknown-revision"] {
		result["protocolVersion"] = "1999-12-31"
	}
	if s.faults["no-revision"] {
		delete(result, "protocolVersion")
	}
	return result
}

func (s *server) discover() object {
	result := object{
		"resultType": "complete", "supportedVersions": []string{newest}, "capabilities": offers(),
		"instructions": "A server for tests.", "ttlMs": 0, "cacheScope": "private",
	}
	if s.faults["unknown-revision"] {
		result["supportedVersions"] = []string{"1999-12-31"}
	}
	if s.faults["no-revision"] {
		delete(result, "supportedVersions")
	}
	return result
}

func offers() object { return object{"tools": object{}, "prompts": object{}, "resources": object{}} }

func success(r request, result object) object {
	result["resultType"] = "complete"
	return object{"jsonrpc": "2.0", "id": r.ID, "result": result}
}

func failure(r request, code int, text string) object {
	return object{"jsonrpc": "2.0", "id": r.ID, "error": object{"code": code, "message": text}}
}
