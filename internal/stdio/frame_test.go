package stdio_test

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBadFramesAreAnswered(t *testing.T) {
	const parse, invalid = "null -32700", "null -32600"
	deep := strings.Repeat("[", 200_000)
	tests := []struct {
		name, input string
		want        []string
	}{
		{"cut off", `{"jsonrpc":"2.0","id":1`, []string{parse}},
		{"no JSON", `hello there`, []string{parse}},
		{"trailing text", ping("1") + ` x`, []string{parse}},
		{"two on a line", ping("1") + ping("2"), []string{parse}},
		{"invalid UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\xff\"}", []string{parse}},
		{"UTF-16", "\xff\xfe{\x00}\x00", []string{parse}},
		{"raw NUL", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\x00ng\"}", []string{parse}},
		{"deep arrays", deep, []string{parse}},
		{"deep and closed", deep + strings.Repeat("]", 200_000), []string{parse}},
		{"deep params", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}}`, []string{"1 -32602"}},
		{"a number", `42`, []string{invalid}},
		{"a string", `"ping"`, []string{invalid}},
		{"null", `null`, []string{invalid}},
		{"empty object", `{}`, []string{invalid}},
		{"empty batch", `[]`, []string{invalid}},
		{"no version", `{"id":1,"method":"ping"}`, []string{"1 -32600"}},
		{"wrong version", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, []string{"1 -32600"}},
		{"number as version", `{"jsonrpc":2.0,"id":1,"method":"ping"}`, []string{"1 -32600"}},
		{"no method", `{"jsonrpc":"2.0","id":7}`, []string{"7 -32600"}},
		{"number as method", `{"jsonrpc":"2.0","id":"x","method":1}`, []string{`"x" -32600`}},
		{"null as method", `{"jsonrpc":"2.0","id":"x","method":null}`, []string{`"x" -32600`}},
		{"wrong case", `{"JSONRPC":"2.0","ID":1,"METHOD":"ping"}`, []string{invalid}},
		{"null id", ping("null"), []string{invalid}},
		{"object id", ping(`{"a":1}`), []string{invalid}},
		{"fractional id", ping("1.5"), []string{invalid}},
		{"huge id", ping("1e999"), []string{invalid}},
		{"long integer id", ping(strings.Repeat("9", 100)), []string{invalid}},
		{"array params", `{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}`, []string{"1 -32600"}},
		{"scalar params", `{"jsonrpc":"2.0","id":1,"method":"ping","params":"bar"}`, []string{"1 -32600"}},
		{"notification with id", `{"jsonrpc":"2.0","id":1,"method":"notifications/cancelled","params":{"requestId":2}}`, []string{"1 -32600"}},
		{"unknown method", hello("2025-06-18") + "\n" + `{"jsonrpc":"2.0","id":1,"method":"nope"}`, []string{"1 -32601"}},
		{"before the handshake", callTool("1", "echo", `"x"`), []string{"1 -32600"}},
		{"batch", `[` + ping("1") + `]`, []string{invalid}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := append([]string{`"after" ok`}, tt.want...)
			got := briefs(t, tt.input+"\n"+ping(`"after"`)+"\n")
			if !sameSet(got, want) {
				t.Errorf("answers %q, want %q", got, want)
			}
		})
	}
}

func TestGoodFramesAreAnswered(t *testing.T) {
	tests := []struct {
		name, input string
		want        []string
	}{
		{"no newline at the end", ping("1"), []string{"1 ok"}},
		{"white space", "\n \t \n\r\n" + ping("1") + "\n\n", []string{"1 ok"}},
		{"CRLF", ping("1") + "\r\n" + ping("2") + "\r\n", []string{"1 ok", "2 ok"}},
		{"byte order mark", "\ufeff" + ping("1") + "\n", []string{"1 ok"}},
		{"null params", `{"jsonrpc":"2.0","id":1,"method":"ping","params":null}`, []string{"1 ok"}},
		{"white space inside", " { \"jsonrpc\" :\t\"2.0\" , \"id\": 1 , \"method\" : \"ping\" } ", []string{"1 ok"}},
		{"unknown members", `{"jsonrpc":"2.0","id":1,"method":"ping","x":{"id":5,"result":1}}`, []string{"1 ok"}},
		{"escaped method", `{"jsonrpc":"2.0","id":1,"method":"\u0070ing"}`, []string{"1 ok"}},
		{"notification", `{"jsonrpc":"2.0","method":"nope"}`, nil},
		{"unknown response", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil},
		{"response of null", `{"jsonrpc":"2.0","id":1,"result":null}`, nil},
		{"error without id", `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}`, nil},
		{"unreadable error", `{"jsonrpc":"2.0","id":5,"error":17}`, nil},
		{"unknown cancellation", cancelled("99"), nil},
		{"odd cancellation", cancelled(`{"a":1}`), nil},
		{"empty cancellation", `{"jsonrpc":"2.0","method":"notifications/cancelled"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := briefs(t, tt.input); !sameSet(got, tt.want) {
				t.Errorf("answers %q, want %q", got, tt.want)
			}
		})
	}
}

func TestIDsComeBackAsWritten(t *testing.T) {
	for _, id := range []string{
		`0`, `-1`, `1.0`, `1e2`, `9007199254740992`, `9007199254740993`, `-18446744073709551615`,
		`""`, `"1"`, `"\u0061\/"`, `"\ud800"`, `"<&>"`, "\"\u2028\"", `"` + strings.Repeat("x", 100_000) + `"`,
	} {
		want := []string{id + " ok"}
		if diff := cmp.Diff(want, briefs(t, ping(id)+"\n")); diff != "" {
			t.Errorf("id %.40s (-want +got):\n%s", id, diff)
		}
	}
}

func TestStringsSurvive(t *testing.T) {
	for name, text := range map[string]string{
		"lone high surrogate": `"a\ud800b"`,
		"lone low surrogate":  `"\udc00"`,
		"reversed surrogates": `"\udc00\ud800"`,
		"pair":                `"\ud83d\ude00"`,
		"NUL":                 `"a\u0000b"`,
		"line separators":     "\"a\u2028b\u2029c\u0085d\"",
		"mark-up":             `"</system-reminder>&"`,
		"newline":             `"a\nb\r\n"`,
		"byte order mark":     "\"\ufeff\"",
		"long":                `"` + strings.Repeat("0123456789", 100_000) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			var want string
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatal(err)
			}
			lines := pipeline(t, strings.NewReader(hello("2025-06-18")+"\n"+callTool("1", "echo", text)+"\n"))
			if len(lines) != 2 || lines[1][0].text() != want {
				t.Errorf("echo of %.60s differs", text)
			}
		})
	}
}

func TestFrameLimit(t *testing.T) {
	const limit = 8 << 20
	frame := func(size int) string {
		head, tail := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"`, `"}}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	for _, tt := range []struct {
		name string
		size int
		end  string
		want string
	}{
		{"at the limit", limit, "\n", "1 ok"},
		{"at the limit, unended", limit, "", "1 ok"},
		{"over", limit + 1, "\n", "1 -32600"},
		{"over, unended", limit + 1, "", "1 -32600"},
	} {
		if got := briefs(t, frame(tt.size)+tt.end); !sameSet(got, []string{tt.want}) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestIDOfLongFrameIsRecovered(t *testing.T) {
	long := `"` + strings.Repeat("x", 9<<20) + `"`
	// The first 64 KiB are kept; they end in the middle of the digits.
	cut := `{"x":"` + strings.Repeat("x", 64<<10-len(`{"x":"","id":123`)) + `","id":1234567,"t":` + long + `}`
	tests := []struct{ name, input, want string }{
		{"an integer cut off", cut, `null`},
		{"first", `{"id":"a","params":{"t":` + long + `}}`, `"a"`},
		{"after nested ids", `{"params":{"id":1,"a":[{"id":2}]},"id":3,"x":` + long + `}`, `3`},
		{"at the end", `{"x":` + long + `,"id":3}`, `null`},
		{"nested only", `{"params":{"id":1,"t":` + long + `}}`, `null`},
		{"in a string", `{"a":"\"id\":1,","t":` + long + `}`, `null`},
		{"itself too long", `{"id":` + long + `}`, `null`},
		{"a number cut off", `{"id":` + strings.Repeat("1", 9<<20) + `}`, `null`},
		{"an object", `{"id":{"id":1},"t":` + long + `}`, `null`},
		{"a fraction", `{"id":1.5,"t":` + long + `}`, `null`},
		{"a response", `{"id":1,"result":` + long + `}`, `null`},
		{"a batch", `[{"id":1,"t":` + long + `}]`, `null`},
		{"no JSON", strings.Repeat("x", 9<<20), `null`},
		{"byte order mark", "\ufeff" + `{"id":1,"t":` + long + `}`, `1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := []string{tt.want + " -32600", `"after" ok`}
			if got := briefs(t, tt.input+"\n"+ping(`"after"`)); !sameSet(got, want) {
				t.Errorf("answers %q, want %q", got, want)
			}
		})
	}
}

// TestHugeFrameInBoundedMemory measures total allocation, which is an upper bound for the
// memory held at any one time.
func TestHugeFrameInBoundedMemory(t *testing.T) {
	const size, allowed = 100 << 20, 64 << 20
	input := io.MultiReader(
		strings.NewReader(`{"jsonrpc":"2.0","id":5,"method":"ping","params":"`),
		io.LimitReader(endless{}, size),
		strings.NewReader("\"}\n"+ping("6")+"\n"),
	)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	lines := pipeline(t, input)
	runtime.ReadMemStats(&after)

	var got []string
	for _, line := range lines {
		got = append(got, line[0].brief())
	}
	if want := []string{"5 -32600", "6 ok"}; !sameSet(got, want) {
		t.Errorf("answers %q, want %q", got, want)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > allowed {
		t.Errorf("a frame of %d MiB allocated %d MiB, want at most %d", size>>20, used>>20, allowed>>20)
	}
}

// endless is a reader that returns the letter a without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestErrorsEchoNoLongValue(t *testing.T) {
	long := strings.Repeat("verysecret", 10_000)
	for name, input := range map[string]string{
		"wrong type of a name": fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5,"x":%q}}`, long),
		"unknown method":       fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q}`, long),
		"unknown tool":         fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q}}`, long),
		"unknown resource":     fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":%q}}`, long),
		"bad handshake":        fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":%q}}`, long),
	} {
		t.Run(name, func(t *testing.T) {
			var found bool
			for _, line := range pipeline(t, strings.NewReader(hello("2025-06-18")+"\n"+input)) {
				a := line[0]
				if string(a.ID) != "1" {
					continue
				}
				found = true
				if a.Error == nil || len(a.Error.Message) > 450 || a.Error.Code == 0 {
					t.Errorf("answered with %.100s, an error of %d bytes", a.brief(), len(a.Error.Message))
				}
				if len(a.Error.Data) > 450 {
					t.Errorf("the error has %d bytes of data", len(a.Error.Data))
				}
				if !strings.HasPrefix(name, "unknown") && strings.Contains(a.Error.Message, "verysecret") {
					t.Errorf("the error quotes the request: %s", a.Error.Message)
				}
			}
			if !found {
				t.Error("not answered")
			}
		})
	}
}

// sameSet compares answers regardless of order, since calls run concurrently.
func sameSet(got, want []string) bool {
	count := make(map[string]int)
	for _, s := range got {
		count[s]++
	}
	for _, s := range want {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
