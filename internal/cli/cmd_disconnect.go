package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/binding"
)

func newDisconnectCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "disconnect",
		Short: "Let the agents of this machine use its own store again",
		Long: `Forget the gateway of "bridge connect" and its access key. Agents started from now on
use the store of this machine; running ones keep using the gateway until their clients
start them again.

Nothing is copied: conversations, messages, tasks and files stay in the gateway's store,
and the command lists the conversations that agents of this machine have there. After
another connect they are available again, unless they have expired. The key stays valid
until it is revoked with "bridge access revoke" where the store is.`,
		Example: `  bridge disconnect
  bridge disconnect --json | jq -r '.not_carried_over[]'`,
		Args:        noArgs,
		Annotations: map[string]string{annotationLenient: "works with a wrong configuration"},
		RunE:        func(*cobra.Command, []string) error { return runDisconnect(a) },
	}
}

func runDisconnect(a *app) error {
	join, err := readConnection()
	var left []string
	if err == nil && join.Address != "" {
		left, err = binding.Beside(placeBehind(join)).Conversations(a.now())
	}
	if err != nil {
		a.note(fmt.Sprintf("cannot list the conversations at the gateway: %v", err))
	}
	removed := os.Remove(connectionFile())
	if errors.Is(removed, fs.ErrNotExist) {
		return usagef("this machine is not connected to a gateway")
	}
	if removed != nil {
		return removed
	}
	if a.json {
		return a.printJSON(struct {
			Gateway string   `json:"gateway"`
			Left    []string `json:"not_carried_over"`
		}{join.Address, append([]string{}, left...)})
	}
	text := "Disconnected: agents started from now on use the store of this machine."
	if len(left) > 0 {
		text += "\nNot copied, and still in the gateway's store: " + strings.Join(left, ", ") + "."
	} else {
		text += "\nNo agent of this machine has an open conversation at the gateway."
	}
	return a.printLine(text)
}
