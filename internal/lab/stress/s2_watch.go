package stress

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/sleep"
)

// logEntry is an entry of the audit log.
type logEntry struct {
	Time         time.Time      `json:"time"`
	Conversation string         `json:"conversation_id"`
	Action       string         `json:"action"`
	Outcome      string         `json:"outcome"`
	Details      map[string]any `json:"details"`
}

func (s *s2) readLog(ctx context.Context) (log []logEntry, err error) {
	cmd := s.place.Command(ctx, "audit", "--limit", "0", "--format", "jsonl")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry logEntry
		if err = json.Unmarshal(lines.Bytes(), &entry); err != nil {
			break
		}
		log = append(log, entry)
	}
	return log, errors.Join(err, lines.Err(), cmd.Wait())
}

// await reads the log repeatedly until find returns true.
func (s *s2) await(ctx context.Context, timeout time.Duration, find func([]logEntry) bool) error {
	for deadline := time.Now().Add(timeout); ; {
		log, err := s.readLog(ctx)
		if err != nil {
			return err
		}
		if find(log) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nothing happened for %s", timeout)
		}
		if err := sleep.For(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// s2PushTest lets seven workers watch, and sends messages to each in turn.
func s2PushTest(ctx context.Context, s *s2) (_ string, err error) {
	var taken []float64
	for _, w := range s.workers[1:] {
		file, err := w.place.TokenFile(w.b)
		if err != nil {
			return "", err
		}
		watch, err := w.place.StartDaemon(ctx, "inbox", "--follow", "--json", "--token-file", file)
		if err != nil {
			return "", err
		}
		times, err := s.push(ctx, watch, w)
		_, stopped := watch.Stop()
		if err := errors.Join(err, stopped); err != nil {
			return "", err
		}
		taken = append(taken, times...)
		if _, err := check(ctx, w.agent, w.b, 0); err != nil {
			return "", err
		}
	}
	spread := rig.SpreadOf(taken)
	what := fmt.Sprintf("%d messages: median %.1f ms, at most %.1f ms", len(taken), spread.P50, spread.Max)
	if spread.P50 >= rig.Milliseconds(s2Push) {
		return "", errors.New(what)
	}
	return what, nil
}

// push sends three messages. The first shows that the watch is running; the others are
// measured from their own time stamps, which are set before the commit.
func (s *s2) push(ctx context.Context, watch *rig.Daemon, w *worker) (taken []float64, err error) {
	for i := range 3 {
		if err := send(ctx, s.orchestrator, w.a, "push"); err != nil {
			return nil, err
		}
		line, err := watch.Next(ctx)
		if err != nil {
			return nil, err
		}
		var message struct {
			SentAt time.Time `json:"sent_at"`
		}
		if err := json.Unmarshal(line.Text, &message); err != nil {
			return nil, err
		}
		if i > 0 {
			taken = append(taken, rig.Milliseconds(line.At.Sub(message.SentAt)))
		}
	}
	return taken, nil
}

// beats are the heartbeats that a keepalive reports.
type beats struct {
	daemon *rig.Daemon
	mu     sync.Mutex
	count  int
	unread map[int64]bool
}

// keepAlive starts `bridge fleet keepalive` for a worker.
func (s *s2) keepAlive(ctx context.Context, w *worker) error {
	file, err := w.place.TokenFile(w.b)
	if err != nil {
		return err
	}
	daemon, err := w.place.StartDaemon(ctx, "fleet", "keepalive", "--json", "--token-file", file, "--interval", s.divided(s2Beat).String())
	if err != nil {
		return err
	}
	b := &beats{daemon: daemon, unread: map[int64]bool{}}
	w.keepalive = b
	go func() { // ends with the daemon
		for line := range daemon.Lines() {
			b.add(line)
		}
	}()
	return nil
}

func (b *beats) add(line rig.Line) {
	var pulse struct {
		Unread int64 `json:"unread"`
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if json.Unmarshal(line.Text, &pulse) == nil {
		b.count++
		b.unread[pulse.Unread] = true
	}
}

func (b *beats) counted() (count int, unread map[int64]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count, b.unread
}

// s2KeepAlive keeps all workers alive for the protocol's half hour, divided. Each has a
// message, which must stay unread.
func s2KeepAlive(ctx context.Context, s *s2) (string, error) {
	for _, w := range s.workers {
		if _, err := check(ctx, w.agent, w.b, 0); err != nil {
			return "", err
		}
		if err := send(ctx, s.orchestrator, w.a, "stay alive"); err != nil {
			return "", err
		}
		if err := s.keepAlive(ctx, w); err != nil {
			return "", err
		}
	}
	keep, beat := s.divided(s2Keep), s.divided(s2Beat)
	if err := sleep.For(ctx, keep+beat/2); err != nil {
		return "", err
	}
	due, came := 0, 0
	for i, w := range s.workers {
		count, unread := w.keepalive.counted()
		due += int(keep / beat)
		came += min(count, int(keep/beat))
		if len(unread) != 1 || !unread[1] {
			return "", fmt.Errorf("worker %d was told about messages other than its one message: %v", i+1, unread)
		}
	}
	what := fmt.Sprintf("%d of %d heartbeats in %s, one every %s; nothing marked read", came, due, keep, beat)
	if came < due {
		return "", errors.New(what)
	}
	return what, nil
}

// recovery is what happened after a worker became silent.
type recovery struct {
	silent, alert, moved time.Time
	alerts, moves        int
}

// acceptedTask gives a worker a task, which the worker accepts, and returns the task's id.
func (s *s2) acceptedTask(ctx context.Context, w *worker, title string) (int64, error) {
	var task struct {
		ID int64 `json:"task_id"`
	}
	if _, err := s.orchestrator.Call(ctx, "assign_task", withCredentials(w.a, map[string]any{"title": title}), &task); err != nil {
		return 0, err
	}
	var update struct{}
	_, err := w.agent.Call(ctx, "update_task", withCredentials(w.b, map[string]any{"task_id": task.ID, "state": "accepted"}), &update)
	return task.ID, err
}

// s2Recovery gives a worker a task and kills all its processes. Two watchdogs run; one of
// them alerts and moves the task to a live worker.
func s2Recovery(ctx context.Context, s *s2) (_ string, err error) {
	w := s.workers[0]
	task, err := s.acceptedTask(ctx, w, "Survive your worker")
	if err != nil {
		return "", err
	}
	dogs, err := s.watchdogs(ctx)
	defer func() {
		for _, dog := range dogs {
			_, stopped := dog.Stop()
			err = errors.Join(err, stopped)
		}
	}()
	if err != nil {
		return "", err
	}
	killed := w.keepalive
	w.keepalive = nil
	_, err = killed.daemon.Kill()
	if err := errors.Join(err, w.agent.Kill()); err != nil {
		return "", err
	}
	w.agent = nil
	s.recovery.silent = time.Now()
	timeout := s.divided(s2Silent) + 2*s.divided(s2Look) + s2Reassign
	if err := s.await(ctx, timeout, func(log []logEntry) bool { return s.recovery.read(log, w.b.Conversation) }); err != nil {
		return "", fmt.Errorf("after the worker was killed: %w", err)
	}
	if err := s.takeOver(ctx, w, task); err != nil {
		return "", err
	}
	if err := s.revive(ctx, w, timeout); err != nil {
		return "", err
	}
	took := s.recovery.moved.Sub(s.recovery.alert)
	what := fmt.Sprintf("task given to another worker %s after the alert, %s after the kill",
		took.Round(time.Millisecond), s.recovery.moved.Sub(s.recovery.silent).Round(time.Millisecond))
	if took > s2Reassign {
		return "", errors.New(what)
	}
	return what, nil
}

// takeOver checks that another worker was told about the task and can continue it. A log
// entry about the move is not sufficient.
func (s *s2) takeOver(ctx context.Context, silent *worker, task int64) error {
	has, err := s.workerOf(ctx, silent, task)
	if err != nil {
		return err
	}
	for _, w := range s.workers {
		if w.b.Conversation != has || w == silent {
			continue
		}
		texts, err := check(ctx, w.agent, w.b, 0)
		told := slices.ContainsFunc(texts, func(text string) bool {
			given, ok := givenTask(bridge.System, text)
			return ok && given == task
		})
		if err != nil || !told {
			return wrong(err, "the worker that got the task was not notified")
		}
		var update struct {
			Applied bool `json:"applied"`
		}
		_, err = w.agent.Call(ctx, "update_task", withCredentials(w.b, map[string]any{"task_id": task, "state": "accepted"}), &update)
		if err != nil || !update.Applied {
			return wrong(err, "the worker that got the task cannot accept it")
		}
		return nil
	}
	return fmt.Errorf("the task is with %q, which is not a live worker", has)
}

// workerOf asks the orchestrator's side which worker has a task.
func (s *s2) workerOf(ctx context.Context, w *worker, task int64) (string, error) {
	var page struct {
		Tasks []struct {
			Worker string `json:"worker"`
		} `json:"tasks"`
	}
	_, err := s.orchestrator.Call(ctx, "list_tasks", withCredentials(w.a, map[string]any{"task_id": task}), &page)
	if err != nil || len(page.Tasks) != 1 {
		return "", wrong(err, "the orchestrator sees %d tasks with the number %d", len(page.Tasks), task)
	}
	return page.Tasks[0].Worker, nil
}

// watchdogs starts two watchdogs, which must not act twice.
func (s *s2) watchdogs(ctx context.Context) (dogs []*rig.Daemon, err error) {
	for range 2 {
		dog, err := s.place.StartDaemon(ctx, "fleet", "watchdog", "--interval", s.divided(s2Look).String(), "--silent-after", s.divided(s2Silent).String())
		if err != nil {
			return dogs, err
		}
		dogs = append(dogs, dog)
	}
	return dogs, nil
}

// read finds the alert about the worker of a conversation, and the move of its task.
func (r *recovery) read(log []logEntry, conversation string) bool {
	r.alerts, r.moves = 0, 0
	for _, e := range log {
		switch {
		case e.Action == "worker_silent" && e.Conversation == conversation:
			r.alert = e.Time
			r.alerts++
		case e.Action == "reassign_task":
			r.moved = e.Time
			r.moves++
		}
	}
	return r.alerts > 0 && r.moves > 0
}

// revive revives the worker, waits until this was noticed, and counts all actions of the
// watchdogs.
func (s *s2) revive(ctx context.Context, w *worker, timeout time.Duration) error {
	if err := s.keepAlive(ctx, w); err != nil {
		return err
	}
	err := s.await(ctx, timeout, func(log []logEntry) bool {
		for _, e := range log {
			if e.Action == "worker_returned" && e.Conversation == w.b.Conversation {
				return s.recovery.read(log, w.b.Conversation)
			}
		}
		return false
	})
	if err != nil {
		return fmt.Errorf("after the worker came back: %w", err)
	}
	return nil
}

// s2Watchdog judges the alert seen in the previous test.
func s2Watchdog(_ context.Context, s *s2) (string, error) {
	r := s.recovery
	if r.alert.IsZero() {
		return "", errors.New("there was no alert")
	}
	// The last heartbeat is up to one interval older than the kill.
	threshold, look := s.divided(s2Silent), s.divided(s2Look)
	late := r.alert.Sub(r.silent.Add(threshold))
	what := fmt.Sprintf("alert %s after the threshold of %s, checking every %s; %d alert and %d move by two watchdogs",
		late.Round(time.Millisecond), threshold, look, r.alerts, r.moves)
	if r.alerts != 1 || r.moves != 1 || late > look+s2Slack {
		return "", errors.New(what)
	}
	return what, nil
}
