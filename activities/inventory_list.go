package activities

import (
	"context"
	"errors"

	"sendoff/connectors"
	"sendoff/schema"
)

// fetched is a page, or why there is none.
type fetched[T any] struct {
	page connectors.Page[T]
	err  error
}

// drain reads a listing from a marker to its end and hands each page to keep. The
// next page is fetched while one is kept.
func drain[T any](ctx context.Context, marker string, list func(context.Context, string) (connectors.Page[T], error), keep func(context.Context, connectors.Page[T]) error) error {
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan fetched[T])
	go func() {
		defer close(pages)
		seen := circle{}
		for {
			p, err := list(ctx, marker)
			if err == nil {
				err = seen.pass(marker, p.Next)
			}
			select {
			case pages <- fetched[T]{p, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || p.Next == "" {
				return
			}
			marker = p.Next
		}
	}()
	defer func() {
		cancel()
		for range pages { //nolint:revive // waits for the fetch under way
		}
	}()
	for f := range pages {
		if f.err != nil {
			return f.err
		}
		if err := keep(ctx, f.page); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// circle are the places that a listing was at.
type circle map[string]struct{}

// pass goes on from a place to the next; "" is the end. A listing that comes to a
// place again never ends, and would be read at full rate until its time is over.
func (c circle) pass(at, next string) error {
	c[at] = struct{}{}
	if _, again := c[next]; !again || next == "" {
		return nil
	}
	return &connectors.Error{Kind: connectors.Malformed, Op: "list", Sent: true, Detail: "the vendor's pages lead in a circle and would never end"}
}

// mostGenerations is how often a listing begins anew because its markers expire.
const mostGenerations = 5

// listing is how one data set is listed and staged.
type listing[T any] struct {
	dataset schema.Dataset
	list    func(context.Context, string) (connectors.Page[T], error)
	stage   func(context.Context, schema.RunID, schema.DatasetProgress, []T, string) (schema.DatasetProgress, error)
}

// collect lists a data set from where the run is, page by page, to its end.
func collect[T any](ctx context.Context, v *Inventory, id schema.RunID, l listing[T]) error {
	at, err := v.store.Progress(ctx, id, l.dataset)
	if err != nil || finished(at.State) {
		return err
	}
	for {
		err := drain(ctx, at.Marker, l.list, func(ctx context.Context, p connectors.Page[T]) (err error) {
			at, err = l.stage(ctx, id, at, p.Entries, p.Next)
			return err
		})
		switch {
		case err == nil:
			return v.store.FinishDataset(ctx, id, l.dataset, schema.DatasetCollected, "")
		case errors.Is(err, connectors.ErrTooLong):
			return v.store.FinishDataset(ctx, id, l.dataset, schema.DatasetPartial, schema.ReasonTooLong)
		case !errors.Is(err, connectors.ErrMarkerExpired):
			return err
		}
		if at.Generation >= mostGenerations {
			return &schema.Error{
				Code: schema.CodeVendor, Message: "the vendor's markers expired again and again, so the listing never came to its end",
				Fix: "sync again at a quieter time; if it stays so, tell the vendor",
			}
		}
		if at, err = v.store.RestartDataset(ctx, id, at); err != nil {
			return err
		}
	}
}

func finished(s schema.DatasetState) bool {
	switch s {
	case schema.DatasetCollected, schema.DatasetPartial, schema.DatasetNotCollected:
		return true
	}
	return false
}

// SkipInput names a data set that cannot be had.
type SkipInput struct {
	RunID   schema.RunID   `json:"run_id"`
	Dataset schema.Dataset `json:"dataset"`
	Reason  string         `json:"reason"`
}

// SkipDataset records that the run goes without a data set.
func (v *Inventory) SkipDataset(ctx context.Context, in SkipInput) error {
	return v.store.FinishDataset(ctx, in.RunID, in.Dataset, schema.DatasetNotCollected, in.Reason)
}

// ListAccounts stages every account of the connection.
func (v *Inventory) ListAccounts(ctx context.Context, in RunInput) error {
	ctx, s, err := v.open(ctx, in.RunID)
	if err != nil {
		return err
	}
	lister, err := connectors.Capability[connectors.InventoryLister](s.c, "list_accounts")
	if err != nil {
		return err
	}
	return collect(ctx, v, in.RunID, listing[schema.Account]{schema.DataAccounts, lister.ListAccounts, v.store.StageAccounts})
}

// ListGroups stages every group of the connection.
func (v *Inventory) ListGroups(ctx context.Context, in RunInput) error {
	ctx, s, err := v.open(ctx, in.RunID)
	if err != nil {
		return err
	}
	lister, err := connectors.Capability[connectors.InventoryLister](s.c, "list_groups")
	if err != nil {
		return err
	}
	return collect(ctx, v, in.RunID, listing[schema.Group]{schema.DataGroups, lister.ListGroups, v.store.StageGroups})
}
