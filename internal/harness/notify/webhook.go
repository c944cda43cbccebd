package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"example.org/bridge/internal/harness/local"
)

// Webhook is an address that accepts {"text": …} by POST. The address is a secret: anybody
// who has it can write to the channel.
type Webhook struct {
	URL     string
	Channel string // "" for the webhook's default channel
}

// CheckURL returns an error if an address cannot be a webhook.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("a webhook is an https:// address")
	}
	if u.Scheme == "http" && !local.Host(u.Hostname()) {
		return errors.New("a webhook must have https://: its address is a secret (http:// is for this machine only)")
	}
	return nil
}

// markup are the characters that Slack interprets as mark-up, such as in <!channel>.
var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Send posts a message. Redirects are not followed.
func (w Webhook) Send(ctx context.Context, m Message) error {
	if err := CheckURL(w.URL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	body, err := json.Marshal(struct {
		Text    string `json:"text"`
		Channel string `json:"channel,omitempty"`
	}{markup.Replace(m.Subject + "\n" + m.Text), w.Channel})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("a webhook is an https:// address")
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if fault := new(url.Error); errors.As(err, &fault) {
		return fmt.Errorf("cannot reach the webhook: %w", fault.Err) // without the address
	}
	if err != nil {
		return errors.New("cannot reach the webhook")
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered with status %d", answer.StatusCode)
	}
	return nil
}
