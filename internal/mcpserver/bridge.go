package mcpserver

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Bridge is the interface that the tools call. It is implemented by bridge.Service, if the
// store is on this machine, and by a connection to a gateway.
//
// Every method is one operation. Credentials prove which session is calling, and the
// context identifies the caller (bridge.WithCaller). Requests and answers are plain values
// that survive encoding to JSON and back; TestBridgeEncodes checks this. Errors are
// sentinels listed in package advice, or the domain's own error types, which are plain
// values too.
type Bridge interface {
	// Now returns the current time of the bridge, as far as it is known without a request.
	Now() time.Time

	conversations
	messages
	deliveryEnds
	taskCalls
	claimCalls
	fileCalls
	stepCalls
	resourceCalls
	refusals
}

type conversations interface {
	Create(ctx context.Context, r bridge.CreateRequest) (bridge.Created, error)
	Join(ctx context.Context, code string) (bridge.Joined, error)
	Invite(ctx context.Context, c bridge.Credentials, role string) (bridge.Invited, error)
	Extend(ctx context.Context, c bridge.Credentials, d time.Duration) (bridge.Extended, error)
	Describe(ctx context.Context, c bridge.Credentials) (bridge.Described, error)
	UpdateStatus(ctx context.Context, c bridge.Credentials, status bridge.Status) (bridge.StatusUpdate, error)
	CheckPartners(ctx context.Context, c bridge.Credentials, only bridge.SessionID) (bridge.PartnerStatus, error)
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, error)
	// Standing returns what the notes of an answer need. It returns false if the session
	// cannot be authenticated or the bridge cannot be reached.
	Standing(ctx context.Context, c bridge.Credentials) (bridge.Standing, bool)
	Told(ctx context.Context, c bridge.Credentials, standing bridge.Standing) error
}

type messages interface {
	Send(ctx context.Context, c bridge.Credentials, r bridge.SendRequest) (bridge.Sent, error)
	// Check and CheckAll wait up to r.Wait for messages. They return early, with the
	// messages there are, when drain is closed. drain is never sent over a connection.
	Check(ctx context.Context, c bridge.Credentials, r bridge.CheckRequest, drain <-chan struct{}) (bridge.Delivery, error)
	CheckAll(ctx context.Context, all []bridge.Credentials, r bridge.CheckRequest, drain <-chan struct{}) (bridge.Collected, error)
	HistoryWithin(ctx context.Context, c bridge.Credentials, before int64, limit, bytes int) (bridge.History, error)
}

// deliveryEnds end deliveries. A claim is the right to end one delivery, so these calls
// take no credentials.
type deliveryEnds interface {
	Confirm(ctx context.Context, claim bridge.Claim) error
	GiveBack(ctx context.Context, claim bridge.Claim) error
	Renew(ctx context.Context, claim bridge.Claim) error
}

type taskCalls interface {
	AssignTask(ctx context.Context, c bridge.Credentials, r tasks.AssignRequest) (tasks.Result, error)
	UpdateTask(ctx context.Context, c bridge.Credentials, r tasks.Report) (tasks.Result, error)
	ListTasks(ctx context.Context, c bridge.Credentials, q tasks.Query) (tasks.List, error)
	ReadTaskWithin(ctx context.Context, c bridge.Credentials, id int64, history int) (tasks.List, error)
}

type claimCalls interface {
	Take(ctx context.Context, c bridge.Credentials, r claims.Request) (claims.Result, error)
	Release(ctx context.Context, c bridge.Credentials, paths []string) (claims.Result, error)
}

type fileCalls interface {
	ReadFile(ctx context.Context, c bridge.Credentials, r files.ReadRequest) (files.Result, error)
	ListFiles(ctx context.Context, c bridge.Credentials, task int64) (files.List, error)
	WriteFile(ctx context.Context, c bridge.Credentials, r files.WriteRequest) (files.Result, error)
	EditFile(ctx context.Context, c bridge.Credentials, r files.EditRequest) (files.Result, error)
}

type stepCalls interface {
	LogStep(ctx context.Context, c bridge.Credentials, r steps.LogRequest) (steps.Logged, error)
}

// resourceCalls read shared resources by URI. Each takes all sessions that the caller can
// authenticate as, and reads for the session that the URI belongs to.
type resourceCalls interface {
	ReadResource(ctx context.Context, all []bridge.Credentials, uri string) (resources.Content, error)
	ListResources(ctx context.Context, all []bridge.Credentials) ([]resources.Listed, error)
	// WatchResources waits until a mark differs from the known one. It waits for at most
	// bridge.MaxWatch, or bridge.MaxWait if the bridge is on another machine.
	WatchResources(ctx context.Context, all []resources.Watched, known []string, wait time.Duration, drain <-chan struct{}) ([]string, error)
}

// refusals record calls that were refused before they became an operation. They return
// reason, or the error that replaces it. Of reason only the name of the invalid argument is
// recorded, so a connection sends no more than that.
type refusals interface {
	RefuseCall(ctx context.Context, c bridge.Credentials, action string, reason error) error
	RefuseOpenCall(ctx context.Context, action string, reason error) error
}
