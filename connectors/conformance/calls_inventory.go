package conformance

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// onGroup is a call about one group, of which the first member has permissions.
func onGroup(name string, do func(connectors.InventoryLister, context.Context, schema.ExternalID) error) call {
	return call{
		name: name, can: having[connectors.InventoryLister],
		prepare: func(s *scene) (action, schema.ExternalID) {
			c, group := s.conn.(connectors.InventoryLister), s.group(s.person(), true).GroupID
			return func(ctx context.Context) error { return do(c, ctx, group) }, ""
		},
		hostile: func(c connectors.Connector, id schema.ExternalID) action {
			return func(ctx context.Context) error { return do(c.(connectors.InventoryLister), ctx, id) }
		},
	}
}

func inventoryCalls() []call {
	all := func(name string, do func(connectors.InventoryLister, context.Context) error) call {
		return call{
			name: name, can: having[connectors.InventoryLister],
			prepare: func(s *scene) (action, schema.ExternalID) {
				s.group(s.person(), false)
				c := s.conn.(connectors.InventoryLister)
				return func(ctx context.Context) error { return do(c, ctx) }, ""
			},
		}
	}
	return []call{
		all("list_accounts", func(c connectors.InventoryLister, ctx context.Context) error {
			_, err := c.ListAccounts(ctx, "")
			return err
		}),
		all("list_groups", func(c connectors.InventoryLister, ctx context.Context) error {
			_, err := c.ListGroups(ctx, "")
			return err
		}),
		onGroup("list_group_members", func(c connectors.InventoryLister, ctx context.Context, group schema.ExternalID) error {
			_, err := c.ListGroupMembers(ctx, group, "")
			return err
		}),
		onGroup("list_group_collaborations", func(c connectors.InventoryLister, ctx context.Context, group schema.ExternalID) error {
			_, err := c.ListGroupCollaborations(ctx, group, "")
			return err
		}),
	}
}

func feedCalls() []call {
	all := func(name string, do func(connectors.ActivityFeed, context.Context, string) error) call {
		return call{
			name: name, can: having[connectors.ActivityFeed],
			prepare: func(s *scene) (action, schema.ExternalID) {
				c := s.conn.(connectors.ActivityFeed)
				s.event(Event{Sort: SignIn, Account: s.person(), At: lately()})
				position, err := s.world.Events.Position()
				require.NoError(s, err)
				return func(ctx context.Context) error { return do(c, ctx, position) }, ""
			},
		}
	}
	return []call{
		all("live_position", func(c connectors.ActivityFeed, ctx context.Context, _ string) error {
			_, err := c.LivePosition(ctx)
			return err
		}),
		all("live_events", func(c connectors.ActivityFeed, ctx context.Context, at string) error {
			_, err := c.LiveEvents(ctx, at)
			return err
		}),
		all("past_events", func(c connectors.ActivityFeed, ctx context.Context, _ string) error {
			_, err := c.PastEvents(ctx, pastHour(), "")
			return err
		}),
	}
}

// lately is a moment of the past, in whole seconds.
func lately() time.Time { return time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second) }

// pastHour has lately in it.
func pastHour() schema.Interval {
	now := time.Now()
	return schema.Interval{From: now.Add(-time.Hour), To: now}
}

// event records an event and returns its id.
func (s *scene) event(e Event) string {
	s.Helper()
	require.NotNil(s, s.world.Events, "the connector reads events, so World.Events is needed")
	id, err := s.world.Events.Record(e)
	require.NoError(s, err)
	return id
}
