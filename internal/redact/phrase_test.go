package redact_test

import (
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// phrase returns a recovery phrase of n words.
func (g generator) phrase(n int) []string {
	check := n / 3
	data := make([]byte, (n*11-check)/8)
	for i := range data {
		data[i] = byte(g.IntN(256))
	}
	sum := sha256.Sum256(data)
	v := new(big.Int).SetBytes(append(slices.Clone(data), sum[0]))
	v.Rsh(v, uint(8-check))
	list, radix := redact.PhraseWords(), big.NewInt(2048)
	words := make([]string, n)
	for i := n - 1; i >= 0; i-- {
		var r big.Int
		v.DivMod(v, radix, &r)
		words[i] = list[r.Int64()]
	}
	return words
}

// TestPhraseList compares the checksum of the list with that of the published
// list.
func TestPhraseList(t *testing.T) {
	words := redact.PhraseWords()
	if len(words) != 2048 || !slices.IsSorted(words) || crc32.ChecksumIEEE([]byte(strings.Join(words, "\n")+"\n")) != 0xC1DBD296 {
		t.Error("the list is not the one of BIP 39")
	}
}

// TestRedactPhrases checks that recovery phrases without a name are hidden, and
// that the text around them is not.
func TestRedactPhrases(t *testing.T) {
	for seed := range uint64(60) {
		g := seeded(seed)
		for _, n := range []int{12, 15, 18, 21, 24} {
			words := g.phrase(n)
			numbered := ""
			for i, w := range words {
				numbered += string(rune('a'+i%26)) + "|" + w + "\n"
			}
			for _, c := range []struct{ before, secret, after string }{
				{"", strings.Join(words, " "), ""},
				{"Backup of it:\n\n", strings.Join(words, " "), "\n\nKeep it.\n"},
				{"I wrote down: ", strings.Join(words, ", "), ".\nPORT=80\n"},
				{"1. ", strings.Join(words, "\n2. "), "\nDone\n"},
				{`{"w": ["`, strings.Join(words, `","`), `"], "n": 1}`},
				{strings.Repeat("The Quick Brown Fox. ", 40), strings.Join(words, "\n"), "\n"},
			} {
				in := c.before + c.secret + c.after
				if out := redactString(in); out != c.before+"SECRET_REDACTED"+c.after {
					t.Errorf("seed %d: Redact(%q) = %q", seed, in, out)
				}
			}
			if in := numbered; redactString(in) != in {
				t.Errorf("a table of words became %q", redactString(in))
			}
		}
	}
}

// TestRedactSeveralPhrases checks that phrases on separate lines are hidden.
func TestRedactSeveralPhrases(t *testing.T) {
	g := newGenerator()
	var lines []string
	for range 6 {
		lines = append(lines, strings.Join(g.phrase(12), " "))
	}
	if out := redactString(strings.Join(lines, "\n") + "\n"); out != strings.Repeat("SECRET_REDACTED\n", 6) {
		t.Errorf("six phrases became %q", out)
	}
}

// TestRedactLeavesWords checks that the list of words, and words of it with a
// wrong checksum, are not hidden.
func TestRedactLeavesWords(t *testing.T) {
	list := redact.PhraseWords()
	for _, in := range []string{strings.Join(list, "\n"), strings.Join(list, " ")} {
		if out := redactString(in); out != in {
			t.Errorf("the list was altered: %d of %d bytes", len(out), len(in))
		}
	}
	g := newGenerator()
	for range 200 {
		var flags []string
		for range 20 {
			flags = append(flags, g.pick("true", "false"))
		}
		if in := "want := []bool{" + strings.Join(flags, ", ") + "}"; redactString(in) != in {
			t.Fatalf("Redact(%q) = %q", in, redactString(in))
		}
	}
	words := g.phrase(12)
	for _, last := range list {
		in := strings.Join(append(slices.Clone(words[:11]), last), " ")
		if (redactString(in) != in) != slices.ContainsFunc(phrasesFrom(words[:11]), func(s string) bool { return s == last }) {
			t.Fatalf("Redact(%q) = %q", in, redactString(in))
		}
	}
}

// phrasesFrom returns the words with which a phrase that begins with the given
// eleven words can end.
func phrasesFrom(words []string) []string {
	list := redact.PhraseWords()
	v := new(big.Int)
	for _, w := range words {
		k, _ := slices.BinarySearch(list, w)
		v.Add(v.Lsh(v, 11), big.NewInt(int64(k)))
	}
	var last []string
	for high := range int64(128) {
		data := new(big.Int).Add(new(big.Int).Lsh(v, 7), big.NewInt(high)).FillBytes(make([]byte, 16))
		sum := sha256.Sum256(data)
		last = append(last, list[high<<4|int64(sum[0]>>4)])
	}
	return last
}
