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

// role is what another user of this machine may do in this store (bridge access serve). A
// role has the commands of those before it.
type role string

const (
	roleViewer   role = "viewer"
	roleOperator role = "operator"
	roleAdmin    role = "admin"
)

// localRoles are all roles, in the order in which they may do more.
var localRoles = []role{roleViewer, roleOperator, roleAdmin}

// roleVariable tells a command for which role it runs. `bridge access serve` sets it, so that
// nobody else can; it is not set for the owner of the store.
const roleVariable = "BRIDGE_ROLE"

// mayHand reports whether a command may print what lets an agent in: tokens, keys and join
// codes are for admins.
func (a *app) mayHand() bool {
	r := role(a.env(roleVariable))
	return r == "" || r == roleAdmin
}

// mostArguments is how many bytes of a command's arguments the audit log keeps.
const mostArguments = 1024

// recorded are the arguments of a command as the audit log has them: on one line, without
// secrets, and no more than fit.
func (o offering) recorded(args []string) string {
	line, _ := o.engine.Redact(strings.Join(args, " "))
	line = cleantext.CleanLine(line)
	if len(line) <= mostArguments {
		return line
	}
	return strings.ToValidUTF8(line[:mostArguments], "") + " (cut)"
}

// offers are the commands that other users may run, and the first role that has each. What
// is not here nobody has: what asks a person at a terminal (say, yolo), needs files of the
// operator's, or makes, moves and removes stores.
var offers = map[string]role{
	"list": roleViewer, "show": roleViewer, "audit": roleViewer, "audit verify": roleViewer, "stats": roleViewer,
	"search": roleViewer, "tasks": roleViewer, "steps": roleViewer, "limits": roleViewer, "retention": roleViewer,
	"claims list": roleViewer, "files list": roleViewer, "files show": roleViewer, "files history": roleViewer, "files diff": roleViewer,
	"pause": roleOperator, "resume": roleOperator, "extend": roleOperator, "claims release": roleOperator,
	"limits set": roleAdmin, "retention set": roleAdmin, "cleanup": roleAdmin, "tokens": roleAdmin,
	"access add": roleAdmin, "access list": roleAdmin, "access revoke": roleAdmin,
}

// storeless are commands that use no store: they run here, also where BRIDGE_DB names a
// socket for those that do.
var storeless = map[string]bool{"version": true, "completion": true, "help": true, "redact": true, "yolo explain": true}

// offered reports, as rolesocket.ErrRefused, a command that a role does not have, and one that
// names a file: it would be the operator's. It reads the arguments as bridge itself does;
// what it lets pass is run as it stands.
func offered(r role, args []string) (name string, err error) {
	root := newRootCmd(newApp(os.Stdin, os.Stdout, os.Stderr))
	cmd, rest, err := root.Find(args)
	if err != nil {
		return "", fmt.Errorf("%w: there is no such command", rolesocket.ErrRefused)
	}
	name = commandName(cmd)
	first, ok := offers[name]
	if !ok {
		return "", fmt.Errorf("%w: `bridge %s` is for whoever owns the store", rolesocket.ErrRefused, name)
	}
	if slices.Index(localRoles, r) < slices.Index(localRoles, first) {
		return "", fmt.Errorf("%w: `bridge %s` is for the role %s, and this socket is for the role %s", rolesocket.ErrRefused, name, first, r)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return "", fmt.Errorf("%w: %w", rolesocket.ErrRefused, flagError(cmd, err))
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == kindPath {
			err = fmt.Errorf("%w: --%s names a file, which would be one of the store's owner", rolesocket.ErrRefused, f.Name)
		}
	})
	return name, err
}

// commandName is what follows "bridge".
func commandName(cmd *cobra.Command) string {
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	return name
}
