package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/spf13/cobra"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/remote"
)

type accessAddOptions struct {
	name     string
	role     string
	lifetime time.Duration
	gateway  string
	sealTo   []string
	within   []string // conversations, as they were typed
}

func newAccessAddCmd(a *app) *cobra.Command {
	o := accessAddOptions{role: string(access.Agent), lifetime: access.DefaultLifetime}
	cmd := &cobra.Command{
		Use:     "add NAME",
		Aliases: []string{"create"},
		Short:   "Make an access key, and show it once",
		Long:    accessAddHelp,
		Example: `  bridge access add laptop
  bridge access add "build machine" --expires 7d
  umask 077; bridge access add laptop --gateway bridge.example:8443 > join.txt
  bridge access add laptop --gateway bridge.example:8443 --seal-to age1… > laptop.age
  bridge access add contractor --conversations 3f2a,91c0 --expires 7d
  bridge access add prometheus --role viewer
  umask 077; bridge access add laptop --json | jq -r .key > laptop.key`,
		Args: oneKeyName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runAccessAdd(cmd.Context(), a, o)
		},
	}
	var roles []string
	for _, r := range access.Roles() {
		roles = append(roles, string(r))
	}
	choiceFlag(cmd.Flags(), &o.role, roles, "role", "what its holder may do")
	ageFlag(cmd.Flags(), &o.lifetime, "expires", "how long the key is valid")
	conversationsFlag(cmd.Flags(), &o.within, "conversations", "the only conversations that it is for, with commas between them (default all)")
	textFlag(cmd.Flags(), &o.gateway, "address", "gateway", "print a join string for the gateway at this address and port")
	listFlag(cmd.Flags(), &o.sealTo, kindText, "seal-to", "encrypt it for this age recipient; may be given several times")
	return cmd
}

// accessAddHelp is the help text of bridge access add.
const accessAddHelp = `Make an access key for one machine or agent, and print it. It cannot be shown again: make
another if it is lost. Give each holder a key of its own, so that you can revoke one
without the others.

An agent calls the tools, a viewer reads figures, an operator does both. The key proves
its holder to the gateway only: for a conversation an agent needs its token as well.

With --conversations an agent's key is valid for these only: it begins and joins no other,
and what it asks for in another is refused, whatever token it has. A session in one of
them still sees the tasks and claims of its team, claims files for all of it and, as
session a, ends and assigns its tasks: name conversations that have a team to themselves.
Make the conversation first, and give the holder its join code.

With --gateway, the address and port at which the gateway is reached, a join string for
"bridge connect" is printed in place of the key: it holds address, key, and what
proves the gateway. With --seal-to it is encrypted for an age key of the other machine,
so that it may be sent or committed to a repository.`

// oneKeyName is for commands that take the name of an access key.
func oneKeyName(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usagef("`%s` takes the name of one access key, it was given %d: `bridge access list` shows them", cmd.CommandPath(), len(args))
}

func runAccessAdd(ctx context.Context, a *app, o accessAddOptions) error {
	recipients, err := backup.Recipients(o.sealTo)
	switch {
	case err != nil:
		return usagef("--seal-to: %v", err)
	case o.gateway != "" && remote.CheckAddress(o.gateway) != nil:
		return usagef("--gateway: %v", remote.CheckAddress(o.gateway))
	}
	return a.withServices(ctx, false, func(s services) error {
		within, err := findConversations(ctx, s.Service, o.within)
		if err != nil {
			return err
		}
		key, secret, err := s.keys.Add(ctx, o.name, access.Role(o.role), o.lifetime, within...)
		if err != nil {
			return err
		}
		if o.gateway != "" {
			authority, err := gateway.NewAuthority(s.master)
			if err != nil {
				return err
			}
			secret = remote.Join{Address: o.gateway, Pin: authority.Pin(), Key: secret}.String()
		}
		if secret, err = sealedFor(recipients, secret); err != nil {
			return err
		}
		if a.json {
			return a.printJSON(issuedKey(viewOfKey(key, key.CreatedAt), secret, o))
		}
		a.note("this is the only time that the key is shown; it expires on " + a.moment(key.ExpiresAt))
		return a.printLine(secret)
	})
}

// issuedKeyView is a new key with what is shown once: the key, or a join string.
type issuedKeyView struct {
	keyView
	Key    string `json:"key,omitempty"`
	Join   string `json:"join,omitempty"`
	Sealed bool   `json:"sealed,omitempty"`
}

func issuedKey(v keyView, secret string, o accessAddOptions) issuedKeyView {
	issued := issuedKeyView{keyView: v, Sealed: len(o.sealTo) > 0}
	if o.gateway != "" {
		issued.Join = secret
	} else {
		issued.Key = secret
	}
	return issued
}

// sealedFor encrypts a text as lines of letters; without recipients it stays.
func sealedFor(recipients []age.Recipient, text string) (string, error) {
	if len(recipients) == 0 {
		return text, nil
	}
	var out strings.Builder
	lines := armor.NewWriter(&out)
	sealed, err := age.Encrypt(lines, recipients...)
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(sealed, text)
	err = errors.Join(err, sealed.Close(), lines.Close())
	return strings.TrimSpace(out.String()), err
}

func newAccessRevokeCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End an access key",
		Long: `End an access key, by its name or by its id. Every gateway of the store refuses it within
five seconds, and ends the calls and streams of its holder. The conversations of the
holder go on: end their tokens with "bridge tokens --rotate", if it was stolen.`,
		Example: `  bridge access revoke laptop
  bridge access revoke 0123456789ab`,
		Args: oneKeyName,
		RunE: func(cmd *cobra.Command, args []string) error { return runAccessRevoke(cmd.Context(), a, args[0]) },
	}
}

func runAccessRevoke(ctx context.Context, a *app, nameOrID string) error {
	return a.withServices(ctx, false, func(s services) error {
		key, changed, err := s.keys.Revoke(ctx, nameOrID)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(viewOfKey(key, s.Now()))
		}
		return a.printLine(outcome(changed, "Revoked.", "That key was revoked already."))
	})
}
