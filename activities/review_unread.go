package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// startPatience is how long a confirmed account waits that its connection does not tell
// of while it answers otherwise. Then it is refused, and the next run tries again: one
// account must not keep a run open for good, for a policy has one at a time.
const startPatience = 24 * time.Hour

// look is one look at the confirmed items of a run.
type look struct {
	drafting *Drafting
	left     []schema.ConnectionID // that do not answer
	waits    []schema.AccountID    // that cannot be read now
	settled  int
}

// leave leaves an item out of the rest of a look, or all items of its connection.
func (l *look) leave(i schema.ReviewItem, d AccountDraft) {
	if d.unread.account {
		l.waits = append(l.waits, i.AccountID)
	} else if !slices.Contains(l.left, i.ConnectionID) {
		l.left = append(l.left, i.ConnectionID)
	}
}

// stuck tells whether all that was looked at has to wait.
func (l *look) stuck() bool { return l.settled == 0 && len(l.waits)+len(l.left) > 0 }

// unread tells whether an item waits for what could not be read for its draft, and
// keeps since when. It waits for a connection as long as that does not answer; for its
// account alone only so long.
func (v *reviewing) unread(ctx context.Context, i schema.ReviewItem, d AccountDraft, patience time.Duration) (bool, error) {
	before := strings.HasPrefix(i.Why, schema.Unread)
	switch {
	case !d.unread.waits():
		if !before {
			return false, nil
		}
		return false, unlessStale(v.store.MarkUnread(ctx, i.ReviewID, i.AccountID, ""))
	case !d.unread.account:
		return true, nil
	case before && v.now().Sub(i.UpdatedAt) >= patience:
		return false, nil
	}
	return true, unlessStale(v.store.MarkUnread(ctx, i.ReviewID, i.AccountID, d.unread.why))
}

// readFirst puts items last that could not be read when they were tried before, so that
// those which hang keep no others from being tried.
func readFirst(items []schema.ReviewItem) {
	rank := func(i schema.ReviewItem) int {
		if strings.HasPrefix(i.Why, schema.Unread) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(items, func(a, b schema.ReviewItem) int { return rank(a) - rank(b) })
}
