package cli_test

import (
	"context"
	"encoding/json"
	"flag"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
)

var olderProgram = flag.String("cli.older", "", "an older bridge, of an older schema, for TestUpgrade (scripts/test-upgrade.sh builds one)")

// TestUpgrade replaces the program of a store while agents run, and goes back again. It
// does so in both orders: older processes run when the newer one migrates, and are
// started after that. Nothing acknowledged may be lost, no older program may write to a
// newer store, and the backup that the older one made must allow going back.
func TestUpgrade(t *testing.T) {
	if *olderProgram == "" {
		t.Skip("MISSING: -cli.older, which make test-upgrade gives")
	}
	newer := install(t)
	u := &upgrade{newer: newer, older: newer.with(*olderProgram)}
	creator := u.older.mustConnect(t, bridge.Credentials{})
	created := creator.mustCall(t, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	if err := creator.Close(); err != nil { // a process that has the store open prevents a restore
		t.Fatal(err)
	}
	a, b := credentials(created)
	running := u.older.mustConnect(t, a)
	running.mustCall(t, "send_to_partner", map[string]any{"message": "one"})
	folder := u.backUp(t)

	u.migrates(t, running, a, b)
	u.startsLate(t, a)
	u.goesBack(t, folder, a, b)
}

type upgrade struct{ newer, older *installation }

// with returns the same installation with another program.
func (i *installation) with(program string) *installation {
	other := *i
	other.program = program
	return &other
}

// backUp makes a backup with the older program.
func (u *upgrade) backUp(t *testing.T) (folder string) {
	t.Helper()
	var made struct{ Folder string }
	if err := json.Unmarshal([]byte(u.older.run(t, "backup", filepath.Join(u.older.dir, "kept"), "--json")), &made); err != nil {
		t.Fatal(err)
	}
	return made.Folder
}

// migrates opens the store with the newer program while an older process has it open.
func (u *upgrade) migrates(t *testing.T, running *client, a, b bridge.Credentials) {
	t.Helper()
	reader := u.newer.mustConnect(t, b)
	if got := texts(reader.mustCall(t, "check_messages", map[string]any{})); got != "one" {
		t.Errorf("the newer program gives %q, want what the older one stored", got)
	}
	refused(t, running, "send_to_partner", map[string]any{"message": "lost"})
	refused(t, running, "check_messages", map[string]any{})
	out, _ := u.newer.command("doctor").CombinedOutput() // the exit code depends on this machine's clients
	if !strings.Contains(string(out), "a different bridge program") && runtime.GOOS == "linux" {
		t.Errorf("doctor does not name the older process:\n%s", out)
	}
	writer := u.newer.mustConnect(t, a)
	writer.mustCall(t, "send_to_partner", map[string]any{"message": "two"})
	if got := texts(reader.mustCall(t, "check_messages", map[string]any{"wait_seconds": 1})); got != "two" {
		t.Errorf("behind the migration came %q, want two", got)
	}
	if out := u.newer.run(t, "audit", "verify"); !strings.HasPrefix(out, "ok") {
		t.Error(out)
	}
	_ = running.Close()
	_, _ = reader.Close(), writer.Close()
}

// startsLate starts the older program on the migrated store.
func (u *upgrade) startsLate(t *testing.T, a bridge.Credentials) {
	t.Helper()
	late, err := u.older.connect(context.Background(), a)
	if err == nil {
		refused(t, late, "send_to_partner", map[string]any{"message": "lost"})
		_ = late.Close()
	}
	for _, args := range [][]string{{"list"}, {"audit", "verify"}, {"cleanup"}} {
		out, err := u.older.command(args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "newer") {
			t.Errorf("the older program on the newer store: %v: %v, %s", args, err, out)
		}
	}
	if out := u.newer.run(t, "show", a.Conversation); strings.Contains(out, "lost") || !strings.Contains(out, "two") {
		t.Errorf("the store holds\n%s", out)
	}
}

// goesBack restores the older program's backup with that program.
func (u *upgrade) goesBack(t *testing.T, folder string, a, b bridge.Credentials) {
	t.Helper()
	var done struct {
		Aside *string `json:"moved_to"`
	}
	out, err := u.older.command("restore", folder, "--replace", "--json").Output()
	if err == nil {
		err = json.Unmarshal(out, &done)
	}
	if err != nil || done.Aside == nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	if out := u.older.run(t, "audit", "verify"); !strings.HasPrefix(out, "ok") {
		t.Error(out)
	}
	u.older.mustConnect(t, a).mustCall(t, "send_to_partner", map[string]any{"message": "three"})
	if got := texts(u.older.mustConnect(t, b).mustCall(t, "check_messages", map[string]any{})); got != "one three" {
		t.Errorf("after the way back came %q, want one three", got)
	}
	if out := u.newer.run(t, "show", a.Conversation, "--db", filepath.Join(*done.Aside, "bridge.db")); !strings.Contains(out, "two") {
		t.Errorf("the store that was moved aside holds\n%s", out)
	}
}

// refused checks that an older process reports that the store belongs to a newer one.
func refused(t *testing.T, c *client, tool string, args map[string]any) {
	t.Helper()
	data, failed, err := c.call(context.Background(), tool, args)
	text, _ := json.Marshal(data)
	if err != nil || !failed || !strings.Contains(string(text), "newer") {
		t.Errorf("%s by an older process: %s, refused %t, %v; want store_newer", tool, text, failed, err)
	}
}

// texts returns the messages of an answer, in order.
func texts(data map[string]any) string {
	var all []string
	messages, _ := data["messages"].([]any)
	for _, m := range messages {
		m, _ := m.(map[string]any)
		text, _ := m["message"].(string)
		all = append(all, text)
	}
	return strings.Join(all, " ")
}
