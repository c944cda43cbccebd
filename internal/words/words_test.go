package words_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/words"
)

func finder(t testing.TB, asked string) *words.Finder {
	t.Helper()
	terms, err := bridge.ParseSearch(asked)
	if err != nil {
		t.Fatal(err)
	}
	return words.New(terms)
}

// TestFind checks what is found. In want, the marks are written as brackets, and an
// empty string means that nothing is found.
func TestFind(t *testing.T) {
	for _, tt := range []struct{ name, asked, text, want string }{
		{"a word", "staging", "the Staging database", "the [Staging] database"},
		{"each place", "a", "a b A", "[a] b [A]"},
		{"a part of a word is none", "stag", "the staging database", ""},
		{"the beginning of a word", "stag*", "the staging database", "the [staging] database"},
		{"all terms", "database the", "the staging database", "[the] staging [database]"},
		{"one term is missing", "database nothing", "the staging database", ""},
		{"a phrase", `"staging database"`, "the staging, database", "the [staging, database]"},
		{"a phrase in another order", `"database staging"`, "the staging database", ""},
		{"a phrase that begins twice", `"a a b"`, "a a a b", "a [a a b]"},
		{"terms that overlap", `"a b" "b c"`, "a b c", "[a b c]"},
		{"accents of the text", "cafe", "the CAFÉ", "the [CAFÉ]"},
		{"accents of the question", "CAFÉ", "the cafe", "the [cafe]"},
		{"accents that stand alone", "café", "the cafe\u0301.", "the [cafe\u0301]."},
		{"letters of other scripts", "ПРИВЕТ", "- привет, мир", "- [привет], мир"},
		{"both small sigmas", "ΟΔΟΣ", "η οδός", "η [οδός]"},
		{"a long s", "last", "laſt", "[laſt]"},
		{"digits", "404", "error 404: no", "error [404]: no"},
		{"digits of a longer number", "404", "4040", ""},
		{"words between underscores", "user", "the user_id", "the [user]_id"},
		{"a dash asks for nothing", "- user", "the user", "the [user]"},
		{"a dash alone finds nothing", "-", "a - b", ""},
		{"a word at the end behind a sign of four bytes", "ok", "\U0001F600ok", "\U0001F600[ok]"},
		{"a long word", strings.Repeat("ab", 50), "x " + strings.Repeat("AB", 50), "x [" + strings.Repeat("AB", 50) + "]"},
		{"a long word that ends otherwise", strings.Repeat("ab", 50), strings.Repeat("ab", 49) + "ac", ""},
		{"bytes that are not text", "ok", "\xff\xfeok\x80", "\xff\xfe[ok]\x80"},
		{"no text", "ok", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			marked, ok := finder(t, tt.asked).Find(tt.text)
			got := strings.NewReplacer(bridge.MarkBegin, "[", bridge.MarkEnd, "]").Replace(marked)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("found %q, %t, want %q", got, ok, tt.want)
			}
		})
	}
}

var runs = regexp.MustCompile(`[\pL\pN\pM]+`)

// plain is a simple implementation without optimizations: it compares the words of both
// texts one by one.
func plain(asked, text string) bool {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFD.String(s))
	}
	want := bare(asked)
	for _, word := range runs.FindAllString(text, -1) {
		if strings.EqualFold(bare(word), want) {
			return true
		}
	}
	return false
}

// TestFindsAllThatThereIs compares with the simple implementation, on texts of characters
// that are easily confused.
func TestFindsAllThatThereIs(t *testing.T) {
	signs := []string{"a", "b", "K", "\u212a", "é", "e", "e\u0301", "s", "ſ", "ß", "σ", "ς", "Σ", "ö", "O", "\u0308", " ", " ", "-", "—", "İ", "i", "1", "²", "\U0001F600", "你", "\xff"}
	random := rand.New(rand.NewPCG(1, 2)) // the same texts in every run
	some := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(signs[random.IntN(len(signs))])
		}
		return b.String()
	}
	hits := 0
	for range 10_000 {
		text := some(1 + random.IntN(12))
		asked := runs.FindString(some(1 + random.IntN(3)))
		if asked == "" || strings.Trim(asked, "\u0308\u0301") == "" {
			continue
		}
		want := plain(asked, text)
		if _, got := words.New([]bridge.SearchTerm{{Words: asked}}).Find(text); got != want {
			t.Fatalf("%q in %q: found %t, want %t", asked, text, got, want)
		}
		if want {
			hits++
		}
	}
	if hits < 100 {
		t.Errorf("only %d of the texts hold their word, so that this shows little", hits)
	}
}

// BenchmarkFind searches for a word that does not occur, in messages of 40 words,
// some with characters beyond ASCII.
func BenchmarkFind(b *testing.B) {
	f := finder(b, "endpoint")
	text := strings.Repeat("the migration rolls back — as agreed ", 6)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, ok := f.Find(text); ok {
			b.Fatal("found")
		}
	}
}
