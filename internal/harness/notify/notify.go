// Package notify sends a short text about a run by mail (SMTP, RFC 5321) and to a
// Slack-compatible webhook. The caller has already redacted the text. Nothing leaves the
// machine unencrypted, and no error contains a password or the address of a webhook.
package notify

import (
	"errors"
	"time"
)

// Message is the text to send.
type Message struct {
	Subject string // one line
	Text    string // lines
}

// limit is the time limit of one delivery: connecting, greeting and sending.
const limit = 30 * time.Second

// ErrNotEncrypted reports a receiver on another machine that would receive the text
// unencrypted.
var ErrNotEncrypted = errors.New("it is on another machine and offers no encryption (TLS): nothing was sent")
