package mcpserver_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/mcpserver"
)

var _ mcpserver.Bridge = bridgetest.Served{}

// notTransferred lists the parameter types that a connection does not transfer.
var notTransferred = []reflect.Type{
	reflect.TypeFor[context.Context](),
	reflect.TypeFor[<-chan struct{}](),
	reflect.TypeFor[error](),
}

// TestBridgeEncodes checks that every parameter and result of Bridge survives encoding to
// JSON and back, so that a connection can transfer it.
func TestBridgeEncodes(t *testing.T) {
	all := reflect.TypeFor[mcpserver.Bridge]()
	for method := range all.Methods() {
		if method.Name == "Now" {
			continue
		}
		t.Run(method.Name, func(t *testing.T) {
			if method.Type.In(0) != notTransferred[0] {
				t.Error("it does not take a context first")
			}
			for in := range method.Type.Ins() {
				survives(t, in)
			}
			for out := range method.Type.Outs() {
				survives(t, out)
			}
		})
	}
	if all.NumMethod() < 20 {
		t.Errorf("Bridge has only %d methods", all.NumMethod())
	}
}

// TestErrorsEncode checks that the domain's own error types are plain values.
func TestErrorsEncode(t *testing.T) {
	for _, of := range []reflect.Type{
		reflect.TypeFor[bridge.InvalidError](), reflect.TypeFor[bridge.RateLimitError](),
		reflect.TypeFor[bridge.ExpiredError](), reflect.TypeFor[bridge.BusyError](), reflect.TypeFor[bridge.QuotaError](), reflect.TypeFor[claims.HeldError](),
		reflect.TypeFor[files.ConflictError](),
	} {
		t.Run(of.Name(), func(t *testing.T) { survives(t, of) })
	}
}

// survives fails the test if a value of the type with all fields set changes when it is
// encoded and decoded.
func survives(t *testing.T, of reflect.Type) {
	t.Helper()
	for _, not := range notTransferred {
		if of == not {
			return
		}
	}
	before := reflect.New(of)
	fill(t, before.Elem())
	encoded, err := json.Marshal(before.Interface())
	if err != nil {
		t.Errorf("%s: %v", of, err)
		return
	}
	after := reflect.New(of)
	if err := json.Unmarshal(encoded, after.Interface()); err != nil {
		t.Errorf("%s: %v", of, err)
		return
	}
	if diff := cmp.Diff(before.Interface(), after.Interface()); diff != "" {
		t.Errorf("%s changes on its way (-sent +received):\n%s", of, diff)
	}
}

// fill sets a value and everything in it to something other than zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	if moment, ok := v.Addr().Interface().(*time.Time); ok {
		*moment = time.UnixMicro(rand.Int64N(1 << 50)).UTC()
		return
	}
	switch v.Kind() { //nolint:exhaustive // the rest fails below
	case reflect.String:
		v.SetString(string(rune('a' + rand.IntN(26))))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 + rand.Int64N(1<<40))
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			switch field := v.Type().Field(i); {
			case !field.IsExported():
				t.Fatalf("%s has the hidden field %s", v.Type(), field.Name)
			case field.Tag.Get("json") != "-":
				fill(t, v.Field(i))
			}
		}
	default:
		t.Fatalf("%s: nothing fills a %s", v.Type(), v.Kind())
	}
}
