package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lazyregexp"
	"example.org/bridge/internal/sqlite/storefile"
)

// sessionOptions say which session a command acts as.
type sessionOptions struct {
	conversation, token string // from the command line
	tokenFile           string
}

const sessionHelp = `The session is the one in BRIDGE_CONVERSATION_ID and BRIDGE_TOKEN, or in a file that
only you can read (--token-file), which contains only the token, or lines of
BRIDGE_CONVERSATION_ID=... and BRIDGE_TOKEN=.... A token can also be given on the
command line, but other users can see it in the list of processes.`

func (o *sessionOptions) register(fs *pflag.FlagSet) {
	textFlag(fs, &o.tokenFile, kindPath, "token-file", "a file of mode 0600 with the token and optionally the conversation")
}

// sessionUse is the usage line of the arguments.
const sessionUse = " [CONVERSATION [TOKEN]]"

func (o *sessionOptions) args(cmd *cobra.Command, args []string) error {
	if len(args) > 2 {
		return usagef("`%s` takes at most a conversation and a token, but was given %d arguments", cmd.CommandPath(), len(args))
	}
	if len(args) > 0 {
		o.conversation = args[0]
		if err := checkConversation(o.conversation); err != nil {
			return err
		}
	}
	if len(args) > 1 {
		o.token = args[1]
	}
	return nil
}

var wholeToken = lazyregexp.New(`^[0-9a-f]{64}$`)

// session returns the credentials from the command line, the file, or the environment,
// in this order. The session is derived from the token.
func (a *app) session(ctx context.Context, s besideAgent, o sessionOptions) (bridge.Credentials, error) {
	c := bridge.Credentials{Conversation: o.conversation, Token: o.token}
	if o.token != "" {
		a.note("warning: other users can see a token on the command line: use --token-file or BRIDGE_TOKEN")
	}
	if o.tokenFile != "" {
		if err := readTokenFile(o.tokenFile, &c); err != nil {
			return c, err
		}
	}
	if c.Conversation == "" {
		c.Conversation = a.env("BRIDGE_CONVERSATION_ID")
	}
	if c.Token == "" {
		c.Token = a.env("BRIDGE_TOKEN")
	}
	switch {
	case c.Conversation == "":
		return c, usagef("no conversation was given: name it, or set BRIDGE_CONVERSATION_ID%s", a.unboundNote())
	case c.Token == "":
		return c, usagef("no token was given: set BRIDGE_TOKEN, or use --token-file%s", a.unboundNote())
	case !wholeToken().MatchString(c.Token):
		return c, usagef("that is not a token: a token is 64 hex digits, as `bridge tokens` prints them")
	}
	if !bridge.IsConversationID(c.Conversation) {
		here, ok := s.(services)
		if !ok {
			return c, usagef("give the full id of the conversation: only the machine that has the store can complete it")
		}
		found, err := findConversation(ctx, here.Service, c.Conversation)
		if err != nil {
			return c, err
		}
		c.Conversation = found.ID
	}
	session, err := s.SessionOf(ctx, c.Conversation, c.Token)
	c.Session = session
	return c, err
}

// maxSecretFile limits how much is read if the path is wrong.
const maxSecretFile = 64 << 10

// readSecretFile reads a file, and fails if others can read it.
func readSecretFile(path string) ([]byte, error) {
	switch err := storefile.CheckPrivate(path); {
	case errors.Is(err, bridge.ErrStorePermissions):
		return nil, usagef("%s is accessible to other users, or not yours: run: chmod 600 %s", path, path)
	case err != nil:
		return nil, usagef("cannot read the file: %v", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("cannot read the file: %v", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return nil, usagef("cannot read the file: %v", err)
	}
	return bytes.TrimSpace(text), nil
}

// readTokenFile adds what c lacks from a file, which contains only a token, or lines as
// in a systemd environment file.
func readTokenFile(path string, c *bridge.Credentials) error {
	text, err := readSecretFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte("=")) {
		if c.Token == "" {
			c.Token = string(text)
		}
		return nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		value = strings.Trim(value, `"'`)
		switch {
		case name == "BRIDGE_CONVERSATION_ID" && c.Conversation == "":
			c.Conversation = value
		case name == "BRIDGE_TOKEN" && c.Token == "":
			c.Token = value
		}
	}
	return lines.Err()
}
