package verdict

import (
	"errors"
	"fmt"
	"strings"
)

// Refusal is an error that names the rule that refused a command, and the reason.
type Refusal struct {
	Rule Rule
	// Instead says what to write instead.
	Instead string
	text    string
}

// Refuse returns a refusal. The format describes what is wrong and, after the
// first colon and space, what to write instead; without that part, Instead is the
// rule's own advice.
func Refuse(rule Rule, format string, args ...any) error {
	r := &Refusal{Rule: rule, Instead: rule.Advice(), text: fmt.Sprintf(format, args...)}
	if what, instead, ok := strings.Cut(format, ": "); ok {
		r.Instead = fmt.Sprintf(instead, args[strings.Count(what, "%")-2*strings.Count(what, "%%"):]...)
	}
	return r
}

// ErrSecret refuses a secret path, which every mode does.
var ErrSecret = Refuse(SecretPath, "this path holds secrets or the bridge's own state, and is refused in every mode")

// ErrSecretFile refuses a file whose name says that it contains secrets.
var ErrSecretFile = Refuse(SecretPath, "files of this name hold passwords, tokens or private keys: read a template such as .env.example, or ask your human for the one value that you need")

func (r *Refusal) Error() string { return r.text }

// AsRefusal returns the refusal in an error's chain. Any other error is treated
// as a failure of the policy itself.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{Rule: PolicyFailed, Instead: PolicyFailed.Advice(), text: err.Error()}
}
