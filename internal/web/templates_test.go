package web_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

const freezeFile = "apiVersion: sendoff/v1\nkind: Template\nname: freeze\nsteps:\n  - snapshot\n  - suspend\n"

// applying is the body that applies files, given as name, text, name, text.
func applying(t *testing.T, plan bool, files ...string) string {
	t.Helper()
	var list []map[string]any
	for i := 0; i < len(files); i += 2 {
		list = append(list, map[string]any{"file": files[i], "source": files[i+1]})
	}
	b, err := json.Marshal(map[string]any{"files": list, "plan": plan})
	require.NoError(t, err)
	return string(b)
}

func TestApplyTemplates(t *testing.T) {
	t.Parallel()
	none := func(string) (schema.Template, error) {
		return schema.Template{}, &schema.Error{Code: schema.CodeNotFound, Message: "none"}
	}

	t.Run("every fault of every file is told, and nothing is stored", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.do("admin", "POST", "/v1/templates", applying(t, false, "a.yaml", freezeFile, "b.yaml", "name: leaver\n", "c.yaml", freezeFile))
		require.Equal(t, http.StatusUnprocessableEntity, a.status, a.raw)
		require.Contains(t, a.problems(), "b.yaml line 1, column 7 (name):builtin")
		require.Contains(t, a.problems(), "b.yaml line 1, column 1 (steps):required")
		require.Contains(t, a.problems(), "c.yaml:duplicate")
		require.Equal(t, http.StatusUnprocessableEntity, b.do("admin", "POST", "/v1/templates", `{"files":[]}`).status)
	})

	t.Run("a plan tells what would change and stores nothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.TemplateFunc = none
		a := b.do("admin", "POST", "/v1/templates", applying(t, true, "a.yaml", freezeFile))
		require.Equal(t, http.StatusOK, a.status, a.raw)
		require.Equal(t, false, a.json["applied"])
		require.JSONEq(t, `[{"file":"a.yaml","name":"freeze","change":"created","from_version":0,"version":0,"previous":"","warnings":[]}]`, field(t, a, "templates"))
		b.store.TemplateFunc = func(string) (schema.Template, error) {
			return schema.Template{Name: "freeze", Version: 4, Source: "old"}, nil
		}
		a = b.do("admin", "POST", "/v1/templates", applying(t, true, "a.yaml", freezeFile))
		require.JSONEq(t, `[{"file":"a.yaml","name":"freeze","change":"changed","from_version":4,"version":5,"previous":"old","warnings":[]}]`, field(t, a, "templates"))
	})

	t.Run("what is stored starts from the version that was looked at", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.TemplateFunc = func(string) (schema.Template, error) {
			return schema.Template{Name: "freeze", Version: 4, Source: "old"}, nil
		}
		var got []schema.Template
		b.store.ApplyTemplatesFunc = func(list []schema.Template) ([]schema.Template, error) {
			got = list
			stored := list[0]
			stored.Version++
			return []schema.Template{stored}, nil
		}
		a := b.do("admin", "POST", "/v1/templates", applying(t, false, "a.yaml", freezeFile))
		require.Equal(t, http.StatusOK, a.status, a.raw)
		require.Equal(t, true, a.json["applied"])
		require.Equal(t, 4, got[0].Version)
		require.Equal(t, freezeFile, got[0].Source)
		require.Equal(t, []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}}, got[0].Steps)
		b.do("admin", "POST", "/v1/templates", `{"files":[{"file":"a.yaml","from_version":2,"source":`+quote(t, freezeFile)+`}]}`)
		require.Equal(t, 2, got[0].Version)
	})
}

func TestShowListAndRemoveTemplates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stored := schema.Template{
		Name: "badge", Version: 2, Title: "Badge", Source: "text", UpdatedBy: "root", UpdatedAt: now,
		Steps: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepManual, WaitSeconds: 3 * 86400, StepParams: schema.StepParams{Title: "t", Owner: "o"}}},
	}
	b.store.ListTemplatesFunc = func(after string, limit int) ([]schema.Template, string, error) {
		require.Equal(t, "a", after)
		require.Equal(t, 1, limit)
		return []schema.Template{stored}, "badge", nil
	}
	b.store.TemplateFunc = func(string) (schema.Template, error) { return stored, nil }
	b.store.TemplateVersionFunc = func(name string, version int) (schema.Template, error) {
		return schema.Template{Name: name, Version: version, Source: "older"}, nil
	}
	a := b.do("auditor", "GET", "/v1/templates?cursor=a&limit=1", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "badge", a.json["next"])
	require.JSONEq(t, `[{"name":"badge","version":2,"title":"Badge","builtin":false,"approvals":0,"receivers":[],"updated_by":"root","updated_at":"2026-11-21T12:00:00Z",
		"moment":{"starts":"last_working_day","at":"18:00"},
		"steps":[{"kind":"snapshot"},{"kind":"manual","wait":"3d","title":"t","owner":"o"}]}]`, field(t, a, "templates"))
	require.Equal(t, "text", b.do("operator", "GET", "/v1/templates/badge", "").json["source"])
	require.Equal(t, "older", b.do("operator", "GET", "/v1/templates/badge?version=1", "").json["source"])

	require.Equal(t, []string{"reason:required"}, b.do("admin", "POST", "/v1/templates/badge/remove", `{"reason":" "}`).problems())
	b.store.RemoveTemplateFunc = func(_, reason string) (schema.Template, error) {
		require.Equal(t, "unused", reason)
		return stored, nil
	}
	require.Equal(t, http.StatusOK, b.do("admin", "POST", "/v1/templates/badge/remove", `{"reason":"unused"}`).status)
}

func TestRequestsMayNameTemplatesFromFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.TemplateFunc = func(name string) (schema.Template, error) {
		if name != "monthly" {
			return schema.Template{}, &schema.Error{Code: schema.CodeNotFound, Message: "none"}
		}
		return schema.Template{
			Name: "monthly", Version: 3, Approvals: 2,
			Steps: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepTransfer}, {Kind: schema.StepWait, WaitSeconds: 60}},
		}, nil
	}
	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		require.Equal(t, "monthly", r[0].Template)
		require.Equal(t, 2, r[0].Approvals)
		require.Equal(t, time.Minute, r[0].Grace, "the template's own wait")
		return []schema.Draft{draftFor(r[0], "h")}, nil
	}
	a := b.do("operator", "POST", "/v1/plans", `{"requests":[{"email":"ada@example.com","template":"monthly"}]}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	a = b.do("operator", "POST", "/v1/plans", `{"requests":[{"email":"ada@example.com","template":"monthly","grace":"5d"},{"email":"bob@example.com","template":"weekly"}]}`)
	require.Equal(t, []string{"requests[0].grace:own_wait", "requests[1].template:unknown_template"}, a.problems())
}

func field(t *testing.T, a answer, name string) string {
	t.Helper()
	b, err := json.Marshal(a.json[name])
	require.NoError(t, err)
	return string(b)
}

func quote(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return string(b)
}
