// Package clients_test drives the real, unmodified MCP clients, as published on
// npm, with scripted models (package stub). The tests need neither an API key
// nor a network.
//
// scripts/test-clients.sh installs the clients and runs the tests. Without its
// folder, which NODE22 names, all tests are skipped, so that they never use the
// clients and settings on a developer's machine.
//
//	main_test.go     the bridge under test
//	user_test.go     a user's machine: a home, a project, a store
//	client_test.go   the clients, and how each is driven without a terminal
//	seat_test.go     a client with its model
//	partner_test.go  an agent without a client, for tests that only need a partner
//	store_test.go    what the operator sees
//	*_test.go        the tests
package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// bridgeProgram is the bridge under test.
var bridgeProgram string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder := os.Getenv("NODE22")
	if folder == "" {
		return m.Run() // the tests report why they are skipped
	}
	bin := filepath.Join(folder, "node_modules", ".bin")
	if err := os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return failed(err)
	}
	dir, err := os.MkdirTemp("", "bridge-clients-")
	if err != nil {
		return failed(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is in the folder for temporary files
	bridgeProgram = filepath.Join(dir, "bridge")
	build := exec.Command("go", "build", "-o", bridgeProgram, "example.org/bridge/cmd/bridge")
	if out, err := build.CombinedOutput(); err != nil {
		return failed(fmt.Errorf("%w: %s", err, out))
	}
	return m.Run()
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
