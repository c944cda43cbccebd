package gateway_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/mcpserver"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestSecretsOverMCP checks that the gateway redacts what clients send to /mcp directly,
// since they do not redact themselves. It searches for the secrets that an agent wrote in
// all files of the database server, which logs every statement with its parameters, in the
// logs of both gateways, and in everything that a partner receives through the other
// gateway: answers, resources and stream events.
func TestSecretsOverMCP(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	own, err := postgrestest.Start("fsync=off", "log_statement=all", "log_min_duration_statement=0", "log_parameter_max_length=-1",
		"log_parameter_max_length_on_error=-1", "log_error_verbosity=verbose")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	})
	key, dsn := bridgetest.NewEnv(t).Key, own.Schema()
	here, there := placeOnServer(t, dsn, key, allTools), placeOnServer(t, dsn, key, allTools)
	ada, bob := here.key(t, "ada", access.Agent), here.key(t, "bob", access.Agent)
	canary, control := "AKIA"+rand.Text()[:16], "control-"+strings.ToLower(rand.Text())
	writer, reader := here.agent(t, ada), there.agent(t, bob)
	made := tool(t, writer, "create_conversation", map[string]any{"my_role": "writer " + canary, "partner_role": "reader"})
	joined := tool(t, reader, "join_conversation", map[string]any{"join_code": made["join_code"]})
	as := func(more map[string]any) map[string]any {
		more["conversation_id"], more["session_id"], more["token"] = made["conversation_id"], "a", made["session_a_token"]
		return more
	}
	id, _ := made["conversation_id"].(string)
	uri := "collaboration://" + id
	events := there.listen(t, bob, 1, uri)
	if message, _ := events.next(); message["method"] != "notifications/subscriptions/acknowledged" {
		t.Fatalf("acknowledged: %v", message)
	}
	tool(t, writer, "send_to_partner", as(map[string]any{"message": control + " and " + canary, "files": []string{"dir/" + canary}}))
	tool(t, writer, "file_write", as(map[string]any{"path": "notes.txt", "text": control + "\nkey " + canary + "\n"}))
	tool(t, writer, "log_step", as(map[string]any{"text": "deployed with " + canary}))
	tool(t, writer, "claim_file", as(map[string]any{"paths": []string{"a/" + canary}, "reason": canary}))
	if _, err := try(writer, "update_my_status", as(map[string]any{"status": canary})); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("an invalid status: %v", err)
	}
	var got bytes.Buffer // everything the partner received
	encoder := json.NewEncoder(&got)
	for _, message := range []any{
		first(events.next()), joined, tool(t, reader, "check_messages", map[string]any{}),
		tool(t, reader, "file_read", map[string]any{"path": "notes.txt"}), tool(t, reader, "check_partner_status", map[string]any{}),
	} {
		if err := encoder.Encode(message); err != nil {
			t.Fatal(err)
		}
	}
	_, _, read := there.raw(t, bob, "POST", "/mcp", rpc("resources/read", map[string]any{"uri": uri}), legacy)
	got.WriteString(read)
	files := filesBelow(t, own)
	files["what the partner got"], files["a gateway's log"], files["the other gateway's log"] = got.Bytes(), []byte(here.log.String()), []byte(there.log.String())
	token, _ := made["session_a_token"].(string)
	code, _ := made["join_code"].(string)
	for name, secret := range map[string]string{"a secret in a text": canary, "a token": token, "a join code": code, "an access key": ada[17:], "another": bob[17:]} {
		for where, content := range files {
			if secret == "" || bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s is in %s", name, where)
			}
		}
	}
	seen := map[string]bool{}
	for where, content := range files {
		if bytes.Contains(content, []byte(control)) {
			seen[strings.Split(where, "/")[0]] = true
		}
	}
	for _, where := range []string{"what the partner got", "pg_wal", "base", "log"} {
		if !seen[where] {
			t.Errorf("the text next to the secrets is not found in %s, so the search does not work; it is in %v", where, seen)
		}
	}
}

// allTools offers every group of tools.
func allTools(o *gateway.Options) {
	b, _ := o.Bridge.(mcpserver.Bridge)
	o.Endpoint = func(access.Key) gateway.Endpoint {
		e := mcpserver.NewEndpoint(b, mcpserver.Options{Tools: mcpserver.Groups()})
		return gateway.Endpoint{MCP: e.MCP, Expect: e.Expect, Settled: e.Settled, Forget: e.Forget, Drain: e.Drain, Close: e.Close}
	}
}

func first[T any](v T, _ bool) T { return v }

// filesBelow stops a server and returns all files in its folder by path, and its log.
func filesBelow(t *testing.T, s *postgrestest.Server) map[string][]byte {
	t.Helper()
	c := must(pgx.Connect(t.Context(), s.DSN()))(t)
	_, err := c.Exec(t.Context(), "CHECKPOINT") // writes the tables to disk
	if err := errors.Join(err, c.Close(t.Context()), s.Kill()); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(s.Log())
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"log": log}
	err = filepath.WalkDir(s.Data(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(s.Data(), path)
		files[name] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
