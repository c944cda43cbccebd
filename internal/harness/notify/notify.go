// Package notify sends a short text about a run by mail (SMTP, RFC 5321) and to a webhook
// of the kind that Slack has. What it sends was redacted before. Nothing leaves the machine
// without encryption, and no error shows a password or the address of a webhook.
package notify

import (
	"errors"
	"time"
)

// Message is what is told.
type Message struct {
	Subject string // one line
	Text    string // lines
}

// limit bounds one delivery: connecting, greeting and sending.
const limit = 30 * time.Second

// ErrNotEncrypted reports a receiver on another machine that text would reach in the clear.
var ErrNotEncrypted = errors.New("it offers no encryption (TLS), and it is on another machine: nothing was sent")
