package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// server is the database server for all tests of the package, or nil if none is installed.
var server *postgrestest.Server

func TestMain(m *testing.M) {
	if os.Getenv(isCrowd) != "" {
		os.Exit(crowdMain())
	}
	os.Exit(postgrestest.Main(m, &server, "fsync=off", "full_page_writes=off"))
}

// placeOnServer starts a gateway on a store in a database, with its own connection.
func placeOnServer(t testing.TB, dsn string, key auth.Key, changes ...func(*gateway.Options)) *place {
	t.Helper()
	store := must(postgres.Open(context.Background(), dsn, postgres.Options{Key: key, Create: true}))(t)
	bells := store.Bells()
	t.Cleanup(func() {
		if err := errors.Join(bells.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	core := bridge.New(bridge.Config{Store: store, Key: key, Doorbells: bells})
	served := bridgetest.Served{
		Service: core, Tasks: tasks.New(core, store), Claims: claims.New(core, store),
		Files: files.New(core, store), Steps: steps.New(core, store),
	}
	served.Resources = resources.New(core, served.Tasks, served.Claims, served.Files, served.Steps)
	return serve(t, served, access.New(core, store, key), key, changes...)
}

// TestTwoGateways sends messages through two gateways on one database; readers receive them
// through the gateway that the writer does not use. It checks that sequence numbers have no
// gaps, that each message arrives in order, and again only if marked as redelivered, that a
// revoked key is refused on both gateways, that no log contains a key, and that the audit
// log is intact.
func TestTwoGateways(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	const writers, messages = 8, 12
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	gateways := [2]*place{placeOnServer(t, dsn, key), placeOnServer(t, dsn, key)}
	secrets := [2]string{gateways[0].key(t, "writers", access.Agent), gateways[1].key(t, "readers", access.Agent)}
	var clients [2][2]*mcp.ClientSession // by gateway and key
	for g := range gateways {
		for k := range secrets {
			clients[g][k] = gateways[g].agent(t, secrets[k])
		}
	}
	var all sync.WaitGroup
	for n := range writers {
		here, there := clients[n%2][0], clients[1-n%2][1]
		created := tool(t, here, "create_conversation", map[string]any{"my_role": "writer", "partner_role": "reader"})
		as := func(session string, more map[string]any) map[string]any {
			arguments := map[string]any{"conversation_id": created["conversation_id"], "session_id": session, "token": created["session_"+session+"_token"]}
			for name, value := range more {
				arguments[name] = value
			}
			return arguments
		}
		all.Go(func() {
			for i := range messages {
				if _, err := try(here, "send_to_partner", as("a", map[string]any{"message": fmt.Sprint(i)})); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for next := 0; next < messages; {
				data, err := try(there, "check_messages", as("b", map[string]any{"wait_seconds": 30}))
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := data["messages"].([]any)
				for _, m := range got {
					message, _ := m.(map[string]any)
					if seq, _ := message["seq"].(float64); seq <= float64(next) && message["redelivered"] == true {
						continue // the machine was so busy that the answer arrived after its claim expired
					}
					if message["message"] != fmt.Sprint(next) || message["seq"] != float64(next+1) || message["redelivered"] != false {
						t.Errorf("got %v with number %v, redelivered %v, want %d", message["message"], message["seq"], message["redelivered"], next)
						return
					}
					next++
				}
			}
		})
	}
	all.Wait()
	if _, _, err := gateways[0].keys.Revoke(t.Context(), "readers"); err != nil {
		t.Fatal(err)
	}
	for n, g := range gateways {
		for deadline := time.Now().Add(40 * time.Second); ; {
			status, _, _ := g.raw(t, secrets[1], "POST", "/mcp", rpc("tools/list", map[string]any{}), legacy)
			if status == 401 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("gateway %d answers a revoked key with %d", n, status)
			}
		}
		for _, secret := range secrets {
			if strings.Contains(g.log.String(), secret[20:]) {
				t.Errorf("a key is in the log of gateway %d", n)
			}
		}
	}
	if _, err := gateways[1].served.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}

// try calls a tool and, unlike tool, can be used from any goroutine.
func try(s *mcp.ClientSession, name string, arguments map[string]any) (map[string]any, error) {
	result, err := s.CallTool(context.Background(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		return nil, err
	}
	data, _ := result.StructuredContent.(map[string]any)
	if result.IsError {
		return nil, fmt.Errorf("%s: %v", name, data)
	}
	return data, nil
}
