package redact

// finder holds the state of a search for secrets in one text.
type finder struct {
	text       string
	ix         *index
	spans      []span
	runs       [bodyCount]run
	quotes     [4]run // the last string read, for each quote
	bare       run    // the last value without quotes
	nameEnd    int    // names before this position have been judged
	nearEnd    int    // near has judged the values before this position
	assigned   int    // end of the last value that assignAt judged
	contextEnd int    // end of the last value that the words on its line identified
	commands   lineCommands
	pemDone    int // end of the last END marker
	shortTo    int // there is no long run between the first keyword and this position
	called     int // end of the name in the last call with a user and a password
	noDigit    run // a range without digits
	noUser     int // no @ of a URL is between the // before this position and this position

	tableEnd    int   // tables before this position have been read
	cells       []run // the hidden cells of the last table, in order
	manifestEnd int   // objects of Kubernetes before this position have been read

	classes [classSlots]classified // a cache of names in the text
	phrase  []phraseWord           // the words that the last call of phraseRun returned
}

// structureHeads are the pairs of characters at which structureAt checks for a
// structure. An a in the second place stands for any letter or digit if the first
// character is in anyAfter.
var structureHeads = [...]string{
	"--", "-u", "ey", "//", "$2", "$1", "$5", "$6", "$a", "$y", "$p", "$P", "$H", "$S", "$k", "$s", "$8", "$9", "$7", "= ", "=\"", "='", "=>", ": ", ":\"", ":'", "Q~", "@t", "@u", "@/", " -", " >", "Pr", "ne", "NR", "|e", "MI", "MC", "MH", "b3",
}

// anyAfter are the characters at which structureAt checks for a structure before
// any letter or digit.
const anyAfter = "=:."

// digitAfter is the character at which structureAt checks for a structure before
// a digit.
const digitAfter = '['

const (
	maxDepth  = 3 // how many levels of base64 and hex are decoded
	maxShadow = 2 // how many levels of escapes are decoded
)

// find returns the secrets in text, merged and adjusted to its placeholders.
// depth is how many levels of disguise and encoding have been removed to obtain
// text.
func (e *Engine) find(text string, depth int) []span {
	f := e.newFinder(text)
	e.scanPlain(f, depth)
	if depth < maxShadow {
		e.scanShadow(f, depth)
	}
	return e.settled(f, depth)
}

func (e *Engine) newFinder(text string) *finder {
	return &finder{text: text, ix: builtinIndex()}
}

// scanPlain adds the secrets in the text as it is, and in the base64 and hex that
// it contains.
func (e *Engine) scanPlain(f *finder, depth int) {
	f.scan()
	f.phrases()
	if depth < maxDepth {
		e.decodeRuns(f, depth)
	}
	for i := range e.rules {
		f.spans = e.rules[i].spans(f.spans, f.text)
	}
}

// settled returns the secrets that f has found and the other places where their
// values occur, adjusted to the placeholders in the text.
func (e *Engine) settled(f *finder, depth int) []span {
	if len(f.spans) == 0 {
		return nil
	}
	marks := e.marks(f.text)
	spans := settle(merge(e.drop(f.spans, f.text)), marks)
	if depth == 0 {
		spans = settle(merge(e.drop(copies(spans, f.text), f.text)), marks)
	}
	f.spans = nil
	return merge(spans)
}

// scanShadow adds the secrets in the text without its disguises.
func (e *Engine) scanShadow(f *finder, depth int) {
	s, ok := shadowOf(f.text)
	if !ok {
		return
	}
	for _, sp := range e.find(s.text, depth+1) {
		f.spans = append(f.spans, s.spanBack(f.text, sp))
	}
}

// scan walks the text once. At each pair of characters that can begin a secret,
// it tries the formats, the structures, the labels and the names, in this order.
func (f *finder) scan() {
	text := f.text
	for i := 0; i+1 < len(text); {
		if !f.ix.has(text[i], text[i+1]) {
			i++
			continue
		}
		i = f.at(i)
	}
}

// at looks for a secret at position i. It returns the position at which to
// continue.
func (f *finder) at(i int) int {
	if len(f.cells) > 0 {
		if end := f.hiddenCell(i); end > i {
			return end
		}
	}
	if f.ix.formats[asciiPair(f.text[i], f.text[i+1])] != 0 {
		if end := f.tokenOfFormat(i); end > 0 {
			return end
		}
	}
	if end := f.structureAt(i); end > i {
		return end
	}
	if hasPair(&f.ix.labelHeads, f.text[i], f.text[i+1]) {
		if end := f.labelAt(i, f.ix.labels[f.text[i]]); end > i {
			return end
		}
	}
	if i >= f.nameEnd {
		if end := f.nameAt(i); end > i {
			return end
		}
	}
	return i + 1
}

// tokenOfFormat hides the token of a published format at i. It returns the
// token's end, or 0 if there is none.
func (f *finder) tokenOfFormat(i int) int {
	end, row := f.formatAt(i)
	if end == 0 {
		return 0
	}
	f.add(i, end, row.kind, rankFormat)
	if row.kind == kindAWS {
		f.awsSecretAfter(end)
	}
	return end
}

// add records a secret. A named value that has a published format gets the kind
// of that format, which is more specific than the name.
func (f *finder) add(start, end int, kind string, r rank) {
	if r == rankName && start+1 < end {
		if formatEnd, row := f.formatAt(start); formatEnd == end {
			kind, r = row.kind, rankFormat
		} else if f.jwtEnd(start) == end {
			kind, r = kindJWT, rankFormat
		}
	}
	if start < end {
		f.spans = append(f.spans, span{start, end, kind, r})
	}
}

// hasAt reports whether want is at position i.
func (f *finder) hasAt(i int, want string) bool {
	return i >= 0 && len(f.text)-i >= len(want) && f.text[i:i+len(want)] == want
}
