package fleet

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.org/bridge/internal/sleep"
)

// Limits of a webhook. All attempts together end before the claim on the alert
// does (tasks.AlertClaim).
const (
	webhookAttempts = 4
	webhookTimeout  = 10 * time.Second // for one attempt
	webhookRetry    = time.Second      // doubles with each attempt
	maxWebhookReply = 64 << 10         // bytes of the answer that are read and discarded
)

// Headers of a webhook. The signature is "sha256=" and the HMAC-SHA-256, in
// hexadecimal, of the timestamp, a period and the body, under the shared secret.
// Receivers should refuse timestamps that are minutes off.
const (
	HeaderSignature = "X-Bridge-Signature"
	HeaderTimestamp = "X-Bridge-Timestamp"
)

// Webhook posts each event to a URL.
type Webhook struct {
	url    string
	secret []byte
	client *http.Client
	now    func() time.Time
	retry  time.Duration
}

// NewWebhook returns a webhook for an http or https URL. Its errors do not repeat
// the URL, which may contain a secret.
func NewWebhook(address string, secret []byte, now func() time.Time) (*Webhook, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("a webhook is an http or https URL")
	case len(secret) == 0:
		return nil, errors.New("a webhook needs a secret to sign with")
	}
	return &Webhook{
		url:    address,
		secret: secret,
		now:    now,
		retry:  webhookRetry,
		client: &http.Client{
			Timeout: webhookTimeout,
			// A redirect would send the event to a place that the operator did
			// not choose.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Send posts one event, with a few attempts if necessary. It gives up
// immediately if retrying cannot succeed.
func (w *Webhook) Send(ctx context.Context, event []byte) error {
	wait := w.retry
	for attempt := 1; ; attempt++ {
		again, err := w.post(ctx, event)
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		if attempt == webhookAttempts {
			return fmt.Errorf("given up after %d attempts: %w", attempt, err)
		}
		if sleep.For(ctx, wait) != nil {
			return ctx.Err()
		}
		wait *= 2
	}
}

// post posts the event once, and reports whether retrying may succeed.
func (w *Webhook) post(ctx context.Context, event []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(event))
	if err != nil {
		return false, errors.New("the webhook's URL cannot be requested")
	}
	stamp := strconv.FormatInt(w.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bridge")
	req.Header.Set(HeaderTimestamp, stamp)
	req.Header.Set(HeaderSignature, Sign(w.secret, stamp, event))
	resp, err := w.client.Do(req)
	if err != nil {
		return true, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxWebhookReply)
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return true, fmt.Errorf("the webhook answered %d", code)
	default:
		return false, fmt.Errorf("the webhook answered %d", code)
	}
}

// Sign returns the signature of an event.
func Sign(secret []byte, stamp string, event []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(event)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// withoutURL removes the URL, which may contain a secret, from an error of
// net/http.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
