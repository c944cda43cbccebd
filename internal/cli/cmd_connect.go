package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/view"
)

type connectOptions struct {
	from, identity string
	watch          bool
}

func newConnectCmd(a *app) *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use:   "connect",
		Short: "Let the agents of this machine use another machine's store",
		Long: `Read a join string, as "bridge access add --gateway" prints it, verify the gateway and
the key, and save it in a file that only you can read. From then on "bridge serve",
hook, inbox and fleet keepalive use that gateway, and nothing changes for the clients.
Running agents are not affected until their clients start them again.

The join string is a secret: it is read from standard input or a file (--from) of mode
0600, and never accepted as an argument. A file that was encrypted for you (--seal-to of
"bridge access add") can be kept in a repository: --identity names the file with your
age key. With --watch the command keeps running, and reads the file again whenever it
changes, for example after a pull.

A store named by --db, BRIDGE_DB or the configuration file is used instead of the
gateway. Commands that read the whole store, such as "bridge list", work only where the
store is.`,
		Example: `  bridge connect < join.txt
  bridge connect --from team/laptop.age --identity ~/.config/age/key.txt
  bridge connect --from team/laptop.age --identity ~/.config/age/key.txt --watch`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return usagef("other users can see arguments: give the join string on standard input, or in a file with --from")
			case o.from == "" && (o.identity != "" || o.watch):
				return usagef("--identity and --watch are for a file: name it with --from")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runConnect(cmd.Context(), a, o) },
	}
	textFlag(cmd.Flags(), &o.from, kindPath, "from", "a file with the join string")
	textFlag(cmd.Flags(), &o.identity, kindPath, "identity", "the age identity file to decrypt it with")
	boolFlag(cmd.Flags(), &o.watch, "watch", "keep running, and connect again when the file changes")
	return cmd
}

// lookAgain is the interval at which --watch checks its file.
const lookAgain = 2 * time.Second

func runConnect(ctx context.Context, a *app, o connectOptions) error {
	text, err := a.joinText(o)
	if err != nil {
		return err
	}
	if !o.watch {
		return a.connect(ctx, text, o)
	}
	ctx, stop := daemon(ctx)
	defer stop()
	a.announce("watching %s", o.from)
	return a.ended(ctx, a.watchJoin(ctx, o))
}

// watchJoin connects whenever the file's content changes. Errors are logged, and the
// next content is tried.
func (a *app) watchJoin(ctx context.Context, o connectOptions) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	var last []byte
	for {
		switch text, err := a.joinText(o); {
		case err != nil:
			a.log().Warn("the file cannot be read; will try again", "error", view.Line(err))
		case !bytes.Equal(text, last):
			err := a.connect(ctx, text, o)
			if err != nil && ctx.Err() == nil {
				a.log().Warn("not connected; will try again", "error", view.Line(err))
			} else {
				last = text
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// joinText reads what was given: a join string, possibly encrypted.
func (a *app) joinText(o connectOptions) ([]byte, error) {
	if o.from == "" {
		if term.IsTerminal(int(a.stdin.Fd())) {
			a.note("paste the join string, and press Ctrl-D")
		}
		return io.ReadAll(io.LimitReader(a.stdin, maxSecretFile))
	}
	f, err := os.Open(o.from)
	if err != nil {
		return nil, usagef("--from: %s", reason(err))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, usagef("--from: %s", reason(err))
	}
	if isSealed(text) {
		return text, nil
	}
	return readSecretFile(o.from) // checks that nobody else may read it
}

const sealedBinary = "age-encryption.org/"

func isSealed(text []byte) bool {
	return bytes.HasPrefix(text, []byte(sealedBinary)) || bytes.HasPrefix(bytes.TrimSpace(text), []byte(armor.Header))
}

// opened decrypts text if it is encrypted.
func opened(text []byte, identity string) (string, error) {
	if !isSealed(text) {
		return string(text), nil
	}
	if identity == "" {
		return "", usagef("the file is encrypted: name the file of your age key with --identity")
	}
	keys, err := backup.Identities(identity)
	if err != nil {
		return "", usagef("--identity: %s", view.Line(err))
	}
	var in io.Reader = bytes.NewReader(text)
	if !bytes.HasPrefix(text, []byte(sealedBinary)) {
		in = armor.NewReader(bytes.NewReader(bytes.TrimSpace(text)))
	}
	plain, err := age.Decrypt(in, keys...)
	if err != nil {
		return "", usagef("the file was not encrypted for this age key, or is damaged")
	}
	join, err := io.ReadAll(io.LimitReader(plain, maxSecretFile))
	if err != nil {
		return "", usagef("the file is damaged")
	}
	return string(join), nil
}

// connect verifies a gateway and saves the connection to it.
func (a *app) connect(ctx context.Context, text []byte, o connectOptions) error {
	plain, err := opened(text, o.identity)
	if err != nil {
		return err
	}
	join, err := remote.ParseJoin(plain)
	if err != nil {
		return usagef("%v", err)
	}
	if noHome("XDG_STATE_HOME") {
		return usagef("%s: set HOME, because the connection is saved there", homeFault())
	}
	conn, err := a.dial(join)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Prove(ctx); err != nil {
		return fmt.Errorf("not connected to %s: %w", join.Address, err)
	}
	if err := keepConnection(join); err != nil {
		return err
	}
	if a.db != "" {
		a.note("a store is configured here (--db, BRIDGE_DB or the configuration file) and is used instead of the gateway")
	}
	if a.json {
		return a.printJSON(connectionView{join.Address, join.Pin})
	}
	return a.printLine("Connected to " + join.Address + ": agents started from now on use its store.")
}

// connectionView is a connection in JSON output, without its secret.
type connectionView struct {
	Gateway string `json:"gateway"`
	Pin     string `json:"pin"`
}
