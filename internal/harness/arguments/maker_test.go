package arguments_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"example.org/bridge/internal/harness/arguments"
	"example.org/bridge/internal/harness/contract"
)

func maker(t *testing.T, schema string, seed uint64) *arguments.Maker {
	t.Helper()
	tools, found := contract.CheckTools([]json.RawMessage{json.RawMessage(`{"name":"a","inputSchema":` + schema + `}`)})
	if len(found) > 0 {
		t.Fatal(found)
	}
	return arguments.New(json.RawMessage(schema), tools["a"].Input, seed)
}

const rich = `{"type":"object","required":["s","n","list","pick"],"additionalProperties":false,"properties":{
	"s":{"type":"string","minLength":2,"maxLength":9},"n":{"type":"integer","minimum":3,"maximum":7,"multipleOf":2},
	"list":{"type":"array","items":{"$ref":"#/$defs/item"},"minItems":1,"maxItems":4},"pick":{"enum":["a",1,null]},
	"maybe":{"anyOf":[{"type":"null"},{"type":"object","properties":{"deep":{"$ref":"#/$defs/item"}}}]},
	"when":{"type":"string","format":"date-time"},"both":{"allOf":[{"type":"string"},{"maxLength":3}]}},
	"$defs":{"item":{"type":"object","required":["x"],"properties":{"x":{"type":"number"},"next":{"$ref":"#/$defs/item"}}}}}`

// TestMaker checks that valid arguments fit the schema, invalid ones do not, and the same
// seed gives the same arguments.
func TestMaker(t *testing.T) {
	different := map[string]bool{}
	for seed := range uint64(200) {
		m := maker(t, rich, seed)
		valid, ok := m.Valid()
		if !ok || !m.Fits(valid) {
			t.Fatalf("seed %d: %v", seed, valid)
		}
		data, _ := json.Marshal(valid)
		different[string(data)] = true
		if again, _ := maker(t, rich, seed).Valid(); !reflect.DeepEqual(valid, again) {
			t.Errorf("seed %d made %v and %v", seed, valid, again)
		}
		if wrong, why, ok := m.Invalid(); !ok || m.Fits(wrong) || why == "" {
			t.Errorf("seed %d: %v %s", seed, wrong, why)
		}
	}
	if len(different) < 150 {
		t.Errorf("only %d different arguments of 200", len(different))
	}
}

// TestMakerGivesUp checks that for a schema that nothing fits, or that this package cannot
// satisfy, nothing is generated, in bounded time.
func TestMakerGivesUp(t *testing.T) {
	for _, schema := range []string{
		`{"type":"object","required":["x"],"properties":{"x":{"not":{}}}}`,
		`{"type":"object","required":["x"],"properties":{"x":{"type":"string","pattern":"^[a-z]{9}[0-9]{9}$"}}}`,
		`{"type":"object","required":["x"],"properties":{"x":{"$ref":"#"}}}`,
	} {
		if made, ok := maker(t, schema, 1).Valid(); ok {
			t.Errorf("%s: %v", schema, made)
		}
	}
	if _, _, ok := maker(t, `{"type":"object"}`, 1).Invalid(); ok {
		t.Error("no invalid arguments were found")
	}
}

// FuzzMaker checks that no schema causes a panic or unbounded work, and that generated
// arguments fit.
func FuzzMaker(f *testing.F) {
	f.Add(rich, uint64(1))
	f.Add(`{"type":"object","properties":{"x":{"type":["integer"],"minimum":1e300,"multipleOf":1e-300}}}`, uint64(2))
	f.Add(`{"type":"object","properties":{"x":{"type":"array","minItems":-4,"maxItems":1e12}},"required":["x"]}`, uint64(3))
	f.Fuzz(func(t *testing.T, schema string, seed uint64) {
		tools, _ := contract.CheckTools([]json.RawMessage{json.RawMessage(`{"name":"a","inputSchema":` + schema + `}`)})
		tool, ok := tools["a"]
		if !ok || tool.Input == nil {
			return
		}
		m := arguments.New(json.RawMessage(schema), tool.Input, seed)
		if made, ok := m.Valid(); ok && !m.Fits(made) {
			t.Error(made)
		}
		m.Invalid()
	})
}
