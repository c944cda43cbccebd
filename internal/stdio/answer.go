package stdio

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// maxErrorText is the maximum length of an error message, in bytes. The SDK quotes input
// that it could not decode, and an answer must not repeat a long value.
const maxErrorText = 400

// wireAnswer is a JSON-RPC response with the id exactly as the client wrote it. The SDK's
// own encoder omits a null id, which the specification forbids.
type wireAnswer struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *jsonrpc.Error  `json:"error,omitempty"`
}

// encodeAnswer encodes resp on one line, without the trailing newline.
func encodeAnswer(id json.RawMessage, resp *jsonrpc.Response) []byte {
	answer := wireAnswer{Version: "2.0", ID: id, Result: resp.Result}
	if resp.Error != nil {
		answer.Result, answer.Error = nil, wireError(resp.Error)
	}
	data, err := marshal(answer)
	if err != nil {
		return encodeFault(id, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error: the result is not valid JSON"})
	}
	return data
}

// encodeFault encodes the error response to a request, or to a message that is not a valid
// request.
func encodeFault(id json.RawMessage, fault *jsonrpc.Error) []byte {
	data, err := marshal(wireAnswer{Version: "2.0", ID: id, Error: fault})
	if err != nil {
		return []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}`)
	}
	return data
}

// marshal is json.Marshal without HTML escaping.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'}), err
}

// wireError converts err to the error sent to the client. The SDK returns errors without a
// code for requests it rejects because of the handshake: a request before it, or a second
// handshake.
func wireError(err error) *jsonrpc.Error {
	wire := &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: errorText(err.Error())}
	var coded *jsonrpc.Error
	if errors.As(err, &coded) && coded.Code != 0 {
		wire.Code, wire.Data = coded.Code, errorData(coded.Data)
	}
	return wire
}

// errorData truncates each long text in the data of an error, for the same reason as
// errorText. Data that is not JSON is dropped.
func errorData(data json.RawMessage) json.RawMessage {
	if len(data) <= maxErrorText {
		return data
	}
	var value any
	if json.Unmarshal(data, &value) != nil {
		return nil
	}
	short, err := marshal(cutTexts(value))
	if err != nil {
		return nil
	}
	return short
}

func cutTexts(value any) any {
	switch v := value.(type) {
	case string:
		return cutText(v)
	case []any:
		for i := range v {
			v[i] = cutTexts(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = cutTexts(v[name])
		}
	}
	return value
}

// errorText removes the parts in which the SDK quotes params that it could not decode:
// everything quoted in `unmarshaling "..." into a T`, and the tail in `cannot unmarshal
// "..." into F`. It keeps the name of the last type or field, and truncates the result.
func errorText(text string) string {
	if head, tail, ok := strings.Cut(text, `unmarshaling "`); ok {
		text = head + "the params do not fit"
		if i := strings.LastIndex(tail, `" into `); i >= 0 {
			text += tail[i+1:]
		}
	}
	return cutText(text)
}

func cutText(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= maxErrorText {
		return text
	}
	cut := maxErrorText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + " ..."
}
