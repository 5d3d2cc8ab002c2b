package webtest

import (
	"context"

	"sendoff/schema"
)

// NoticeFuncs is a web.NoticeStore of functions. Without functions to read with,
// there are no rules.
type NoticeFuncs struct {
	NoticeRulesFunc        func() (schema.NoticeRules, error)
	NoticeRulesVersionFunc func(version int) (schema.NoticeRules, error)
	ApplyNoticeRulesFunc   func(schema.NoticeRules) (schema.NoticeRules, error)
	ListNoticesFunc        func(schema.NoticeFilter) ([]schema.QueuedNotice, string, error)
	RetryNoticeFunc        func(schema.NoticeID) (schema.QueuedNotice, error)
}

// NoticeRules calls its function, as does each method below.
func (f *NoticeFuncs) NoticeRules(context.Context) (schema.NoticeRules, error) {
	if f.NoticeRulesFunc == nil {
		return schema.NoticeRules{}, nil
	}
	return f.NoticeRulesFunc()
}

// NoticeRulesVersion calls its function.
func (f *NoticeFuncs) NoticeRulesVersion(_ context.Context, version int) (schema.NoticeRules, error) {
	return f.NoticeRulesVersionFunc(version)
}

// ApplyNoticeRules calls its function.
func (f *NoticeFuncs) ApplyNoticeRules(_ context.Context, r schema.NoticeRules, _ schema.Principal) (schema.NoticeRules, error) {
	return f.ApplyNoticeRulesFunc(r)
}

// ListNotices calls its function.
func (f *NoticeFuncs) ListNotices(_ context.Context, filter schema.NoticeFilter) ([]schema.QueuedNotice, string, error) {
	return f.ListNoticesFunc(filter)
}

// RetryNotice calls its function.
func (f *NoticeFuncs) RetryNotice(_ context.Context, id schema.NoticeID, _ schema.Principal) (schema.QueuedNotice, error) {
	return f.RetryNoticeFunc(id)
}
