package cli_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// receiver simulates what an operator would put behind --webhook. It knows the secret
// and the documented signature, and uses none of bridge's code.
type receiver struct {
	mu      sync.Mutex
	secret  []byte
	answers []string // codes, or URLs to redirect to; the last one is repeated
}

// receiverMain is the program receiver SECRET ANSWER...: it prints its URL, and then a
// line for each request with its properties and the answer.
func receiverMain() int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || len(os.Args) < 3 {
		return fatal(fmt.Errorf("usage: receiver secret answers...: %w", err))
	}
	fmt.Printf("http://%s/canary-path\n", listener.Addr())
	r := &receiver{secret: []byte(os.Args[1]), answers: os.Args[2:]}
	return fatal(http.Serve(listener, r))
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	answer := r.answers[0]
	if len(r.answers) > 1 {
		r.answers = r.answers[1:]
	}
	var event struct {
		Event   string `json:"event"`
		AlertID int64  `json:"alert_id"`
	}
	problem := r.examine(req, body)
	if err != nil || json.Unmarshal(body, &event) != nil {
		problem = "no event"
	}
	fmt.Printf("%s alert %d: %s, answered %s\n", event.Event, event.AlertID, problem, answer)
	if code, err := strconv.Atoi(answer); err == nil {
		w.WriteHeader(code)
		return
	}
	w.Header().Set("Location", answer)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// examine returns what is wrong with a request, or "signed".
func (r *receiver) examine(req *http.Request, body []byte) string {
	stamp := req.Header.Get("X-Bridge-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte(stamp))
	mac.Write([]byte("."))
	mac.Write(body)
	switch {
	case req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json":
		return "no JSON post"
	case err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute:
		return "wrong time"
	case !hmac.Equal([]byte("sha256="+hex.EncodeToString(mac.Sum(nil))), []byte(req.Header.Get("X-Bridge-Signature"))):
		return "wrong signature"
	}
	return "signed"
}
