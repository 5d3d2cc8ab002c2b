package activities

import (
	"context"

	"golang.org/x/sync/errgroup"

	"sendoff/schema"
)

// keptAtOnce is how many judged accounts are kept together: enough that what a
// transaction costs by itself does not count.
const keptAtOnce = 5000

// keeper keeps judged accounts aside, so that judging goes on while the database
// writes. At most three lots of accounts are held: one that is written, one that
// waits, one that is filled.
type keeper struct {
	group *errgroup.Group
	ctx   context.Context //nolint:containedctx // ends with the first failure; lives as long as one call
	lots  chan []schema.Judged
	lot   []schema.Judged
}

func newKeeper(ctx context.Context, keep func(context.Context, []schema.Judged) error) *keeper {
	group, ctx := errgroup.WithContext(ctx)
	k := &keeper{group: group, ctx: ctx, lots: make(chan []schema.Judged, 1)}
	group.Go(func() error {
		for lot := range k.lots {
			if err := keep(ctx, lot); err != nil {
				return err
			}
		}
		return nil
	})
	return k
}

// add takes accounts to keep; the list may be used again.
func (k *keeper) add(list []schema.Judged) error {
	if k.lot = append(k.lot, list...); len(k.lot) < keptAtOnce {
		return nil
	}
	return k.send()
}

func (k *keeper) send() error {
	select {
	case k.lots <- k.lot:
		k.lot = make([]schema.Judged, 0, cap(k.lot))
		return nil
	case <-k.ctx.Done():
		return k.ctx.Err()
	}
}

// end waits until everything is kept and returns what failed of that, first. What
// was not sent is kept when the judging went well.
func (k *keeper) end(well bool) error {
	var err error
	if well && len(k.lot) > 0 {
		err = k.send()
	}
	close(k.lots)
	if failed := k.group.Wait(); failed != nil {
		return failed
	}
	return err
}
