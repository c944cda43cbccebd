package ui

import (
	"slices"
	"strconv"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// tasks shows the tasks by state: the open ones, or all if requested.
func (s *Server) tasks(r look) (content, error) {
	ended := r.FormValue("show") == "all"
	all, err := s.Tasks.Tasks(r.Context(), !ended)
	if err != nil {
		return content{}, err
	}
	counts := map[tasks.State]int64{}
	views := make([]view.Task, len(all))
	for i, t := range all {
		counts[t.State]++
		views[i] = view.TaskOf(t, s.Now())
	}
	part, p := paged(r, views, "tasks", "show", given(r, "show"))
	return content{"tasks", "Tasks", struct {
		Ended  bool
		Counts map[tasks.State]int64
		Tasks  []view.Task
		Pager  pager
	}{ended, counts, part, p}}, nil
}

// task shows one task with the end of its history.
func (s *Server) task(r look) (content, error) {
	id := number(r.PathValue("id"))
	all, err := s.Tasks.Tasks(r.Context(), false)
	if err != nil {
		return content{}, err
	}
	i := slices.IndexFunc(all, func(t tasks.Task) bool { return t.ID == id })
	if i < 0 {
		return content{}, bridge.ErrNotFound
	}
	history, err := s.Tasks.TaskHistory(r.Context(), id)
	if err != nil {
		return content{}, err
	}
	v := view.TaskOf(all[i], s.Now())
	v.History = view.OfHistory(history)
	if len(v.History) > r.rows {
		v.History = v.History[len(v.History)-r.rows:]
	}
	data := struct {
		view.Task
		Cut bool
	}{Task: v}
	data.Body, data.Cut = r.cut(v.Body, maxPage)
	return content{"task", "Task " + itoa(id), data}, nil
}

// claims shows which agents have claimed which files.
func (s *Server) claims(r look) (content, error) {
	held, now, err := s.Claims.Held(r.Context())
	if err != nil {
		return content{}, err
	}
	views := make([]view.Claim, len(held))
	for i, c := range held {
		views[i] = view.ClaimOf(c, now)
	}
	part, p := paged(r, views, "claims")
	return content{"claims", "Claims", struct {
		Claims []view.Claim
		Pager  pager
	}{part, p}}, nil
}
