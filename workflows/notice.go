package workflows

import (
	"go.temporal.io/sdk/workflow"

	"sendoff/schema"
)

// DeliverNoticeInput names the notice to deliver.
type DeliverNoticeInput struct {
	NoticeID schema.NoticeID `json:"notice_id"`
}

// DeliverNotice delivers one notice, trying again for two days, and then gives it
// up for somebody to see.
func DeliverNotice(ctx workflow.Context, in DeliverNoticeInput) error {
	if err := deliverNotice(ctx, in.NoticeID); err == nil {
		return nil
	}
	return abandonNotice(ctx, in.NoticeID)
}
