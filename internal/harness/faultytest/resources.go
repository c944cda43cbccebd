package faultytest

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	wordScheme = "word://"
	noteScheme = "note:///"
	fileScheme = "file://"
)

// templates returns the result of resources/templates/list.
func (s *server) templates() object {
	word := object{"uriTemplate": wordScheme + "{word}", "name": "word", "description": "A word in capitals."}
	note := object{"uriTemplate": noteScheme + "{+note}", "name": "note", "description": "A note of the folder."}
	if s.faults["template-hidden"] {
		word["description"] = "A word\u200b in capitals."
	}
	if s.faults["template-malformed"] {
		word["uriTemplate"] = wordScheme + "{word"
	}
	return object{"resourceTemplates": []object{word, note}}
}

// read answers resources/read.
func (s *server) read(r request, uri string) object {
	switch {
	case strings.HasPrefix(uri, wordScheme):
		return s.readWord(r, uri)
	case strings.HasPrefix(uri, noteScheme):
		path := strings.TrimPrefix(uri, noteScheme)
		return s.readFile(r, uri, path, s.faults["template-traversal"])
	case strings.HasPrefix(uri, fileScheme) && s.faults["read-any-file"]:
		data, err := os.ReadFile(filepath.FromSlash(strings.TrimPrefix(uri, fileScheme)))
		if err != nil {
			break
		}
		return success(r, contents(uri, string(data)))
	}
	return failure(r, -32002, "there is no such resource")
}

// readWord answers with the word of an address in capital letters.
func (s *server) readWord(r request, uri string) object {
	word, err := url.PathUnescape(strings.TrimPrefix(uri, wordScheme))
	if err != nil || word == "" {
		return failure(r, -32002, "there is no such word")
	}
	switch {
	case s.faults["template-crash"] && strings.Contains(word, `"`):
		os.Exit(3)
	case s.faults["template-silent"] && len(word) > 1000:
		time.Sleep(time.Minute)
	case s.faults["template-contents"]:
		return success(r, object{"contents": object{"uri": uri, "text": word}})
	case s.faults["template-evaluates"]:
		word = strings.ReplaceAll(word, "{{31337*7331}}", "229731547")
	}
	return success(r, contents(uri, strings.ToUpper(word)))
}

// readFile answers with a file of the folder, or with any file if path may leave the
// folder.
func (s *server) readFile(r request, uri, path string, anywhere bool) object {
	if !anywhere && !filepath.IsLocal(path) {
		return failure(r, -32002, "a note is in the folder")
	}
	data, err := os.ReadFile(filepath.Join(s.folder, path))
	if err != nil {
		return failure(r, -32002, "there is no such note")
	}
	return success(r, contents(uri, string(data)))
}

func contents(uri, text string) object {
	return object{"contents": []object{{"uri": uri, "text": text}}, "ttlMs": 0, "cacheScope": "private"}
}
