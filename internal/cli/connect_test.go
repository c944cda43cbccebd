package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// machine simulates another machine, with its own home folder: it has the program, but
// nothing of the store.
func (i *installation) machine(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	other := &installation{program: i.program, dir: dir, env: []string{
		"HOME=" + dir, "GORACE=" + os.Getenv("GORACE"),
	}}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return other
}

// joins connects a machine to a gateway.
func (i *installation) joins(t *testing.T, g *runningGateway, name string) {
	t.Helper()
	address, _ := g.address.Load().(string)
	join, err := g.place.command("access", "add", name, "--gateway", address).Output()
	if err != nil {
		t.Fatal(err)
	}
	connect := i.command("connect")
	connect.Stdin = strings.NewReader(string(join))
	if out, err := connect.CombinedOutput(); err != nil {
		t.Fatalf("connect: %v\n%s", err, out)
	}
}

// away matches errors after which a call can be repeated.
var away = map[any]bool{"gateway_away": true, "outcome_unknown": true}

// insist calls a tool like an agent that follows the advice of errors.
func (c *client) insist(ctx context.Context, tool string, args map[string]any) (map[string]any, error) {
	for {
		data, failed, err := c.call(ctx, tool, args)
		switch {
		case err != nil || !failed:
			return data, err
		case !away[data["error"]]:
			return data, fmt.Errorf("%w: %v", errRefusedCall, data)
		}
	}
}

// TestKilledGatewayBehindProxies checks agents of two machines that only connect, while
// the gateway is killed repeatedly: no acknowledged message is lost, none is delivered
// twice without a mark, the order is kept, and the audit log is intact.
func TestKilledGatewayBehindProxies(t *testing.T) {
	t.Parallel()
	const kills, pairs = 4, 2
	store := install(t)
	g := store.gateway(t)
	g.listen, _ = g.address.Load().(string)
	one, two := store.machine(t), store.machine(t)
	one.joins(t, g, "one")
	two.joins(t, g, "two")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var work sync.WaitGroup
	var stopped, acknowledged atomic.Int64
	for n := range pairs {
		writer, reader := one.mustConnect(t, bridge.Credentials{}), two.mustConnect(t, bridge.Credentials{})
		created := writer.mustCall(t, "create_conversation", map[string]any{"my_role": "writer", "partner_role": "reader"})
		reader.mustCall(t, "join_conversation", map[string]any{"join_code": created["join_code"]})
		sent := make(chan int64, 1)
		work.Go(func() {
			var last int64
			for stopped.Load() < kills {
				if _, err := writer.insist(ctx, "send_to_partner", map[string]any{"message": fmt.Sprint(last + 1)}); err != nil {
					t.Errorf("send: %v", err)
					break
				}
				last++
				acknowledged.Add(1)
			}
			sent <- last
		})
		work.Go(func() { readAll(ctx, t, reader, n, sent) })
	}
	for n := range int64(kills) {
		until := acknowledged.Load() + 40
		bridgetest.Eventually(t, "40 more messages", func() bool { return acknowledged.Load() >= until || t.Failed() })
		g.kill()
		g.start(t)
		stopped.Store(n + 1)
	}
	work.Wait()
	if ctx.Err() != nil {
		t.Fatal("it took too long")
	}
	t.Logf("%d messages acknowledged, %d kills", acknowledged.Load(), kills)
	g.kill()
	store.run(t, "audit", "verify")
	for _, m := range []*installation{one, two} {
		if found, err := fs.Glob(os.DirFS(m.dir), ".local/state/bridge/*.key"); err != nil || len(found) > 0 {
			t.Errorf("a machine that only connects has a key: %v %v", found, err)
		}
	}
}

// insistent calls a tool until it gets an answer.
type insistent interface {
	insist(ctx context.Context, tool string, arguments map[string]any) (map[string]any, error)
}

// readAll reads numbered messages until it has all that were sent.
func readAll(ctx context.Context, t *testing.T, reader insistent, pair int, sent <-chan int64) {
	t.Helper()
	read, total := int64(0), int64(-1)
	for total < 0 || read < total {
		select {
		case total = <-sent:
		default:
		}
		got, err := reader.insist(ctx, "check_messages", map[string]any{"wait_seconds": 1})
		if err != nil {
			t.Errorf("check: %v", err)
			return
		}
		messages, _ := got["messages"].([]any)
		for _, m := range messages {
			message, _ := m.(map[string]any)
			var number int64
			_, _ = fmt.Sscan(fmt.Sprint(message["message"]), &number)
			switch {
			case number == read+1:
				read++
			case number <= read && message["redelivered"] == true:
			default:
				t.Errorf("pair %d: message %d behind %d, redelivered %v", pair, number, read, message["redelivered"])
				return
			}
		}
	}
}

// TestSealedJoin checks that a machine can use a join string that is encrypted for it,
// for example from a repository, and then the next one that replaces it.
func TestSealedJoin(t *testing.T) {
	t.Parallel()
	store := install(t)
	g := store.gateway(t)
	laptop := store.machine(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keyFile, sealed := filepath.Join(laptop.dir, "age.txt"), filepath.Join(laptop.dir, "laptop.age")
	if err := os.WriteFile(keyFile, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address, _ := g.address.Load().(string)
	distribute := func(name string) {
		out, err := store.command("access", "add", name, "--gateway", address, "--seal-to", identity.Recipient().String()).Output()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "brk_") || strings.Contains(string(out), address) {
			t.Error("a join string is readable")
		}
		if err := os.WriteFile(sealed, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	watching := laptop.command("connect", "--from", sealed, "--identity", keyFile, "--watch")
	distribute("first")
	for _, args := range [][]string{{"--from", sealed}, {"--from", sealed, "--identity", sealed}} {
		if out, err := laptop.command(append([]string{"connect"}, args...)...).CombinedOutput(); err == nil || strings.Contains(string(out), "brk_") {
			t.Errorf("connect %v: %v", args[len(args)-1], err)
		}
	}
	if err := watching.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watching.Process.Kill(); _ = watching.Wait() })
	connection := filepath.Join(laptop.dir, ".local", "state", "bridge", "gateway")
	var before []byte
	for _, name := range []string{"", "second"} {
		if name != "" {
			distribute(name)
		}
		bridgetest.Eventually(t, "the machine is connected again", func() bool {
			now, err := os.ReadFile(connection)
			taken := err == nil && string(now) != string(before)
			if taken {
				before = now
			}
			return taken
		})
	}
	if _, failed, err := laptop.mustConnect(t, bridge.Credentials{}).call(t.Context(), "create_conversation", map[string]any{"my_role": "x", "partner_role": "y"}); failed || err != nil {
		t.Errorf("the connection does not work: %v", errors.Join(err))
	}
}

// TestThreeMachines runs the commands of docs/machines.md, each on its machine.
func TestThreeMachines(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "machines.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Three machines in ten minutes\n")
	blocks := strings.Split(section, "\n```\n")
	if len(blocks) < 6 {
		t.Fatalf("found %d pieces of the section", len(blocks))
	}
	home, away := install(t).machine(t), install(t).machine(t)
	first, serve, ok := strings.Cut(blocks[1], "\n")
	if !ok || serve != "bridge gateway --listen 0.0.0.0:8443" {
		t.Fatalf("the first block is %q", blocks[1])
	}
	shell(t, home, first)
	g := &runningGateway{place: home}
	g.start(t)
	t.Cleanup(g.kill)
	address, _ := g.address.Load().(string)
	shell(t, home, strings.ReplaceAll(blocks[3], "bridge.example:8443", address))
	for _, name := range []string{"laptop.join", "desktop.join"} {
		if err := os.Rename(filepath.Join(home.dir, name), filepath.Join(away.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	out := shell(t, away, blocks[5])
	for _, want := range []string{"Connected to " + address, "answers and accepts the key of this machine"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	created := away.mustConnect(t, bridge.Credentials{}).mustCall(t, "create_conversation", map[string]any{"my_role": "x", "partner_role": "y"})
	id, _ := created["conversation_id"].(string)
	if list := home.run(t, "list"); !strings.Contains(list, id) {
		t.Errorf("the conversation is not where the store is:\n%s", list)
	}
}

// shell runs commands one after the other in a machine's home folder. Doctor may report
// warnings.
func shell(t *testing.T, on *installation, commands string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(commands, "bridge doctor", "bridge doctor || [ $? = 7 ]"))
	c.Dir, c.Env = on.dir, append([]string{"PATH=" + os.Getenv("PATH")}, on.env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}
