package policy

import (
	"time"

	"sendoff/schema"
)

// Verdict is what the evidence of a transfer amounts to.
type Verdict struct {
	State schema.TransferState // proven, presumed, stalled; "" = not yet
	// Next is how long to wait at most before the next read; 0 = the usual.
	Next time.Duration
}

// Clear tells whether a read leaves nothing to wait for but quiet time: every
// witness that the snapshot could name is found, and the source's space is zero,
// or just what its trash held if there were witnesses to tell that the rest moved.
func Clear(s schema.Snapshot, spaceUsed int64, found int) bool {
	onlyTrash := s.TrashBytes > 0 && spaceUsed == s.TrashBytes && len(s.Witnesses) > 0
	return (spaceUsed == 0 || onlyTrash) && found >= len(s.Witnesses)
}

// Judge applies the rules of DESIGN section 6 to a transfer that settles, right
// after a read at now.
func Judge(c schema.Clocks, s schema.Snapshot, t schema.Transfer, now time.Time) Verdict {
	ended := t.EndedAt
	if ended.IsZero() {
		ended = t.SentAt
	}
	if !t.ClearSince.IsZero() {
		quiet := now.Sub(t.ClearSince)
		if quiet < c.QuietFor {
			return Verdict{Next: c.QuietFor - quiet}
		}
		if s.WitnessesOK {
			return Verdict{State: schema.TransferProven}
		}
		if since := now.Sub(ended); since < c.PresumeAfter {
			return Verdict{Next: c.PresumeAfter - since}
		}
		return Verdict{State: schema.TransferPresumed}
	}
	moved := ended
	if t.MovedAt.After(moved) {
		moved = t.MovedAt
	}
	if now.Sub(moved) >= c.StallAfter {
		return Verdict{State: schema.TransferStalled}
	}
	return Verdict{Next: c.StallAfter - now.Sub(moved)}
}
