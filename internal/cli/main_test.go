package cli_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"example.org/bridge/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bridge": func() { os.Exit(cli.Main()) }})
}
