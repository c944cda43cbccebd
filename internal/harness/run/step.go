package run

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// step makes one request and judges its answer. Faults on the wire are already findings of
// the connection.
func (w *worker) step(ctx context.Context, s suite.Step, limit time.Duration, values map[string]any) []finding.Finding {
	method, params, err := request(s, values)
	if err != nil {
		return mismatch("%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	reply, err := w.conn.Call(ctx, method, params)
	took := time.Since(start)
	if err != nil {
		return nil
	}
	a, found := w.read(s, reply)
	found = append(found, w.run.hide.leaks(reply)...)
	found = append(found, a.judge(s, values)...)
	if most := s.Performance.MaxDurationMS; most > 0 && took > time.Duration(most*float64(time.Millisecond)) {
		found = append(found, finding.Finding{Kind: finding.Slow, Text: fmt.Sprintf("took %.1f ms; the case allows %g", float64(took.Microseconds())/1000, most)})
	}
	if most := s.Performance.MaxBytes; most > 0 && len(reply.Result) > most {
		found = append(found, mismatch("the result has %d bytes; the case allows %d", len(reply.Result), most)...)
	}
	return found
}

// request returns the method and the parameters of a step.
func request(s suite.Step, values map[string]any) (method string, params map[string]any, err error) {
	input := s.Params
	if s.Tool != "" {
		input = s.Input
	}
	if input == nil {
		input = map[string]any{}
	}
	filled, err := suite.Fill(input, values)
	if err != nil {
		return "", nil, err
	}
	params, _ = filled.(map[string]any)
	if s.Tool == "" {
		return s.Method, params, nil
	}
	return "tools/call", map[string]any{"name": s.Tool, "arguments": params}, nil
}

// read converts a reply to the form that expectations apply to.
func (w *worker) read(s suite.Step, reply wire.Reply) (answer, []finding.Finding) {
	if reply.Error != nil {
		return answer{failed: true, code: &reply.Error.Code, text: reply.Error.Message}, nil
	}
	if s.Tool == "" {
		a := answer{text: string(reply.Result)}
		_ = json.Unmarshal(reply.Result, &a.value) // it has been parsed before
		if members, ok := a.value.(map[string]any); ok && s.Method == "tools/call" {
			a.failed = members["isError"] == true
		}
		return a, nil
	}
	tool, known := w.run.tools[s.Tool]
	if !known {
		tool = contract.Tool{Name: s.Tool}
	}
	r, found := contract.ReadResult(tool, reply.Result)
	return answer{failed: r.IsError, text: r.Text, value: r.Value}, found
}

func mismatch(format string, args ...any) []finding.Finding {
	return []finding.Finding{{Kind: finding.Mismatch, Text: fmt.Sprintf(format, args...)}}
}
