package resources_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/resources"
)

const conv = "conv_0123456789abcdef"

func TestParse(t *testing.T) {
	for text, want := range map[string]resources.URI{
		"collaboration://" + conv:                    {Kind: resources.Collaboration, Conversation: conv},
		"agents://" + conv + "/z/status":             {Kind: resources.Agent, Conversation: conv, Session: "z"},
		"workspace://" + conv + "/docs/api.md":       {Kind: resources.Workspace, Conversation: conv, Path: "docs/api.md"},
		"workspace://" + conv + "/docs%2Fapi.md":     {Kind: resources.Workspace, Conversation: conv, Path: "docs/api.md"},
		"workspace://" + conv + "/a%20b%3F/%252e%25": {},
		"workspace://" + conv + "/a%20b/%252e%25":    {Kind: resources.Workspace, Conversation: conv, Path: "a b/%2e%"},
		"workspace://" + conv + "/e%CC%81":           {Kind: resources.Workspace, Conversation: conv, Path: "\u00e9"},
		"tasks://7/state":                            {Kind: resources.TaskState, Task: 7},
		"tasks://7/logs":                             {Kind: resources.TaskLogs, Task: 7},
		"tasks://7/files":                            {Kind: resources.TaskFiles, Task: 7},
	} {
		u, err := resources.Parse(text)
		if want == (resources.URI{}) {
			if err == nil {
				t.Errorf("%s: %+v", text, u)
			}
			continue
		}
		if err != nil || u != want {
			t.Errorf("%s: %+v %v", text, u, err)
		}
		if again, err := resources.Parse(u.String()); err != nil || again != u {
			t.Errorf("%s is written as %s, which is %+v %v", text, u, again, err)
		}
	}
}

// TestHostile checks that an invalid URI is refused with advice, and is not repeated in
// the error.
func TestHostile(t *testing.T) {
	for _, text := range []string{
		"", "x", "://", "file:///etc/passwd", "http://" + conv, "COLLABORATION://" + conv, "collaboration:" + conv,
		"collaboration://" + conv + "/", "collaboration://" + conv + "?x", "collaboration://user@" + conv, "collaboration://conv_0123456789abcdeF",
		"collaboration://conv_0123456789abcdef0", "collaboration://" + conv + "\n", "collaboration://%63onv_0123456789abcdef",
		"agents://" + conv + "/status", "agents://" + conv + "/A/status", "agents://" + conv + "/aa/status", "agents://" + conv + "//status", "agents://" + conv + "/a/status/", "agents://" + conv + "/../status",
		"workspace://" + conv, "workspace://" + conv + "/", "workspace://" + conv + "//", "workspace://" + conv + "/../x", "workspace://" + conv + "/a/../../x",
		"workspace://" + conv + "/%2e%2e/x", "workspace://" + conv + "/%2E%2e%2Fx", "workspace://" + conv + "/a%5Cb", `workspace://` + conv + `/a\b`,
		"workspace://" + conv + "/%2Fetc/passwd", "workspace://" + conv + "/~root", "workspace://" + conv + "/C:/x", "workspace://" + conv + "/a%00b", "workspace://" + conv + "/a%0Ab",
		"workspace://" + conv + "/a%", "workspace://" + conv + "/a%zz", "workspace://" + conv + "/a?x=1", "workspace://" + conv + "/a#b", "workspace://" + conv + "/%2A%2A",
		"workspace://" + conv + "/%FF", "workspace://" + conv + "/\xff", "workspace://" + conv + "/a%E2%80%AEb", "workspace://" + conv + "/%3C/system-reminder%3E", "workspace://" + conv + "/dir/",
		"workspace://../" + conv + "/a", "workspace:///" + conv + "/a",
		"tasks://0/state", "tasks://-1/state", "tasks://+1/state", "tasks://01/state", "tasks://1e3/state", "tasks://99999999999999999999/state", "tasks://1/", "tasks://1", "tasks://1/state/x", "tasks://1/STATE", "tasks:///state",
		"workspace://" + conv + "/" + strings.Repeat("a", 241), "workspace://" + conv + "/" + strings.Repeat("canary", 200_000),
	} {
		u, err := resources.Parse(text)
		var invalid *bridge.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "uri" {
			t.Errorf("%.80q: %+v %v", text, u, err)
			continue
		}
		if len(err.Error()) > 200 || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "passwd") {
			t.Errorf("%.80q is repeated: %.300s", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"collaboration://" + conv, "agents://" + conv + "/b/status", "workspace://" + conv + "/a%20b/c", "tasks://12/logs", "workspace://" + conv + "/%2e%2e/%252e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := resources.Parse(text)
		if err != nil {
			if u != (resources.URI{}) && u.Kind == "" {
				t.Errorf("%q: half a URI %+v", text, u)
			}
			return
		}
		again, err := resources.Parse(u.String())
		if err != nil || again != u {
			t.Errorf("%q is %+v, written %q, which is %+v %v", text, u, u, again, err)
		}
		for _, part := range strings.Split(u.Path, "/") {
			if part == ".." || u.Kind == resources.Workspace && part == "" {
				t.Errorf("%q leads to %q", text, u.Path)
			}
		}
	})
}
