package cleantext

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRunesPerCharacter bounds how much a character may be made of on average, so
// that a short name is a short text as well.
const maxRunesPerCharacter = 8

// Characters counts what people see of a line: an accent, a skin tone, and all
// that is joined to one sign, such as a flag or a family, count with the
// character that they change. What does not show does not count. It follows the
// default grapheme clusters of Unicode (UAX #29) as far as names need it.
func Characters(line string) (n int) {
	joined, half := false, false // by the rune before: the next one belongs to it
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

// extends reports whether a rune changes the character in front of it.
func extends(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) ||
		r >= 0x1F3FB && r <= 0x1F3FF || // skin tones
		r >= 0x1160 && r <= 0x11FF || // vowels and endings of a Hangul syllable
		isInvisible(r)
}

// Within reports whether a line has at most so many characters.
func Within(line string, most int) bool {
	return Characters(line) <= most && utf8.RuneCountInString(line) <= most*maxRunesPerCharacter
}

// MaxName is how many characters of a name are shown where there are several.
const MaxName = 40

// maxRunesPerShown is maxRunesPerCharacter of a name that is cut.
const maxRunesPerShown = 2

// ShortName cleans a name for a list of them and cuts what is beyond MaxName.
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
