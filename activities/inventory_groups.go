package activities

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	// groupsAtOnce is how many groups are listed side by side: a listing of one is
	// a page or two, and waits for the vendor most of its time.
	groupsAtOnce = 4
	// groupsAtATime is how many staged groups are looked up at once.
	groupsAtATime = 200
)

// ListMemberships stages the members of every staged group.
func (v *Inventory) ListMemberships(ctx context.Context, in RunInput) error {
	return v.eachGroup(ctx, in.RunID, schema.DataMemberships, func(ctx context.Context, l connectors.InventoryLister, at schema.GroupListing) error {
		return drain(ctx, at.Marker, func(ctx context.Context, marker string) (connectors.Page[schema.GroupMember], error) {
			return l.ListGroupMembers(ctx, at.GroupID, marker)
		}, func(ctx context.Context, p connectors.Page[schema.GroupMember]) error {
			err := v.store.StageMembers(ctx, in.RunID, at, p.Entries, p.Next)
			at.Marker = p.Next
			return err
		})
	})
}

// ListCollaborations stages what the members of every staged group may reach.
func (v *Inventory) ListCollaborations(ctx context.Context, in RunInput) error {
	return v.eachGroup(ctx, in.RunID, schema.DataCollaborations, func(ctx context.Context, l connectors.InventoryLister, at schema.GroupListing) error {
		return drain(ctx, at.Marker, func(ctx context.Context, marker string) (connectors.Page[schema.GroupCollaboration], error) {
			return l.ListGroupCollaborations(ctx, at.GroupID, marker)
		}, func(ctx context.Context, p connectors.Page[schema.GroupCollaboration]) error {
			err := v.store.StageCollaborations(ctx, in.RunID, at, p.Entries, p.Next)
			at.Marker = p.Next
			return err
		})
	})
}

type groupWork func(ctx context.Context, l connectors.InventoryLister, at schema.GroupListing) error

// eachGroup lists something of each group that is not wholly listed, several side
// by side. A group that is gone or refused is passed over; the data set is partial
// then.
func (v *Inventory) eachGroup(ctx context.Context, id schema.RunID, d schema.Dataset, work groupWork) error {
	ctx, s, err := v.open(ctx, id)
	if err != nil {
		return err
	}
	lister, err := connectors.Capability[connectors.InventoryLister](s.c, "list_groups")
	if err != nil {
		return err
	}
	at, err := v.store.Progress(ctx, id, d)
	if err != nil || finished(at.State) {
		return err
	}
	var after schema.ExternalID
	for {
		todo, err := v.store.UnlistedGroups(ctx, id, d, after, groupsAtATime)
		if err != nil {
			return err
		}
		if len(todo) == 0 {
			return v.store.FinishDataset(ctx, id, d, schema.DatasetCollected, "")
		}
		after = todo[len(todo)-1].GroupID
		if err := v.sideBySide(ctx, id, d, lister, todo, work); err != nil {
			return err
		}
	}
}

func (v *Inventory) sideBySide(ctx context.Context, id schema.RunID, d schema.Dataset, l connectors.InventoryLister, todo []schema.GroupListing, work groupWork) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range groupsAtOnce {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return nil
				}
				if err := v.endGroup(ctx, id, d, todo[i].GroupID, work(ctx, l, todo[i])); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// endGroup passes over a group that cannot be listed.
func (v *Inventory) endGroup(ctx context.Context, id schema.RunID, d schema.Dataset, group schema.ExternalID, err error) error {
	kind := connectors.KindOf(err)
	switch {
	case err == nil:
		return nil
	case kind == connectors.NotFound:
		return v.store.EndGroup(ctx, id, d, group, true)
	case kind == connectors.Forbidden, errors.Is(err, connectors.ErrMarkerExpired), errors.Is(err, connectors.ErrTooLong):
		return v.store.EndGroup(ctx, id, d, group, false)
	}
	return err
}
