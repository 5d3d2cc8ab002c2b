package apiclient

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Template is a template as the server has it.
type Template struct {
	Name      string         `json:"name"`
	Version   int            `json:"version"`
	Title     string         `json:"title"`
	Builtin   bool           `json:"builtin"`
	Approvals int            `json:"approvals"`
	Receivers []string       `json:"receivers"`
	Moment    MomentRule     `json:"moment"`
	Steps     []TemplateStep `json:"steps"`
	UpdatedBy string         `json:"updated_by"`
	UpdatedAt *time.Time     `json:"updated_at"` // nil = built in
	Source    string         `json:"source,omitempty"`
}

// MomentRule says on which day and at what local time a leaver's clock starts.
type MomentRule struct {
	Starts string `json:"starts"`
	At     string `json:"at"`
}

// TemplateStep is one step of a template.
type TemplateStep struct {
	Kind         string   `json:"kind"`
	Wait         string   `json:"wait,omitempty"`
	Irreversible bool     `json:"irreversible,omitempty"`
	Until        string   `json:"until,omitempty"`
	Trash        string   `json:"trash,omitempty"`
	Reactivate   bool     `json:"reactivate,omitempty"`
	Channel      string   `json:"channel,omitempty"`
	To           []string `json:"to,omitempty"`
	Message      string   `json:"message,omitempty"`
	Title        string   `json:"title,omitempty"`
	Owner        string   `json:"owner,omitempty"`
}

// TemplateFile is a file to apply. FromVersion is the version that was looked
// at, 0 = there was none; nil = whatever there is.
type TemplateFile struct {
	File        string `json:"file"`
	Source      string `json:"source"`
	FromVersion *int   `json:"from_version,omitempty"`
}

// AppliedTemplates say what applying files changes, or changed.
type AppliedTemplates struct {
	Applied   bool              `json:"applied"`
	Templates []AppliedTemplate `json:"templates"`
}

// AppliedTemplate is what became of one file.
type AppliedTemplate struct {
	File        string    `json:"file"`
	Name        string    `json:"name"`
	Change      string    `json:"change"` // created, changed or unchanged
	FromVersion int       `json:"from_version"`
	Version     int       `json:"version"`
	Previous    string    `json:"previous"`
	Warnings    []Problem `json:"warnings"`
}

// Templates returns every template there is.
func (c *Client) Templates(ctx context.Context) ([]Template, error) {
	return everyPage(func(cursor string) ([]Template, string, error) {
		p, err := call[struct {
			Templates []Template `json:"templates"`
			Next      string     `json:"next"`
		}](ctx, c, http.MethodGet, path("templates")+pageQuery(cursor), nil)
		return p.Templates, p.Next, err
	})
}

// Template returns a template with its file's text; version 0 is the newest.
func (c *Client) Template(ctx context.Context, name string, version int) (Template, error) {
	p := path("templates", name)
	if version != 0 {
		p += "?version=" + strconv.Itoa(version)
	}
	return call[Template](ctx, c, http.MethodGet, p, nil)
}

// ApplyTemplates stores all files or none; with plan it only says what would change.
func (c *Client) ApplyTemplates(ctx context.Context, files []TemplateFile, plan bool) (AppliedTemplates, error) {
	return call[AppliedTemplates](ctx, c, http.MethodPost, path("templates"), map[string]any{"files": files, "plan": plan})
}

// RemoveTemplate ends a template; plans made from it keep their steps.
func (c *Client) RemoveTemplate(ctx context.Context, name, reason string) (Template, error) {
	return call[Template](ctx, c, http.MethodPost, path("templates", name, "remove"), map[string]string{"reason": reason})
}
