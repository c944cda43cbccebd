package cleantext

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRunesPerCharacter limits the average number of runes per character, so that
// a short name is a short text too.
const maxRunesPerCharacter = 8

// Characters returns the number of visible characters in a line. An accent or a
// skin tone counts with the character that it changes, and everything joined
// into one sign, such as a flag or a family, counts as one. Invisible
// characters do not count. It follows the default grapheme clusters of Unicode
// (UAX #29) as far as names need it.
func Characters(line string) (n int) {
	joined, half := false, false // because of the previous rune, the next one belongs to the same character
	for _, r := range strings.TrimSpace(line) {
		regional := r >= 0x1F1E6 && r <= 0x1F1FF
		switch {
		case r == zeroWidthJoiner:
			joined = n > 0
			continue
		case extends(r) || !unicode.IsGraphic(r):
			continue
		case !joined && !(regional && half):
			n++
			half = regional
		default:
			half = false
		}
		joined = false
	}
	return n
}

const zeroWidthJoiner = '\u200d'

// extends reports whether a rune belongs to the character before it.
func extends(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) ||
		r >= 0x1F3FB && r <= 0x1F3FF || // skin tones
		r >= 0x1160 && r <= 0x11FF || // vowels and endings of a Hangul syllable
		isInvisible(r)
}

// Within reports whether a line has at most the given number of characters.
func Within(line string, most int) bool {
	return Characters(line) <= most && utf8.RuneCountInString(line) <= most*maxRunesPerCharacter
}

// MaxName is the number of characters to which a name in a list is shortened.
const MaxName = 40

// maxRunesPerShown is like maxRunesPerCharacter, for a name that is shortened.
const maxRunesPerShown = 2

// ShortName cleans a name for a list and shortens it to MaxName characters.
func ShortName(name string) string {
	runes := []rune(Field(name))
	fits := func(end int) bool {
		return end <= MaxName*maxRunesPerShown && Characters(string(runes[:end])) <= MaxName
	}
	if fits(len(runes)) {
		return string(runes)
	}
	end := sort.Search(len(runes), func(end int) bool { return !fits(end + 1) })
	return string(runes[:end]) + "…"
}
