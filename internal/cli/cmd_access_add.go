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
	within   []string // conversations as typed
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
	choiceFlag(cmd.Flags(), &o.role, roles, "role", "what the holder may do")
	ageFlag(cmd.Flags(), &o.lifetime, "expires", "how long the key is valid")
	conversationsFlag(cmd.Flags(), &o.within, "conversations", "the only conversations for which it is valid, separated by commas (default all)")
	textFlag(cmd.Flags(), &o.gateway, "address", "gateway", "print a join string for the gateway at this address and port")
	listFlag(cmd.Flags(), &o.sealTo, kindText, "seal-to", "encrypt it for this age recipient; may be given several times")
	return cmd
}

// accessAddHelp is the help text of bridge access add.
const accessAddHelp = `Make an access key for one machine or agent, and print it. It cannot be shown again; if
it is lost, make another. Give each holder its own key, so that you can revoke one
without the others.

The role agent may call the tools, viewer may read figures, and operator may do both. A
key only authenticates its holder to the gateway: in a conversation an agent also needs
its token.

With --conversations an agent's key is valid only for these: its holder cannot create or
join others, and every request in another is refused, whatever token it has. A session
in one of them still sees the tasks and claims of its team, claims files for all of it
and, as session a, ends and assigns its tasks: so name conversations of a team that has
no others. Create the conversation first, and give the holder its join code.

With --gateway, the address and port at which the gateway is reached, a join string for
"bridge connect" is printed instead of the key. It contains the address, the key, and
the fingerprint of the store's authority, which authenticates the gateway. With
--seal-to it is encrypted for an age key of the other machine, so it can be sent, or
committed to a repository.`

// oneKeyName checks the arguments of commands that take the name of one access key.
func oneKeyName(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usagef("`%s` takes the name of one access key, but was given %d: `bridge access list` shows them", cmd.CommandPath(), len(args))
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
		a.note("the key will not be shown again; it expires on " + a.moment(key.ExpiresAt))
		return a.printLine(secret)
	})
}

// issuedKeyView is a new key with the secret that is shown only once: the key, or a
// join string.
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

// sealedFor encrypts a text and returns it ASCII-armored. Without recipients it returns
// the text unchanged.
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
		Short: "Revoke an access key",
		Long: `Revoke an access key, given its name or its id. Every gateway of the store refuses it
within five seconds and ends its holder's calls and streams. The holder's conversations
continue. If the key was stolen, also replace their tokens with "bridge tokens
--rotate".`,
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
		return a.printLine(outcome(changed, "Revoked.", "That key was already revoked."))
	})
}
