package wire

import (
	"encoding/json"
	"time"
)

// Exchange is a request and its answer as sent on the wire, each truncated to a few
// kilobytes.
type Exchange struct {
	Request  string        `json:"request"`
	Answer   string        `json:"answer"`
	Duration time.Duration `json:"duration_ns"`
}

const (
	mostExchanges = 50
	mostBody      = 4 << 10
)

type exchanges struct{ kept []Exchange }

func (x *exchanges) add(frame []byte, reply Reply, err error, d time.Duration) {
	e := Exchange{Request: cut(frame), Duration: d}
	switch {
	case err != nil:
		e.Answer = "(" + err.Error() + ")"
	case reply.Error != nil:
		data, _ := json.Marshal(reply.Error)
		e.Answer = cut(data)
	default:
		e.Answer = cut(reply.Result)
	}
	if len(x.kept) < mostExchanges {
		x.kept = append(x.kept, e)
	}
}

func (x *exchanges) take() []Exchange {
	kept := x.kept
	x.kept = nil
	return kept
}

func cut(data []byte) string {
	if len(data) <= mostBody {
		return string(data)
	}
	return string(data[:mostBody]) + "…"
}
