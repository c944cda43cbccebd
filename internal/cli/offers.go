package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/rolesocket"
)

// role determines what another user of this machine may do in this store (bridge access
// serve). A role also has the commands of the roles before it.
type role string

const (
	roleViewer   role = "viewer"
	roleOperator role = "operator"
	roleAdmin    role = "admin"
)

// localRoles are all roles, in the order of increasing rights.
var localRoles = []role{roleViewer, roleOperator, roleAdmin}

// roleVariable tells a command for which role it runs. `bridge access serve` sets it in
// the command's environment, where other users cannot change it; it is not set for the
// owner of the store.
const roleVariable = "BRIDGE_ROLE"

// mayPrintSecrets reports whether a command may print what gives access to agents: tokens, keys
// and join codes are for admins only.
func (a *app) mayPrintSecrets() bool {
	r := role(a.env(roleVariable))
	return r == "" || r == roleAdmin
}

// maxArguments is the maximum size in bytes of a command's arguments in the audit log.
const maxArguments = 1024

// recorded returns a command's arguments for the audit log: on one line, redacted, and
// cut to maxArguments.
func (o offering) recorded(args []string) string {
	line, _ := o.engine.Redact(strings.Join(args, " "))
	line = cleantext.CleanLine(line)
	if len(line) <= maxArguments {
		return line
	}
	return strings.ToValidUTF8(line[:maxArguments], "") + " (cut)"
}

// offers are the commands that other users may run, with the lowest role for each.
// Commands that are not listed are for the owner only: those that ask a person at a
// terminal (say, yolo), need files of the operator, or make, move and remove stores.
var offers = map[string]role{
	"list": roleViewer, "show": roleViewer, "audit": roleViewer, "audit verify": roleViewer, "stats": roleViewer,
	"search": roleViewer, "tasks": roleViewer, "steps": roleViewer, "limits": roleViewer, "retention": roleViewer,
	"claims list": roleViewer, "files list": roleViewer, "files show": roleViewer, "files history": roleViewer, "files diff": roleViewer,
	"pause": roleOperator, "resume": roleOperator, "extend": roleOperator, "claims release": roleOperator,
	"limits set": roleAdmin, "retention set": roleAdmin, "cleanup": roleAdmin, "tokens": roleAdmin,
	"access add": roleAdmin, "access list": roleAdmin, "access revoke": roleAdmin,
}

// storeless are commands that use no store. They run locally even if BRIDGE_DB names a
// socket.
var storeless = map[string]bool{"version": true, "completion": true, "help": true, "redact": true, "yolo explain": true}

// offered returns the name of a command. It returns rolesocket.ErrRefused for a command
// that the role does not have, or one with a flag that names a file, because that would
// be the operator's file. It parses the arguments as bridge does, and accepted
// arguments are run unchanged.
func offered(r role, args []string) (name string, err error) {
	root := newRootCmd(newApp(os.Stdin, os.Stdout, os.Stderr))
	cmd, rest, err := root.Find(args)
	if err != nil {
		return "", fmt.Errorf("%w: there is no such command", rolesocket.ErrRefused)
	}
	name = commandName(cmd)
	first, ok := offers[name]
	if !ok {
		return "", fmt.Errorf("%w: `bridge %s` is only for the owner of the store", rolesocket.ErrRefused, name)
	}
	if slices.Index(localRoles, r) < slices.Index(localRoles, first) {
		return "", fmt.Errorf("%w: `bridge %s` is for the role %s, and this socket is for the role %s", rolesocket.ErrRefused, name, first, r)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return "", fmt.Errorf("%w: %w", rolesocket.ErrRefused, flagError(cmd, err))
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == kindPath {
			err = fmt.Errorf("%w: --%s names a file, which would be a file of the store's owner", rolesocket.ErrRefused, f.Name)
		}
	})
	return name, err
}

// commandName returns the part of the command path after "bridge".
func commandName(cmd *cobra.Command) string {
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	return name
}
