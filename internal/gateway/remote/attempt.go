package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/operation"
)

// maxAnswer is the maximum number of bytes read of an answer. The largest answers are a
// page of history and a shared file, with every character escaped.
const maxAnswer = 16 << 20

var (
	// errTransport reports a failure between this machine and the gateway.
	errTransport = errors.New("the connection failed")
	errRefusal   = errors.New("the gateway refused the request")
	errInternal  = errors.New("the gateway failed; its log has the details")
)

// attempt sends an operation once.
func (c *Conn) attempt(ctx context.Context, r request, body []byte, results []any, f *fate) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Attempt+r.wait)
	defer cancel()
	var begun atomic.Bool // the request may have reached the gateway
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { begun.Store(true) }})
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+c.o.Join.Address+operation.Path+r.name, bytes.NewReader(body))
	if err != nil {
		return answered, err
	}
	q.Host = operation.ServerName
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+c.o.Join.Key)
	response, err := c.web.Do(q)
	switch {
	case errors.Is(err, bridge.ErrGatewayForeign):
		return answered, bridge.ErrGatewayForeign
	case err != nil && !begun.Load():
		return undone, transport(err)
	case err != nil:
		return lost, transport(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return lost, transport(err)
	}
	return c.read(response.StatusCode, text, results, f)
}

// transport returns an error of net/http without its URL.
func transport(err error) error {
	inner := errors.Unwrap(err)
	if inner == nil {
		inner = err
	}
	return fmt.Errorf("%w: %w", errTransport, inner)
}

// read decodes an answer.
func (c *Conn) read(status int, text []byte, results []any, f *fate) (outcome, error) {
	var a struct {
		operation.Answer
		operation.Refusal
	}
	if json.Unmarshal(text, &a) != nil {
		// A proxy answered, or the answer is incomplete.
		return lost, fmt.Errorf("%w: status %d without an answer from a gateway", errTransport, status)
	}
	switch {
	case a.Failure != nil:
		return answered, failure(a.Failure)
	case a.Code != "":
		return refusal(a.Refusal)
	case status != http.StatusOK:
		return answered, bridge.ErrGatewayVersion
	case len(a.Results) != len(results):
		f.done = true
		return answered, bridge.ErrGatewayVersion
	}
	if !a.Now.IsZero() {
		c.offset.Store(int64(time.Until(a.Now)))
	}
	f.draining = a.Draining
	for i, result := range results {
		if err := json.Unmarshal(a.Results[i], result); err != nil {
			f.done = true
			return answered, bridge.ErrGatewayVersion
		}
	}
	return answered, nil
}

// failure returns the error with which the operation ended.
func failure(f *operation.Failure) error {
	if err := f.TypedError(); err != nil {
		return err
	}
	if err := advice.Sentinel(f.Text); err != nil {
		return err
	}
	return errInternal
}

// refusal returns the outcome of a request that the gateway refused.
func refusal(r operation.Refusal) (outcome, error) {
	switch r.Code {
	case operation.Draining, operation.Busy, operation.Unfinished:
		return undone, fmt.Errorf("%w: %s", errTransport, strings.ReplaceAll(r.Code, "_", " "))
	case operation.Refused:
		return answered, access.ErrRefused
	case operation.WrongRole:
		return answered, access.ErrRole
	case operation.Unknown, operation.Arguments:
		return answered, bridge.ErrGatewayVersion
	}
	if err := advice.Sentinel(r.Message); err != nil {
		return undone, err // for example because the store does not answer
	}
	return answered, errRefusal
}
