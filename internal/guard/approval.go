package guard

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

// ApprovalRequest holds everything that an approval is bound to. A request that
// differs in any field needs a new approval.
type ApprovalRequest struct {
	Conversation string
	Session      string
	// Command is the exact bytes that the agent sent.
	Command string
	// Plan is the decision's plan: every argument after expansion.
	Plan *Plan
	Mode Mode
	// Workspace is the real path of the workspace. Device and Inode identify that
	// folder, so that an approval does not hold for another folder that has since
	// been put at the same path.
	Workspace string
	Device    uint64
	Inode     uint64
	// Sandbox names the backend, or "none" for an unsandboxed grant.
	Sandbox string
	// Network is true only where the approval says NETWORK: ON.
	Network bool
	// Access lists what else the grant allows, one line each.
	Access  []string
	Timeout time.Duration
	// Nonce is random, so that no two requests share a digest.
	Nonce []byte
}

// canonicalApproval is the JSON that is hashed. The encoder writes the fields in
// this order, byte strings as base64, and only numbers with a single notation.
// Equal requests therefore give equal bytes, and different requests different
// bytes.
type canonicalApproval struct {
	Version       int    `json:"version"`
	PolicyVersion int    `json:"policy_version"`
	Conversation  []byte `json:"conversation"`
	Session       []byte `json:"session"`
	Command       []byte `json:"command"`
	Plan          []byte `json:"plan"`
	Mode          []byte `json:"mode"`
	Workspace     []byte `json:"workspace"`
	Device        uint64 `json:"device"`
	Inode         uint64 `json:"inode"`
	Sandbox       []byte `json:"sandbox"`
	Network       bool   `json:"network"`
	Access        []byte `json:"access,omitempty"`
	TimeoutNanos  int64  `json:"timeout_nanos"`
	Nonce         []byte `json:"nonce"`
}

// approvalVersion is the version of the canonical form.
const approvalVersion = 1

// Digest is the SHA-256 of the request's canonical JSON. The store keeps it, and
// compares it with the digest of what is about to run.
func (r ApprovalRequest) Digest() [sha256.Size]byte {
	text, err := json.Marshal(canonicalApproval{
		Version:       approvalVersion,
		PolicyVersion: PolicyVersion,
		Conversation:  []byte(r.Conversation),
		Session:       []byte(r.Session),
		Command:       []byte(r.Command),
		Plan:          canonicalPlan(r.Plan),
		Mode:          []byte(r.Mode),
		Workspace:     []byte(r.Workspace),
		Device:        r.Device,
		Inode:         r.Inode,
		Sandbox:       []byte(r.Sandbox),
		Network:       r.Network,
		Access:        canonicalAccess(r.Access),
		TimeoutNanos:  int64(r.Timeout),
		Nonce:         r.Nonce,
	})
	if err != nil { // cannot fail: every field is a plain value
		text = fmt.Appendf(nil, "%#v", r)
	}
	return sha256.Sum256(text)
}

// canonicalAccess returns the canonical form of the access lines, "" if there are
// none.
func canonicalAccess(lines []string) []byte {
	if len(lines) == 0 {
		return nil
	}
	return appendStrings(nil, lines)
}

// canonicalPlan writes a plan unambiguously: every string is preceded by its
// length, so that different plans never give the same text.
func canonicalPlan(p *Plan) []byte {
	if p == nil {
		return nil
	}
	out := appendStrings(nil, p.Shell)
	out = fmt.Appendf(out, "%d;", len(p.Steps))
	for _, step := range p.Steps {
		out = appendStrings(out, []string{string(step.When)})
		out = fmt.Appendf(out, "%d;", len(step.Stages))
		for _, stage := range step.Stages {
			out = appendStrings(out, []string{stage.Path})
			out = appendStrings(out, stage.Argv)
			out = appendStrings(out, []string{stage.Dir})
			out = appendStrings(out, stage.Env)
			out = fmt.Appendf(out, "%t;%d;", stage.Builtin, len(stage.Redirects))
			for _, r := range stage.Redirects {
				out = fmt.Appendf(out, "%d,%d,%t;", r.FD, r.To, r.Null)
			}
		}
	}
	for _, c := range p.Contents {
		out = appendStrings(out, []string{"content", c.Path, c.What, c.SHA256})
	}
	return out
}

func appendStrings(out []byte, list []string) []byte {
	out = fmt.Appendf(out, "%d;", len(list))
	for _, s := range list {
		out = fmt.Appendf(out, "%d:%s", len(s), s)
	}
	return out
}
