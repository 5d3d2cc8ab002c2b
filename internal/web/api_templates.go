package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sendoff/internal/template"
	"sendoff/schema"
)

const maxTemplateFiles = 50

// TemplateStore keeps templates from files.
type TemplateStore interface {
	// Template returns the template of that name as it is now, built in or from a
	// file; CodeNotFound.
	Template(ctx context.Context, name string) (schema.Template, error)
	// TemplateVersion returns one version, also one that was replaced or removed;
	// CodeNotFound.
	TemplateVersion(ctx context.Context, name string, version int) (schema.Template, error)
	ListTemplates(ctx context.Context, after string, limit int) (templates []schema.Template, next string, err error)
	// ApplyTemplates stores all or none. Each Version is the one that was looked
	// at, 0 = there was none: CodeConflict when another is there by now.
	ApplyTemplates(ctx context.Context, list []schema.Template, by schema.Principal) ([]schema.Template, error)
	RemoveTemplate(ctx context.Context, name, reason string, by schema.Principal) (schema.Template, error)
}

type templateBody struct {
	Name      string         `json:"name"`
	Version   int            `json:"version"`
	Title     string         `json:"title"`
	Builtin   bool           `json:"builtin"`
	Approvals int            `json:"approvals"`
	Receivers []string       `json:"receivers" nullable:"false" doc:"Tried after those that a request names, in order"`
	Moment    momentRule     `json:"moment" doc:"When the clock of a leaver starts whom HR tells of"`
	Steps     []templateStep `json:"steps" nullable:"false"`
	UpdatedBy string         `json:"updated_by"`
	UpdatedAt *time.Time     `json:"updated_at" doc:"null = built in"`
}

type momentRule struct {
	Starts schema.Starts `json:"starts" enum:"last_working_day,termination_date,garden_leave,at_once"`
	At     string        `json:"at" doc:"HH:MM where the leaver works; says nothing when it starts at once"`
}

type templateStep struct {
	Kind         schema.StepKind `json:"kind"`
	Wait         string          `json:"wait,omitempty" doc:"The length of a wait, or the time for a manual step; absent for a wait = the request's grace"`
	Irreversible bool            `json:"irreversible,omitempty"`
	schema.StepParams
}

type showTemplateBody struct {
	templateBody
	Source string `json:"source" doc:"The file as it was applied; empty = built in"`
}

type (
	listTemplatesOutput struct {
		Body struct {
			Templates []templateBody `json:"templates" nullable:"false"`
			Next      string         `json:"next"`
		}
	}
	showTemplateInput struct {
		Name    string `path:"name" maxLength:"63"`
		Version int    `query:"version" minimum:"0" doc:"0 = as it is now"`
	}
	showTemplateOutput struct{ Body showTemplateBody }
)

type applyTemplatesInput struct {
	Body struct {
		Files []templateFile `json:"files" nullable:"false"`
		Plan  bool           `json:"plan,omitempty" doc:"Tell what would change and change nothing"`
	}
}

type templateFile struct {
	File        string `json:"file" doc:"The file's name, for messages" maxLength:"500"`
	Source      string `json:"source" doc:"The file's text"`
	FromVersion *int   `json:"from_version,omitempty" doc:"The version that was looked at, 0 = there was none; absent = whatever there is"`
}

type applyTemplatesOutput struct {
	Body struct {
		Applied   bool              `json:"applied"`
		Templates []appliedTemplate `json:"templates" nullable:"false"`
	}
}

type appliedTemplate struct {
	File        string           `json:"file"`
	Name        string           `json:"name"`
	Change      string           `json:"change" enum:"created,changed,unchanged"`
	FromVersion int              `json:"from_version" doc:"0 = there was none"`
	Version     int              `json:"version" doc:"0 = it will be given when it is applied"`
	Previous    string           `json:"previous" doc:"The text that is replaced"`
	Warnings    []schema.Problem `json:"warnings" nullable:"false"`
}

func (s *server) registerTemplates() {
	handle(s, route{
		id: "list-templates", method: http.MethodGet, path: "/v1/templates", roles: readers(), summary: "List templates by name",
	}, s.listTemplates)
	handle(s, route{
		id: "show-template", method: http.MethodGet, path: "/v1/templates/{name}", roles: readers(), summary: "Show a template, or one version of it",
	}, s.showTemplate)
	handle(s, route{
		id: "apply-templates", method: http.MethodPost, path: "/v1/templates", roles: adminsOnly(),
		summary: "Check template files and store all of them or none; running plans keep their steps",
	}, s.applyTemplates)
	handle(s, route{
		id: "remove-template", method: http.MethodPost, path: "/v1/templates/{name}/remove", roles: adminsOnly(),
		summary: "Make no more plans from a template; needs a reason",
	}, s.removeTemplate)
}

func (s *server) listTemplates(ctx context.Context, _ schema.Principal, in *Page) (*listTemplatesOutput, error) {
	list, next, err := s.store.ListTemplates(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listTemplatesOutput{}
	out.Body.Templates, out.Body.Next = []templateBody{}, next
	for _, t := range list {
		out.Body.Templates = append(out.Body.Templates, templateOf(t))
	}
	return out, nil
}

func (s *server) showTemplate(ctx context.Context, _ schema.Principal, in *showTemplateInput) (*showTemplateOutput, error) {
	find := func() (schema.Template, error) { return s.store.Template(ctx, in.Name) }
	if in.Version > 0 {
		find = func() (schema.Template, error) { return s.store.TemplateVersion(ctx, in.Name, in.Version) }
	}
	t, err := find()
	if err != nil {
		return nil, err
	}
	return &showTemplateOutput{Body: showTemplateBody{templateBody: templateOf(t), Source: t.Source}}, nil
}

func (s *server) removeTemplate(ctx context.Context, by schema.Principal, in *reasonInput) (*showTemplateOutput, error) {
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		return nil, oneFault("reason", "required", "this needs a reason", "say why; it is kept in the audit trail")
	}
	if err := reasonFault(reason); err != nil {
		return nil, err
	}
	t, err := s.store.RemoveTemplate(ctx, in.Name, reason, by)
	if err != nil {
		return nil, err
	}
	return &showTemplateOutput{Body: showTemplateBody{templateBody: templateOf(t), Source: t.Source}}, nil
}

func (s *server) applyTemplates(ctx context.Context, by schema.Principal, in *applyTemplatesInput) (*applyTemplatesOutput, error) {
	list, out, err := s.readTemplates(in.Body.Files)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := s.compareTemplate(ctx, &list[i], &out[i], in.Body.Files[i].FromVersion); err != nil {
			return nil, err
		}
	}
	answer := &applyTemplatesOutput{}
	answer.Body.Templates = out
	if in.Body.Plan {
		return answer, nil
	}
	applied, err := s.store.ApplyTemplates(ctx, list, by)
	if err != nil {
		return nil, err
	}
	for i, t := range applied {
		out[i].Version = t.Version
	}
	answer.Body.Applied = true
	return answer, nil
}

// readTemplates reads every file and reports every fault of all of them at once.
func (s *server) readTemplates(files []templateFile) ([]schema.Template, []appliedTemplate, error) {
	if len(files) == 0 || len(files) > maxTemplateFiles {
		return nil, nil, oneFault("files", "count", "there are no files, or too many", fmt.Sprintf("send 1 to %d", maxTemplateFiles))
	}
	var f faults
	var list []schema.Template
	var out []appliedTemplate
	first := map[string]string{}
	for _, file := range files {
		t, report := template.Parse(file.File, []byte(file.Source), s.now())
		f.list = append(f.list, report.Errors...)
		if other, twice := first[t.Name]; twice && t.Name != "" {
			f.add(file.File, "duplicate", "the template "+t.Name+" is also in "+other, "keep one of them")
		}
		first[t.Name] = file.File
		list = append(list, t)
		out = append(out, appliedTemplate{File: file.File, Name: t.Name, Warnings: nonNil(report.Warnings)})
	}
	return list, out, f.err("the templates are not usable; nothing was changed")
}

// compareTemplate says what applying would change, and which version it starts from.
func (s *server) compareTemplate(ctx context.Context, t *schema.Template, out *appliedTemplate, looked *int) error {
	now, err := s.store.Template(ctx, t.Name)
	if err != nil && schema.CodeOf(err) != schema.CodeNotFound {
		return err
	}
	out.FromVersion, out.Version, out.Previous, out.Change = now.Version, now.Version, now.Source, "unchanged"
	switch {
	case now.Version == 0:
		out.Change = "created"
	case now.Source != t.Source:
		out.Change, out.Version = "changed", now.Version+1
	}
	t.Version = now.Version
	if looked != nil {
		t.Version = *looked // the store compares, under its lock
	}
	return nil
}

// templatesOf returns the templates that requests name, by name; those that do
// not exist are missing.
func (s *server) templatesOf(ctx context.Context, requests []requestBody) (map[string]schema.Template, error) {
	found := map[string]schema.Template{}
	for _, r := range requests {
		name := cmp.Or(r.Template, defaultTemplate)
		if _, had := found[name]; had {
			continue
		}
		t, err := s.store.Template(ctx, name)
		if schema.CodeOf(err) == schema.CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[name] = t
	}
	return found, nil
}

func templateOf(t schema.Template) templateBody {
	b := templateBody{
		Name: t.Name, Version: t.Version, Title: t.Title, Builtin: t.Builtin, Approvals: t.Approvals, Receivers: nonNil(t.Receivers),
		Moment: momentRule{Starts: t.MomentOrDefault().Starts, At: t.MomentOrDefault().At.String()},
		Steps:  listOf(t.Steps, stepOf), UpdatedBy: t.UpdatedBy, UpdatedAt: instant(t.UpdatedAt),
	}
	return b
}
