package web

import (
	"context"

	"sendoff/schema"
)

// NoticeStore keeps who is told of what, and the notices.
type NoticeStore interface {
	// NoticeRules returns the rules that count; version 0 when none were applied.
	NoticeRules(ctx context.Context) (schema.NoticeRules, error)
	// NoticeRulesVersion returns one version of the rules; CodeNotFound.
	NoticeRulesVersion(ctx context.Context, version int) (schema.NoticeRules, error)
	// ApplyNoticeRules stores rules. Version is the one that was looked at, 0 = there
	// were none: CodeConflict when another is there by now.
	ApplyNoticeRules(ctx context.Context, r schema.NoticeRules, by schema.Principal) (schema.NoticeRules, error)
	// ListNotices lists notices, newest first.
	ListNotices(ctx context.Context, f schema.NoticeFilter) (notices []schema.QueuedNotice, next string, err error)
	// RetryNotice queues one that failed again; CodeConflict for one that did not.
	RetryNotice(ctx context.Context, id schema.NoticeID, by schema.Principal) (schema.QueuedNotice, error)
}
