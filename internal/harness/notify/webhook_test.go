package notify_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/notify"
)

func TestWebhook(t *testing.T) {
	var got map[string]string
	answer := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v %v", err, r.Header)
		}
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(answer)
	}))
	defer s.Close()
	hook := notify.Webhook{URL: s.URL + "/services/secret-part", Channel: "#reports"}
	if err := hook.Send(t.Context(), notify.Message{Subject: "1 finding", Text: "<!channel> & more"}); err != nil {
		t.Fatal(err)
	}
	if got["text"] != "1 finding\n&lt;!channel&gt; &amp; more" || got["channel"] != "#reports" {
		t.Errorf("posted %v", got)
	}
	for _, answer = range []int{http.StatusNotFound, http.StatusFound} {
		err := hook.Send(t.Context(), notify.Message{Subject: "x"})
		if err == nil || !strings.Contains(err.Error(), "status") || strings.Contains(err.Error(), "secret-part") {
			t.Errorf("status %d: %v", answer, err)
		}
	}
	s.Close()
	if err := hook.Send(t.Context(), notify.Message{Subject: "x"}); err == nil || strings.Contains(err.Error(), "secret-part") {
		t.Errorf("a server that is gone: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://hooks.example.org/x": true, "http://127.0.0.1:1/x": true, "http://localhost/x": true,
		"http://hooks.example.org/x": false, "ftp://127.0.0.1/x": false, "hooks": false, "": false,
	} {
		if err := notify.CheckURL(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}
