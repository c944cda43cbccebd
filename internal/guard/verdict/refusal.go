package verdict

import (
	"errors"
	"fmt"
	"strings"
)

// Refusal says which rule refuses a command, and why.
type Refusal struct {
	Rule Rule
	// Instead is what to write instead.
	Instead string
	text    string
}

// Refuse makes a refusal. The format says what is wrong and, behind the first
// colon and space, what to write instead; without that part, the rule's own
// advice is given.
func Refuse(rule Rule, format string, args ...any) error {
	r := &Refusal{Rule: rule, Instead: rule.Advice(), text: fmt.Sprintf(format, args...)}
	if what, instead, ok := strings.Cut(format, ": "); ok {
		r.Instead = fmt.Sprintf(instead, args[strings.Count(what, "%")-2*strings.Count(what, "%%"):]...)
	}
	return r
}

// ErrSecret refuses a path in every mode.
var ErrSecret = Refuse(SecretPath, "this path holds secrets or the bridge's own state, and is refused in every mode")

// ErrSecretFile refuses a file that holds secrets by its name.
var ErrSecretFile = Refuse(SecretPath, "files of this name hold passwords, tokens or private keys: read a template such as .env.example, or ask your human for the one value that you need")

func (r *Refusal) Error() string { return r.text }

// AsRefusal gives the refusal in an error's chain. An error of another kind is a
// fault of the policy itself.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{Rule: PolicyFailed, Instead: PolicyFailed.Advice(), text: err.Error()}
}
