package webtest

import (
	"context"

	"sendoff/schema"
)

// TemplateFuncs is a web.TemplateStore of functions. Without functions to read
// with, it holds the built-in templates alone.
type TemplateFuncs struct {
	TemplateFunc        func(name string) (schema.Template, error)
	TemplateVersionFunc func(name string, version int) (schema.Template, error)
	ListTemplatesFunc   func(after string, limit int) ([]schema.Template, string, error)
	ApplyTemplatesFunc  func([]schema.Template) ([]schema.Template, error)
	RemoveTemplateFunc  func(name, reason string) (schema.Template, error)
}

// Template calls its function, as does each method below.
func (f *TemplateFuncs) Template(_ context.Context, name string) (schema.Template, error) {
	if f.TemplateFunc != nil {
		return f.TemplateFunc(name)
	}
	if t, ok := schema.FindTemplate(name); ok {
		return t, nil
	}
	return schema.Template{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no template of that name"}
}

// TemplateVersion calls its function.
func (f *TemplateFuncs) TemplateVersion(_ context.Context, name string, version int) (schema.Template, error) {
	return f.TemplateVersionFunc(name, version)
}

// ListTemplates calls its function.
func (f *TemplateFuncs) ListTemplates(_ context.Context, after string, limit int) ([]schema.Template, string, error) {
	return f.ListTemplatesFunc(after, limit)
}

// ApplyTemplates calls its function.
func (f *TemplateFuncs) ApplyTemplates(_ context.Context, list []schema.Template, _ schema.Principal) ([]schema.Template, error) {
	return f.ApplyTemplatesFunc(list)
}

// RemoveTemplate calls its function.
func (f *TemplateFuncs) RemoveTemplate(_ context.Context, name, reason string, _ schema.Principal) (schema.Template, error) {
	return f.RemoveTemplateFunc(name, reason)
}
