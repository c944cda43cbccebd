package faultytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// serveStdio answers until its input ends.
func (s *server) serveStdio(in io.Reader, out io.Writer) int {
	if s.faults["stray-start"] {
		_, _ = io.WriteString(out, "faulty server, version 1, ready\n")
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r request
		if json.Unmarshal(line, &r) != nil || r.ID == nil || r.Method == "" || s.faults["silent-start"] {
			continue
		}
		if s.faults["flood"] && r.Method == "tools/call" {
			for {
				if _, err := io.WriteString(out, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"again"}}`+"\n"); err != nil {
					return 1
				}
			}
		}
		for _, frame := range s.frames(r) {
			_, _ = out.Write(append(frame, '\n'))
		}
	}
	return s.end()
}

// end performs what the server does when its input has ended.
func (s *server) end() int {
	switch {
	case s.faults["ignore-term"]:
		time.Sleep(time.Minute)
	case s.faults["exit-code"]:
		return 4
	}
	return 0
}

// frames returns the lines that are written for one request.
func (s *server) frames(r request) [][]byte {
	call := r.Method == "tools/call"
	if call {
		s.before()
	}
	answer := s.answer(r)
	frame, _ := json.Marshal(answer)
	if s.faults["ask-client"] && call {
		return [][]byte{[]byte(`{"jsonrpc":"2.0","id":"s1","method":"roots/list"}`), frame}
	}
	if !call {
		return [][]byte{frame}
	}
	return s.distort(r, answer, frame)
}

// before performs what a fault does before a call is answered.
func (s *server) before() {
	time.Sleep(s.work)
	switch {
	case s.faults["crash-call"]:
		os.Exit(3)
	case s.faults["slow"]:
		time.Sleep(400 * time.Millisecond)
	case s.faults["child-detached"]:
		s.leaveChild(true)
	case s.faults["child-left"]:
		s.leaveChild(false)
	}
}

// leaveChild starts a process that outlives the server and holds none of its streams.
func (s *server) leaveChild(detached bool) {
	child := exec.Command(os.Args[0], "--child")
	if detached {
		detach(child)
	}
	if child.Start() == nil {
		_ = child.Process.Release()
	}
}

// distort changes the correct answer to a call as a fault does.
func (s *server) distort(r request, answer object, frame []byte) [][]byte {
	other := func(change func(object)) [][]byte {
		change(answer)
		changed, _ := json.Marshal(answer)
		return [][]byte{changed}
	}
	for fault, distorted := range map[string]func() [][]byte{
		"stray-line":       func() [][]byte { return [][]byte{[]byte("INFO a tool was called"), frame} },
		"stray-json":       func() [][]byte { return [][]byte{[]byte(`{"level":"info","msg":"a tool was called"}`), frame} },
		"garbage":          func() [][]byte { return [][]byte{frame[:len(frame)/2]} },
		"invalid-utf8":     func() [][]byte { return [][]byte{bytes.Replace(frame, []byte("content"), []byte("\xff\xfe"), 1)} },
		"deep-answer":      func() [][]byte { return [][]byte{[]byte(strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000))} },
		"batch-answer":     func() [][]byte { return [][]byte{[]byte("[" + string(frame) + "]")} },
		"no-version":       func() [][]byte { return other(func(o object) { delete(o, "jsonrpc") }) },
		"result-and-error": func() [][]byte { return other(func(o object) { o["error"] = object{"code": 1, "message": "both"} }) },
		"no-result":        func() [][]byte { return other(func(o object) { delete(o, "result") }) },
		"bad-error": func() [][]byte {
			return other(func(o object) { delete(o, "result"); o["error"] = object{"code": "E1", "message": "no"} })
		},
		"wrong-id":     func() [][]byte { return other(func(o object) { o["id"] = 987654 }) },
		"id-as-text":   func() [][]byte { return other(func(o object) { o["id"] = string(r.ID) }) },
		"null-id":      func() [][]byte { return other(func(o object) { o["id"] = nil }) },
		"answer-twice": func() [][]byte { return [][]byte{frame, frame} },
		"silent-call":  func() [][]byte { return nil },
		"huge-answer":  func() [][]byte { return [][]byte{hugeAnswer(r)} },
	} {
		if s.faults[fault] {
			return distorted()
		}
	}
	return [][]byte{frame}
}

// hugeAnswer returns an answer of more than 50 MB. It is assembled directly, because
// encoding such a text can take longer than a client waits.
func hugeAnswer(r request) []byte {
	const mark = "TEXT"
	frame, _ := json.Marshal(success(r, textResult(mark)))
	return bytes.Replace(frame, []byte(mark), bytes.Repeat([]byte("x"), 50_000_000), 1)
}
