package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/redact"
	"example.org/bridge/internal/rolesocket"
	"example.org/bridge/internal/view"
)

type accessServeOptions struct {
	folder                     string
	viewers, operators, admins string
}

func newAccessServeCmd(a *app) *cobra.Command {
	var o accessServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Let other users of this machine read or manage this store",
		Long: `Serve other users of this machine until you press Ctrl-C, through one Unix socket per
role: viewer.sock, operator.sock and admin.sock in the folder. Only the members of a
role's group, and you, may use its socket. They run

  bridge --db unix:/var/lib/bridge-roles/alice/viewer.sock list

and this process runs the command for them: they need neither the store nor its key. A
user who is removed from the group cannot start further commands.

A viewer can use list, show, audit, audit verify, stats, search, tasks, steps, claims
list, files list, show, history and diff, limits and retention. An operator can also use
pause, resume, extend and claims release. An admin can also use limits set, retention
set, cleanup, tokens, and access add, list and revoke: with tokens and keys an admin can
act as any agent. Only for an admin does extend print a join code. Commands that ask a
person at a terminal (say, and approving commands) do not work through a socket, and
flags that name a file are refused. Each command is in the audit log, with the role, the
user who ran it, and its arguments without secrets. A running command, such as show
--follow, continues when its user is removed from the group.

The folder must exist. Others must be able to enter it, but not to change it; a private
home folder does not work.`,
		Example: `  sudo install -d -o "$USER" -m 0755 "/var/lib/bridge-roles/$USER"
  bridge access serve --folder "/var/lib/bridge-roles/$USER" --viewers bridge-viewers
  bridge access serve --folder /srv/bridge --viewers staff --admins wheel
  bridge --db unix:/var/lib/bridge-roles/alice/viewer.sock show 3f2a --follow`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAccessServe(cmd.Context(), a, o) },
	}
	flags := cmd.Flags()
	textFlag(flags, &o.folder, kindPath, "folder", "the folder for the sockets")
	textFlag(flags, &o.viewers, kindText, "viewers", "the group, by name or number, whose members are viewers")
	textFlag(flags, &o.operators, kindText, "operators", "the group whose members are operators")
	textFlag(flags, &o.admins, kindText, "admins", "the group whose members are admins")
	return cmd
}

// groups returns the offered roles and the IDs of their groups.
func (o accessServeOptions) groups() (map[role]int, error) {
	found := map[role]int{}
	for r, name := range map[role]string{roleViewer: o.viewers, roleOperator: o.operators, roleAdmin: o.admins} {
		if name == "" {
			continue
		}
		number := name
		if group, err := user.LookupGroup(name); err == nil {
			number = group.Gid
		}
		id, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return nil, usagef("--%ss: there is no group %s in /etc/group: create it, or give the number of a group from a directory service (getent group)", r, echo(name))
		}
		found[r] = int(id)
	}
	if len(found) == 0 {
		return nil, usagef("nobody could use a role: name a group with --viewers, --operators or --admins")
	}
	return found, nil
}

func runAccessServe(ctx context.Context, a *app, o accessServeOptions) (err error) {
	if err := a.needsStore(); err != nil {
		return err
	}
	if o.folder == "" {
		return usagef("name the folder for the sockets with --folder, such as /var/lib/bridge-roles/alice")
	}
	folder, err := filepath.Abs(o.folder)
	if err != nil {
		return err
	}
	groups, err := o.groups()
	if err != nil {
		return err
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return usagef("--folder: there is no folder %s: make one that is yours and that others can enter, such as with `sudo install -d -o \"$USER\" -m 0755 FOLDER`", echo(o.folder))
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	ctx, stop := daemon(ctx)
	defer stop()
	_, store, err := a.openStore(ctx, path, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	db := path
	if a.onServer() {
		db = a.db
	}
	return a.ended(ctx, a.serveRoles(ctx, store, db, folder, groups))
}

// serveRoles serves all sockets of a store, whose name in BRIDGE_DB is db, until ctx
// ends or one of them fails.
func (a *app) serveRoles(ctx context.Context, store openedStore, db, folder string, groups map[role]int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	ended := make(chan error)
	begun := 0
	for _, r := range localRoles {
		group, ok := groups[r]
		if !ok {
			continue
		}
		o := offering{a: a, store: store, role: r, program: self, engine: engine, db: db}
		s := &rolesocket.Socket{Allow: o.allow, Run: o.run, Log: a.log().With("role", string(r))}
		if listening := s.Listen(filepath.Join(folder, string(r)+".sock"), group); listening != nil {
			err = listening
			break
		}
		begun++
		go func() { ended <- s.Serve(ctx) }()
	}
	if err == nil {
		if a.announce("%s in %s", bridge.JoinWords(names(groups)), folder); !a.attended() {
			a.log().Info("serving other users", "roles", strings.Join(names(groups), " "), "folder", folder)
		}
	} else {
		cancel()
	}
	for range begun {
		err = errors.Join(err, <-ended)
		cancel() // stop all: users would not expect only some of them to work
	}
	return err
}

func names(groups map[role]int) (all []string) {
	for _, r := range localRoles {
		if _, ok := groups[r]; ok {
			all = append(all, string(r)+".sock")
		}
	}
	return all
}

// offering runs commands for one role.
type offering struct {
	a       *app
	store   openedStore
	role    role
	program string
	engine  *redact.Engine
	db      string // the store's name in BRIDGE_DB
}

func (o offering) allow(args []string) error {
	_, err := offered(o.role, args)
	return err
}

// run records a command and then runs it in a process of its own, on this store.
func (o offering) run(ctx context.Context, who rolesocket.Peer, args []string, stdout, stderr io.Writer) int {
	name, err := offered(o.role, args)
	if err == nil {
		err = o.store.RecordOperation(ctx, bridge.Operation{
			Now: o.store.now(), Actor: bridge.Operator, Action: "role_command",
			Details: bridge.Details{"role": string(o.role), "user": who.UID, "command": name, "arguments": o.recorded(args)},
		})
	}
	if err != nil { // a command that cannot be recorded is not run
		code, text := explain(err)
		_, _ = fmt.Fprintln(stderr, "bridge: "+text)
		return code
	}
	command := rolesocket.Command{Program: o.program, Name: "bridge", Environ: o.environment()}
	code, err := command.Run(ctx, args, stdout, stderr)
	if err != nil {
		o.a.log().Warn("a command could not be run", "command", name, "error", view.Line(err))
	}
	return code
}

// environment returns this process's environment with the store, the configuration and
// the role added. It is always the store that is served, even if this machine has since
// been connected to another.
func (o offering) environment() []string {
	own := []string{"BRIDGE_DB", "BRIDGE_CONFIG", "PAGER", roleVariable}
	env := slices.DeleteFunc(o.a.environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(own, name)
	})
	env = append(env, "BRIDGE_DB="+o.db, roleVariable+"="+string(o.role))
	if o.a.file.found {
		env = append(env, "BRIDGE_CONFIG="+o.a.file.path)
	}
	return env
}

// socketPrefix is the prefix of a store's name if another user of this machine serves
// it.
const socketPrefix = "unix:"

// throughSocket makes a command run where the store is, if the store is named by a
// socket.
func (a *app) throughSocket(cmd *cobra.Command) error {
	path, ok := strings.CutPrefix(a.db, socketPrefix)
	if !ok || storeless[commandName(cmd)] {
		return nil
	}
	if _, offered := offers[commandName(cmd)]; !offered {
		return usagef("`%s` does not work through a socket: `bridge access serve --help` lists the commands that do", cmd.CommandPath())
	}
	if !filepath.IsAbs(path) {
		return usagef("--db: name the socket by its full path, such as unix:/var/lib/bridge-roles/alice/viewer.sock")
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.ask(cmd.Context(), path) }
	// The command's output is never a terminal there, but here it may be one.
	raw := cmd.Flags().Lookup(rawFlag)
	return a.checkRaw(raw != nil && raw.Value.String() == "true")
}

// sent returns the arguments without those that only concern this user: the store, the
// configuration, and the log.
func sent(typed []string) (args []string) {
	for i := 0; i < len(typed); i++ {
		name, _, whole := strings.Cut(typed[i], "=")
		switch name {
		case "--":
			return append(args, typed[i:]...)
		case "--db", "--config", "--log-level", "--log-format":
			if !whole {
				i++ // skip its value
			}
		default:
			args = append(args, typed[i])
		}
	}
	return args
}

// ask sends the command to the process that serves the socket.
func (a *app) ask(ctx context.Context, path string) error {
	ctx, stop := daemon(ctx)
	defer stop()
	code, err := rolesocket.Ask(ctx, path, sent(a.typed), a.stdout, a.stderr)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if code != 0 {
		return &exitError{code}
	}
	return nil
}
