package redact

// finder looks for secrets in one text.
type finder struct {
	text       string
	ix         *index
	spans      []span
	runs       [bodyCount]run
	quotes     [4]run // the last string read for each quote
	bare       run    // the last value without quotes
	nameEnd    int    // names before this are judged
	nearEnd    int    // values before this are judged by their neighbourhood
	assigned   int    // the end of the last value that assignAt judged
	contextEnd int    // the end of the last value that its line gave away
	commands   lineCommands
	pemDone    int // the end of the last END marker
	shortTo    int // after the first keyword, there is no long run up to here
	called     int // the end of the name of the last call with a user and a password
	noDigit    run // no digit stands in this
	noUser     int // there is no @ of a URL between the // before this and this

	tableEnd    int   // tables before this are read
	cells       []run // the hidden cells of the last table, in order
	manifestEnd int   // and so are objects of Kubernetes

	classes [classSlots]classified // of names that were met before
	phrase  []phraseWord           // the words that phraseRun returned last
}

// structureHeads are the pairs of characters that structureAt looks at; an a
// in the second place stands for any letter or digit where anyAfter says so.
var structureHeads = [...]string{
	"--", "-u", "ey", "//", "$2", "$1", "$5", "$6", "$a", "$y", "$p", "$P", "$H", "$S", "$k", "$s", "$8", "$9", "$7", "= ", "=\"", "='", "=>", ": ", ":\"", ":'", "Q~", "@t", "@u", "@/", " -", " >", "Pr", "ne", "NR", "|e", "MI", "MC", "MH", "b3",
}

// anyAfter are the characters that structureAt looks at before any letter or digit.
const anyAfter = "=:."

// digitAfter is the character that structureAt looks at before a digit.
const digitAfter = '['

const (
	maxDepth  = 3 // how deep runs of base64 and hex are decoded
	maxShadow = 2 // how many layers of escapes are taken off
)

// find returns the secrets in text, merged and fit to its placeholders. depth
// counts the layers of disguise and encoding that text was taken out of.
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

// scanPlain adds what the text shows as it is, or encoded.
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

// settled returns what f found, with the other places where it stands, fit to
// the placeholders in the text.
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

// scanShadow adds what stands in the text without its disguises.
func (e *Engine) scanShadow(f *finder, depth int) {
	s, ok := shadowOf(f.text)
	if !ok {
		return
	}
	for _, sp := range e.find(s.text, depth+1) {
		f.spans = append(f.spans, s.spanBack(f.text, sp))
	}
}

// scan walks the text once. At each pair of characters that can begin
// something it asks the formats, the structures and the names, in this order.
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

// at looks at position i and returns where to go on.
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

// tokenOfFormat hides the token of a published format at i and returns its end, 0
// where there is none.
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

// add keeps a find. A named value that is of a published format goes by that
// format's kind, which says more than its name.
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

// hasAt reports whether want stands at i.
func (f *finder) hasAt(i int, want string) bool {
	return i >= 0 && len(f.text)-i >= len(want) && f.text[i:i+len(want)] == want
}
