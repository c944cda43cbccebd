package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/operation"
)

const operationsPath = operation.Path

// operations calls the methods of an interface by name.
type operations struct {
	methods  map[string]reflect.Value
	draining <-chan struct{}
	// giveBack ends the delivery of messages that were not written.
	giveBack func(context.Context, bridge.Claim) error
	now      func() time.Time
	prover   prover // nil if refusals cannot be recorded
}

func newOperations(target any, all reflect.Type, draining <-chan struct{}) *operations {
	o := &operations{methods: map[string]reflect.Value{}, draining: draining, now: time.Now}
	if b, ok := target.(interface {
		GiveBack(ctx context.Context, claim bridge.Claim) error
		Now() time.Time
	}); ok {
		o.giveBack, o.now = b.GiveBack, b.Now
	}
	o.prover, _ = target.(prover)
	on := reflect.ValueOf(target)
	for method := range all.Methods() {
		if method.Type.NumIn() > 0 && method.Type.In(0) == reflect.TypeFor[context.Context]() {
			o.methods[method.Name] = on.MethodByName(method.Name)
		}
	}
	return o
}

var errArguments = errors.New("the arguments do not match this operation: use the same version of bridge on this machine and at the gateway")

// arguments decodes a JSON array into the arguments of a method.
func (o *operations) arguments(ctx context.Context, method reflect.Type, body []byte) ([]reflect.Value, error) {
	var given []json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return nil, errArguments
	}
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for n := 1; n < method.NumIn(); n++ {
		of := method.In(n)
		if of == reflect.TypeFor[<-chan struct{}]() {
			in = append(in, reflect.ValueOf(o.draining))
			continue
		}
		if len(given) == 0 {
			return nil, errArguments
		}
		value, err := argument(of, given[0])
		if err != nil {
			return nil, errArguments
		}
		in, given = append(in, value), given[1:]
	}
	if len(given) > 0 {
		return nil, errArguments
	}
	return in, nil
}

func argument(of reflect.Type, text json.RawMessage) (reflect.Value, error) {
	if of == reflect.TypeFor[error]() {
		var blamed operation.Blamed
		err := json.Unmarshal(text, &blamed)
		return reflect.ValueOf(blamed.Reason()), err
	}
	value := reflect.New(of)
	err := json.Unmarshal(text, value.Interface())
	return value.Elem(), err
}

// answerOf returns the answer that contains the results of a method.
func (g *Gateway) answerOf(results []reflect.Value) (operation.Answer, error) {
	a := operation.Answer{Now: g.operations.now(), Draining: g.isDraining()}
	for _, v := range results {
		text, err := json.Marshal(v.Interface())
		if err != nil {
			return a, err
		}
		a.Results = append(a.Results, text)
	}
	return a, nil
}

// serveOperation carries out one operation for bridge on another machine.
func (g *Gateway) serveOperation(w http.ResponseWriter, r *http.Request, c call) {
	name := strings.TrimPrefix(r.URL.Path, operationsPath)
	method, ok := g.operations.methods[name]
	if !ok {
		refuse(w, http.StatusNotFound, operation.Unknown, "this gateway has no such operation: use the same version of bridge on this machine and at the gateway")
		return
	}
	ctx := c.principal.calling(r.Context())
	in, err := g.operations.arguments(ctx, method.Type(), c.body)
	if err != nil {
		refuse(w, http.StatusBadRequest, operation.Arguments, err.Error())
		return
	}
	began := time.Now()
	out, err := g.carryOut(method, in)
	g.o.Observe(viaAPI, name, err != nil, time.Since(began))
	g.operations.recordProbe(ctx, name, in, out, err)
	if errors.Is(context.Cause(r.Context()), errRevoked) {
		g.unauthorized(w)
		return
	}
	if err != nil {
		g.answerFailure(w, r, err)
		return
	}
	written := false
	defer func() { g.operations.settle(ctx, out, written) }()
	a, err := g.answerOf(out)
	if err != nil {
		g.failed(w, err)
		return
	}
	if r.Context().Err() != nil {
		return
	}
	answer(w, http.StatusOK, a)
	p, ok := w.(*paced)
	written = !ok || p.whole()
}

// settle gives messages back if their answer was not written. If it was written, the other
// machine reports whether its agent got it; without a report, the claim expires.
func (o *operations) settle(ctx context.Context, results []reflect.Value, written bool) {
	if written || o.giveBack == nil {
		return
	}
	for _, result := range results {
		var claims []bridge.Claim
		switch r := result.Interface().(type) {
		case bridge.Delivery:
			claims = []bridge.Claim{r.Claim}
		case bridge.Collected:
			claims = r.Claims
		}
		for _, claim := range claims {
			if claim.ID != 0 {
				_ = o.giveBack(context.WithoutCancel(ctx), claim) // if this fails, the claim expires
			}
		}
	}
}

var errPanic = errors.New("an operation panicked")

// carryOut calls a method and separates the error from its results.
func (g *Gateway) carryOut(method reflect.Value, in []reflect.Value) (out []reflect.Value, err error) {
	defer func() {
		if value := recover(); value != nil {
			g.o.Log.Error("an operation panicked", "type", reflect.TypeOf(value).String())
			err = errPanic
		}
	}()
	out = method.Call(in)
	if last := len(out) - 1; method.Type().Out(last) == reflect.TypeFor[error]() {
		err, _ = out[last].Interface().(error)
		out = out[:last]
	}
	return out, err
}

// answerFailure answers with an error of the domain.
func (g *Gateway) answerFailure(w http.ResponseWriter, r *http.Request, err error) {
	row, known := advice.Of(err)
	f := operation.Typed(err)
	var invalid *bridge.InvalidError
	var limited *bridge.RateLimitError
	switch {
	case errors.As(err, &invalid):
		row.Status = http.StatusUnprocessableEntity
	case errors.As(err, &limited):
		row.Status = http.StatusTooManyRequests
	case f == nil && !known:
		if r.Context().Err() == nil {
			g.o.Log.Error("an operation failed", "error", err.Error())
		}
		f = &operation.Failure{Code: row.Code}
	case f == nil:
		f = &operation.Failure{Text: row.Err.Error(), Code: row.Code}
	}
	answer(w, row.Status, operation.Answer{Failure: f})
}
