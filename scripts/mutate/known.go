package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// known is a change that tests once failed to notice, or that would be serious.
// -known tries these, each with the tests that should notice it.
type known struct{ what, file, from, to, tests string }

var knownChanges = []known{
	{"an audit chain without the HMAC before", "internal/audit/audit.go", "{string(previous), e.Conv", `{"", e.Conv`, "audit:."},
	{"split secrets are not joined", "internal/bridge/message.go", "if !s.redactor.Crosses(tail, plain) {", "if true {", "bridge:Split"},
	{"removed data is not overwritten", "internal/sqlite/sqlite.go", "secure_delete(ON)", "secure_delete(OFF)", "sqlite:ConnectionSettings|NothingIsLeft"},
	{"a connection trusts the schema", "internal/sqlite/header.go", "trusted_schema(OFF)", "trusted_schema(ON)", "sqlite:ConnectionSettings"},
	{"a failed call counts as a proof", "internal/mcpserver/tool.go", "	if err != nil {\n\t\treturn s.refused(ctx, c), err", "	if err != nil {\n\t\ts.passed(ctx, c, nil)\n\t\treturn s.refused(ctx, c), err", "mcpserver:RefusedCallProvesNothing"},
	{"bindings that others can access", "internal/binding/private_unix.go", "return privatefile.Check(dir, info, privatefile.Closed)", "_ = privatefile.Check(dir, info, privatefile.Closed)\n\treturn nil", "binding:."},
	{"cleanup leaves a conversation's limits behind", "internal/sqlite/conversations.go", "DELETE FROM rate_limits WHERE bucket = ?", "DELETE FROM rate_limits WHERE bucket = ? AND 0", "sqlite:NothingIsLeft"},
	{"giving back a delivery wakes nobody", "internal/bridge/delivery.go", "	s.Ring(claim.Conversation, claim.Session) // wake those who wait for the rest\n", "", "bridge:Rings"},
	{"refused creations use up the limit of valid ones", "internal/bridge/authorize.go", `	op.Charges = []Charge{{Bucket: "invalid/" + s.callerOf(ctx), What: "calls with wrong arguments", Kind: LimitReads}}` + "\n", "", "sqlite:TestStore/gate"},
	{"a tampered end is accepted", "internal/bridge/authorize.go", "case proven && !ends:", "case false && !ends:", "bridge:Admit"},
	{"one creator can use up the store's limit", "internal/bridge/conversation.go", `{Bucket: "create/" + s.callerOf(ctx), What: "creating conversations from one process", Kind: LimitCreator},`, "", "sqlite:TestStore/limits"},
	{"failures to join use up the limit of other callers", "internal/bridge/conversation.go", `"failures/join/" + s.callerOf(ctx)`, `"failures/join"`, "sqlite:TestStore/limits"},
	{"a full store accepts more", "internal/sqlstore/accounts.go", "if bridge.Keeps(charges) {", "if bridge.Keeps(charges) && now.IsZero() {", "sqlstore:."},
	{"each heartbeat is logged separately", "internal/bridge/session.go", "return f, false\n\t}\n\tif f.Count > 0 {", "return f, true\n\t}\n\tif f.Count > 0 {", "sqlite:TestStore/limits"},
	{"a window without a limit is reset", "internal/ratelimit/ratelimit.go", "if limit <= 0 {\n\t\t\treturn spent", "if limit <= 0 {\n\t\t\treturn 0", "ratelimit:."},
	{"a refused call changes the bucket", "internal/ratelimit/ratelimit.go", "return b, refused", "return kept, refused", "ratelimit:."},
	{"different clocks refill a limit twice", "internal/ratelimit/ratelimit.go", "if at.Before(b.At) {", "if at.Before(b.At) && at.IsZero() {", "ratelimit:."},
	{"a token is looked up without the index", "internal/sqlite/roster.go", "FROM session_status WHERE fingerprint = ?", "FROM session_status WHERE +fingerprint = ?", "sqlite:QueryPlans"},
	{"a clock that is slightly behind sets the store's clock back", "internal/bridge/clock.go", "return Clock{Latest: c.Latest}, c.Latest", "return Clock{Latest: now}, now", "bridge:Clock"},
	{"a clock that is far behind sets the store's clock back", "internal/bridge/clock.go", "return c, c.Latest", "return c, now", "bridge:Clock"},
	{"redelivered messages are not marked", "internal/bridge/inbox.go", "messages[n].Redelivered = true", "messages[n].Redelivered = false", "sqlite:TestStore/delivery"},
	{"a changed log verifies", "internal/audit/verify.go", "case !hmac.Equal(e.MAC, v.chain.entryMAC(v.previous.MAC, e)):", "case len(e.MAC) == 0:", "audit:."},
	{"a changed entry of a chain verifies", "internal/audit/spine.go", "case !hmac.Equal(e.MAC, c.entryMAC(head.MAC, e)):", "case len(e.MAC) == 0:", "audit:."},
	{"the limits of a conversation reveal that it exists", "internal/sqlstore/accounts.go", `of.LimitsOf("")`, "of.LimitsOf(op.Conversation)", "sqlite:SameQueries"},
	{"a configuration file that others can change is used", "internal/cli/configfile.go", "if err := privatefile.CheckTrusted(path, info); err != nil {", "if err := privatefile.CheckTrusted(path, info); err != nil && path == \"\" {", "cli:TestScripts/paths$"},
	{"the folder of a linked configuration file is not checked", "internal/cli/configfile.go", "return privatefile.CheckAbove(path)", "return nil", "cli:TestScripts/paths$"},
	{"a store is created below a folder that others can change", "internal/cli/store.go", "if create {\n\t\tif err := storefile.CheckAbove(path); err != nil {", "if create {\n\t\tif err := storefile.CheckAbove(path); err != nil && path == \"\" {", "cli:TestScripts/paths$"},
	{"a folder that others can list counts as private", "internal/doctor/store.go", "case listable(dir):", "case listable(dir) && dir == \"\":", "cli:TestScripts/paths$"},
	{"a configuration file of another user is used", "internal/privatefile/above_unix.go", "if !trusted(stat) {\n\t\treturn fmt.Errorf(\"%w: %s belongs", "if !trusted(stat) && path == \"\" {\n\t\treturn fmt.Errorf(\"%w: %s belongs", "privatefile:CheckTrusted"},
	{"messages of an answer that was not written are not given back", "internal/gateway/operations.go", "if written || o.giveBack == nil {", "if written || !written {", "gateway:SlowReader"},
	{"a machine confirms messages that it should give back", "internal/gateway/remote/messages.go", `request{name: "GiveBack"`, `request{name: "Confirm"`, "gateway/remote:TestOperations"},
	{"a message is sent again without its idempotency key", "internal/gateway/remote/once.go", "k.of.keep(k.sum, unsettled{k.text, k.since})", "k.of.keep(k.sum, unsettled{newKey(), k.since})", "gateway/remote:TestAway"},
	{"two messages are merged into one", "internal/gateway/remote/once.go", "	case err == nil:\n		return nil\n", "	case err == nil:\n		k.of.keep(k.sum, unsettled{k.text, k.since})\n		return nil\n", "gateway/remote:TestOperations"},
	{"a stream reports changes of another conversation", "internal/resources/watch.go", `u.Conversation != "" && u.Conversation != w.Credentials.Conversation {`, "false {", "sqlite:TestStore/resources"},
	{"a watcher misses changes whose ring was lost", "internal/bridge/notifier.go", "same = marks == known && marks != \"\"", "same = marks == known || marks != \"\"", "bridge:WatchersLookTogether"},
	{"a bound key reaches other conversations", "internal/gateway/principals.go", "p.key.Conversations)", "nil)", "gateway:TestBoundKey"},
	{"a bound key creates conversations", "internal/bridge/conversation.go", "Outside: len(bounds(ctx)) > 0,", "Outside: false,", "gateway:TestBoundKey"},
	{"a bound key joins any conversation", "internal/bridge/conversation.go", "case outside(ctx, i.ID):", "case outside(ctx, i.ID) && i.ID == \"\":", "gateway:TestBoundKeyOverMCP"},
	{"an unproven caller gets a session's standing", "internal/bridge/authorize.go", "if err != nil || !g.Admits(view.Proof) {", "if err != nil {", "gateway:TestBoundKeyReaches"},
}

// tryKnown tries all of them, or those of one package, several at the same time, and
// returns how many survived. It prints them in order.
func tryKnown(only string) (survivors int, err error) {
	tries := make([]func() (result, error), 0, len(knownChanges))
	free := make(chan struct{}, runtime.NumCPU())
	for _, k := range knownChanges {
		if only != "" && filepath.Dir(k.file) != only {
			continue
		}
		done := make(chan struct{})
		var r result
		var err error
		go func() {
			defer close(done)
			free <- struct{}{}
			defer func() { <-free }()
			r, err = k.try()
		}()
		tries = append(tries, func() (result, error) { <-done; return r, err })
	}
	for _, ended := range tries {
		r, err := ended()
		if err != nil {
			return survivors, err
		}
		if r.Outcome != "noticed" {
			survivors++
		}
		fmt.Printf("%-9s %s: %s %s\n", r.Outcome, r.Place, r.Change, r.By)
	}
	return survivors, nil
}

// try makes the change and runs the tests that should notice it.
func (k known) try() (result, error) {
	c, err := k.change(".")
	if err != nil {
		return result{}, err
	}
	return suite{dir: filepath.Dir(k.file), tests: []string{k.tests}}.test(c)
}

// change applies the change to the source below root, where its text must occur
// once.
func (k known) change(root string) (change, error) {
	text, err := os.ReadFile(filepath.Join(root, k.file))
	if err != nil {
		return change{}, err
	}
	if bytes.Count(text, []byte(k.from)) != 1 {
		return change{}, fmt.Errorf("%s: %q no longer occurs exactly once: change scripts/mutate/known.go", k.file, k.from)
	}
	return change{file: k.file, place: k.file, what: k.what, text: bytes.Replace(text, []byte(k.from), []byte(k.to), 1)}, nil
}
