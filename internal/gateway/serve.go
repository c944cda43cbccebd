package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/gateway/operation"
)

// Actions of the audit log, for calls that were refused before they became one of the
// bridge's own.
const (
	actionMCP       = "gateway_mcp"
	actionOperation = "gateway_operation"
)

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no") // prevent proxies from buffering answers
	if g.isDraining() {
		header.Set("Connection", "close")
	}
	if status, problem := g.admitHost(r); status != 0 {
		refuse(w, status, "refused", problem)
		return
	}
	switch path := r.URL.Path; {
	case path == "/health":
		g.health(w, r)
	case path == "/ready":
		g.ready(w, r)
	case path == "/metrics":
		g.metrics(w, r)
	case path == "/mcp":
		g.guarded(w, r, actionMCP, g.serveMCP)
	case strings.HasPrefix(path, operationsPath):
		g.guarded(w, r, actionOperation, g.serveOperation)
	default:
		refuse(w, http.StatusNotFound, "not_found", "there is no such page")
	}
}

// call is a request whose sender is authenticated.
type call struct {
	principal *principal
	number    int64
	body      []byte
}

// guarded serves a request that needs a key whose role may call tools.
func (g *Gateway) guarded(w http.ResponseWriter, r *http.Request, action string, serve func(http.ResponseWriter, *http.Request, call)) {
	if isClosed(g.ending) || r.Method == http.MethodGet && g.isDraining() { // no new streams during shutdown
		g.tryLater(w)
		return
	}
	p, ok := g.authenticate(w, r, action, access.Role.Calls)
	if !ok {
		return
	}
	if !admitMethod(w, r, p, action == actionMCP) {
		return
	}
	c := call{principal: p, number: g.last.Add(1)}
	ctx, end, err := g.principals.begin(r.Context(), p, c.number)
	if err != nil {
		if errors.Is(err, errBusy) {
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, operation.Busy, err.Error())
		} else {
			g.unauthorized(w)
		}
		return
	}
	defer end()
	if r.Method == http.MethodGet {
		g.serveStream(w, r.WithContext(ctx), p)
		return
	}
	body, release, ok := g.readBody(w, r)
	if !ok {
		return
	}
	defer release()
	c.body = body
	answer := &paced{ResponseWriter: w, control: http.NewResponseController(w), within: g.o.Deadlines.Answer}
	serve(answer, r.WithContext(ctx), c)
	answer.send()
}

// admitMethod reports whether the method of a request is one that is served here: a call,
// or, if streams are supported, the opening of a stream. Otherwise it has answered the
// request.
func admitMethod(w http.ResponseWriter, r *http.Request, p *principal, streams bool) bool {
	switch {
	case streams && p.channels.hasEnded(clientName(r)):
		refuse(w, http.StatusNotFound, "ended", "this client has ended its session with DELETE: start again with initialize")
	case streams && r.Method == http.MethodDelete && clientName(r) != "":
		p.channels.remove(clientName(r))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost, streams && r.Method == http.MethodGet:
		return true
	default:
		notAllowed(w, streams)
	}
	return false
}

func notAllowed(w http.ResponseWriter, streams bool) {
	allow, text := http.MethodPost, "only POST is supported here"
	if streams {
		allow, text = "GET, POST, DELETE", "GET opens a stream here, POST asks, and DELETE with "+clientHeader+" ends a client's stream"
	}
	w.Header().Set("Allow", allow)
	refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", text)
}

// authenticate determines the caller, and whether its role allows the request. If it
// returns false, it has answered the request.
func (g *Gateway) authenticate(w http.ResponseWriter, r *http.Request, action string, allows func(access.Role) bool) (*principal, bool) {
	caller := access.Caller{Address: addressOf(r), Action: action}
	text := bearer(r)
	p := g.principals.recall(text)
	if p == nil {
		var err error
		if p, err = g.check(r.Context(), text, caller); err != nil {
			switch {
			case errors.Is(err, access.ErrRefused):
				g.unauthorized(w)
			case errors.Is(err, errChecking):
				w.Header().Set("Retry-After", "2")
				refuse(w, http.StatusTooManyRequests, operation.Busy, err.Error())
			default:
				g.failed(w, err)
			}
			return nil, false
		}
	}
	if !allows(p.key.Role) {
		err := g.o.Keys.RefuseRole(r.Context(), p.key.Key, caller)
		if errors.Is(err, access.ErrRole) {
			refuse(w, http.StatusForbidden, operation.WrongRole, err.Error())
		} else {
			g.failed(w, err)
		}
		return nil, false
	}
	return p, true
}

// Limits for a call whose key has not been checked.
const (
	checkWithin = 10 * time.Second // to wait for another call with the same key
	slotWithin  = time.Second      // to wait for calls with other keys
)

var errChecking = errors.New("too many keys are being checked")

// check authenticates a key that is not known yet. If many calls arrive with the same key,
// for example after a gateway has started, only the first reads the store, and the others
// use its result.
func (g *Gateway) check(ctx context.Context, text string, caller access.Caller) (*principal, error) {
	waiting, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	done, err := g.principals.turn(waiting, text)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), errChecking)
	}
	defer done()
	if p := g.principals.recall(text); p != nil {
		return p, nil
	}
	select {
	case g.unproven <- struct{}{}:
		defer func() { <-g.unproven }()
	case <-time.After(slotWithin):
		return nil, errChecking
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return g.principals.admit(ctx, text, caller)
}

// bearer returns the key of a request (RFC 6750, section 2.1), or "".
func bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(text)
}

// addressOf returns the address the connection comes from. Headers set by a client or a
// proxy are not trusted, and not used.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "?"
	}
	return host
}

func (g *Gateway) unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="bridge"`)
	refuse(w, http.StatusUnauthorized, operation.Refused, access.ErrRefused.Error())
}

// tryLater tells a client to try again, at another gateway or at this one's successor.
func (g *Gateway) tryLater(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	w.Header().Set("Connection", "close")
	refuse(w, http.StatusServiceUnavailable, operation.Draining, "this gateway is shutting down: try again in a few seconds")
}

// failed answers with an error of the store. Errors that are not in the table of advice are
// logged and not shown to the client.
func (g *Gateway) failed(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody reads the answer
	}
	row, known := advice.Of(err)
	if !known {
		g.o.Log.Error("a request failed", "error", err.Error())
		refuse(w, row.Status, row.Code, "the gateway failed; its log has the details")
		return
	}
	refuse(w, row.Status, row.Code, row.Err.Error())
}

// refuse answers with an error, as JSON.
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, operation.Refusal{Code: code, Message: message})
}

func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
