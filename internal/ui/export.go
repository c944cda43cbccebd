package ui

import (
	"encoding/json"
	"net/http"
	"time"

	"example.org/bridge/internal/view"
)

// exportPage is how many messages an export reads at a time.
const exportPage = 200

// export sends all messages of a conversation as a file with one JSON document per line,
// the output of `bridge export --format jsonl`. It is recorded like viewing the transcript.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	o, err := s.Bridge.Conversation(r.Context(), r.PathValue("id"))
	if err == nil {
		err = s.Bridge.RecordReading(r.Context(), o.ID)
	}
	if err != nil {
		s.fails(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+o.ID+`.jsonl"`)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for last := int64(0); ; {
		page, err := s.Bridge.Messages(r.Context(), o.ID, last, exportPage)
		if err != nil {
			s.Log.Warn("an export could not be completed", "conversation", o.ID, "error", err)
			panic(http.ErrAbortHandler) // so that the browser does not keep a partial file
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeLimit))
		for _, m := range page {
			if out.Encode(view.MessageOf(m, o)) != nil {
				return
			}
			last = m.ID
		}
		if len(page) < exportPage {
			return
		}
	}
}
