package audit_test

import (
	"encoding/hex"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
)

// TestStoredForms checks values that stores and archives keep. A program that computes
// others would report every existing log as changed.
func TestStoredForms(t *testing.T) {
	e := audit.Entry{Time: time.UnixMicro(5), Conversation: "conv_1", Session: "a", Action: "send", Outcome: "ok", Details: "{}"}
	appended, head := chain.Append(chain.EmptyHead(), e)
	linked, end := chain.Extend("conv_1", chain.ChainHead("conv_1"), e)
	linked.Seq = 1
	covered, spine, log := chain.Cover(chain.ChainHead(audit.Spine), audit.Entry{Time: time.UnixMicro(6)}, []audit.Entry{linked})
	base := chain.SealBase(audit.Base{Head: audit.Head{Seq: 4, MAC: []byte("mac")}, Link: 2})
	archived := chain.SealArchived(audit.Archived{First: 1, Last: 4, MAC: []byte("mac"), Name: "n", Bytes: 9, SHA256: []byte("sum"), At: time.UnixMicro(7)})
	_, file := archiveOf(t, audit.Base{}, []audit.Entry{appended})
	for _, tt := range []struct {
		name  string
		value []byte
		want  string
	}{
		{"the empty log's seal", chain.EmptyHead().Seal, "08cab6b146ebf4f0fb276eb7b0f3d6712212ff8d4c2a63bb0541b28d4f229956"},
		{"an entry", appended.MAC, "6772bd97702904043236d8c0c8363554d56a5a4b899007b17174f05daaba1283"},
		{"the log's seal", head.Seal, "766e2959337a27d7d80f13545a7da4c671a4bb77d02196b9a044a09c9e83ad0e"},
		{"an empty chain's seal", chain.ChainHead("conv_1").Seal, "67c104f6f56f92e3b5ddc034c863418c0ee6cf719944c5e7c66989548b906a61"},
		{"an entry of a chain", linked.MAC, "906107ec826b39887c25eb6dde88e4a1e7be6b51eb83f78bbd84ec91be457237"},
		{"the chain's seal", end.Seal, "72e4466c52ffe6a1aa912ec40434b2ddf395936b7fbca7b4cb488e4069414af1"},
		{"an entry of the spine", covered.MAC, "bf3e9c744617ab00d593491dac9116ba5907073ac0372d0938fd801d79923c2b"},
		{"the spine's seal", spine.Seal, "d52c33101cf9a8fc2b2441d87112d80e8536de761c982fd08e88372c883716cc"},
		{"the seal of a log of several chains", log.Seal, "5e3367cf702294de14b47cf1787647ef156a21244074664b68022451fc167413"},
		{"a base", base.Seal, "11654a84d61086ccd70b11563cff932fb55c44de05ad07aec2eb5c061f21257c"},
		{"an archive, in the store", archived.Seal, "aa2b0103077a4f6891fb924f99f312023f16aae9db309140091bbcd7c11ad56f"},
		{"an archive", file.SHA256, "8f1d7428df0719d841d5ec54b9095d1428a275be0d2cf367ccbae297b4b1749c"},
	} {
		if got := hex.EncodeToString(tt.value); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
