package redact

import "strings"

// Secret objects of Kubernetes, in which all values are secret, whatever their
// names.

// maxManifest limits the size of one object, in bytes.
const maxManifest = 64 << 10

// manifestAt hides the values below data: and stringData: in the object whose
// "kind: Secret" ends with the word at i.
func (f *finder) manifestAt(i int) {
	text := f.text
	if !strings.HasSuffix(text[:i], "kind: ") || !endsLine(text, i+len("Secret")) {
		return
	}
	start := max(0, i-maxManifest)
	if k := strings.LastIndex(text[start:i], "\n---"); k >= 0 {
		start += k + 1
	}
	start = max(start, f.manifestEnd)
	end := min(len(text), i+maxManifest)
	if k := strings.Index(text[i:end], "\n---"); k >= 0 {
		end = i + k
	}
	f.manifestEnd = end
	inData, plain := -1, false // the indentation of data:, and whether its values are plain text
	for at := start; at < end; {
		stop := min(end, lineEnd(text, at))
		line := strings.TrimRight(text[at:stop], " \r")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch body := line[indent:]; {
		case body == "data:" || body == "stringData:":
			inData, plain = indent, body == "stringData:"
		case inData >= 0 && indent <= inData && body != "":
			inData = -1
		case inData >= 0:
			f.manifestValue(at+indent, at+len(line), plain)
		}
		at = stop + 1
	}
}

// manifestValue hides the value of the line "name: value" from i to end.
func (f *finder) manifestValue(i, end int, plain bool) {
	k := strings.Index(f.text[i:end], ": ")
	if k < 0 {
		return
	}
	v := trimCell(f.text, i+k+2, end)
	s := f.text[v.start:v.end]
	if len(s) < 4 || isPlaceholder(s) || s[0] == '|' || s[0] == '>' {
		return
	}
	if b, ok := decode64(s); !plain && (!ok || len(b) < 3 || len(s)%4 != 0) {
		return
	}
	f.add(v.start, v.end, kindSecret, rankNear)
}
