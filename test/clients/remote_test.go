package clients_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// host is a machine with a store and a gateway for other machines.
type host struct {
	*user
	address string
	trust   string // a file with the certificate of the gateway's authority
}

// host starts a host on the loopback interface, with its own home folder.
func (u *user) host() *host {
	u.Helper()
	root := clientFolder(u.T)
	h := &host{user: &user{T: u.T, home: root, project: root}}
	h.env = []string{"HOME=" + root, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	h.run(bridgeProgram, "serve")
	h.trust = filepath.Join(root, "authority.pem")
	if err := os.WriteFile(h.trust, []byte(h.run(bridgeProgram, "access", "authority")), 0o600); err != nil {
		u.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	gateway := h.command(ctx, bridgeProgram, "gateway", "--listen", "127.0.0.1:0", "--log-format", "text")
	log, err := gateway.StderrPipe()
	if err != nil {
		u.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		u.Fatal(err)
	}
	u.Cleanup(func() {
		end()
		_, _ = io.Copy(io.Discard, log)
		_ = gateway.Wait() // it was killed
	})
	lines := bufio.NewScanner(log)
	for h.address == "" && lines.Scan() {
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			h.address = found[1]
		}
	}
	if h.address == "" {
		u.Fatal("the gateway does not listen")
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	return h
}

var (
	listens = regexp.MustCompile(`the gateway listens.* address=(\S+)`)
	key     = regexp.MustCompile(`(?m)^brk_\S+$`)
)

// key creates an access key.
func (h *host) key(name string) string {
	h.Helper()
	out := h.run(bridgeProgram, "access", "add", name)
	found := key.FindString(out)
	if found == "" {
		h.Fatalf("access add does not give a key:\n%s", out)
	}
	return found
}

// direct configures a client to connect to a gateway's /mcp, as described in
// docs/machines.md.
func (u *user) direct(c client, h *host, key string) {
	u.Helper()
	url := "https://" + h.address + "/mcp"
	u.env = append(u.env, "BRIDGE_KEY="+key, "NODE_EXTRA_CA_CERTS="+h.trust)
	switch c.program {
	case claude.program:
		u.want(u.run("claude", "mcp", "add", "--transport", "http", stub.Server, url, "--header", "Authorization: Bearer ${BRIDGE_KEY}"), "Added")
	case codex.program:
		u.env = append(u.env, "SSL_CERT_FILE="+h.trust)
		u.write(".codex/config.toml", c.settings[".codex/config.toml"]+fmt.Sprintf("\n[mcp_servers.%s]\nurl = %q\nbearer_token_env_var = \"BRIDGE_KEY\"\n", stub.Server, url))
	case gemini.program:
		own := strings.TrimSpace(c.settings[".gemini/settings.json"])
		u.write(".gemini/settings.json", strings.TrimSuffix(own, "}")+fmt.Sprintf(`, "mcpServers": {%q: {"httpUrl": %q, "headers": {"Authorization": "Bearer $BRIDGE_KEY"}}}}`, stub.Server, url))
	default:
		u.Fatalf("no entry for %s", c.title)
	}
}

// TestOverHTTPS checks that each client that can connect to a gateway itself, with only
// an access key, works with an agent on the gateway's machine.
func TestOverHTTPS(t *testing.T) {
	for _, c := range clients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			h := u.host()
			u.direct(c, h, h.key(c.program))
			testRemote(u, h, c)
		})
	}
}

// TestThroughConnect checks that each client works the same on a machine connected to a
// gateway as on the machine of the store.
func TestThroughConnect(t *testing.T) {
	for _, c := range clients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			h := u.host()
			join := regexp.MustCompile(`brg1:\S+`).FindString(h.run(bridgeProgram, "access", "add", c.program, "--gateway", h.address))
			connect := u.command(t.Context(), bridgeProgram, "connect")
			connect.Stdin = strings.NewReader(join + "\n")
			if out, err := connect.CombinedOutput(); err != nil {
				t.Fatalf("connect: %v\n%s", err, out)
			}
			u.install(c)
			testRemote(u, h, c)
		})
	}
}

func testRemote(u *user, h *host, c client) {
	u.Helper()
	partner := h.partner()
	codes := make(chan string, 1)
	seat := u.seat(c, func(a *stub.Agent) {
		created := a.Call("create_conversation", stub.Args{"my_role": "frontend developer", "partner_role": "backend developer"})
		codes <- created.Text("join_code")
		a.Call("send_to_partner", stub.Args{"message": question, "action_type": "question"})
		wantMessages(u.T, wait(a), reply)
		wantMessages(u.T, a.Call("get_history", nil), question, reply)
		a.Say("Agreed.")
	})
	running := seat.begin("Create a bridge conversation and agree on GET /users with the backend developer.")
	partner.call("join_conversation", stub.Args{"join_code": hear(running, codes)})
	wantMessages(u.T, partner.call("check_messages", stub.Args{"wait_seconds": 50}), question)
	partner.call("send_to_partner", stub.Args{"message": reply})
	u.want(running.end().out, "Agreed.")
	seen := h.onlyConversation()
	if diff := cmp.Diff([]string{"a: " + question, "b: " + reply}, seen.texts()); diff != "" || seen.Conversation.Unread != 0 {
		u.Errorf("the store has %d unread messages, and:\n%s", seen.Conversation.Unread, diff)
	}
	if _, err := os.Stat(filepath.Join(u.home, ".local/state/bridge/bridge.db")); err == nil {
		u.Error("the client's machine has a store of its own")
	}
}
