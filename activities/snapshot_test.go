package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// fill gives the leaver three items, trash, a group and shares.
func (b *bundle) fill() {
	b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "folder"}, {ID: "101", Type: "web_link"}, {ID: "102", Type: "file"}}
	b.vendor.foreign = 4
	b.vendor.trash[leaver], b.vendor.bytes = []schema.Witness{{ID: "900", Type: "file"}}, 7
	b.vendor.groups = []schema.Membership{{ID: "m1", GroupID: "g1"}, {ID: "m2", GroupID: "g2"}}
	b.vendor.collabs["100"] = []schema.SharedBy{{ItemID: "100", Type: "folder", With: second, Role: "editor"}}
}

func (b *bundle) snapshot(ref schema.StepRef) *schema.Snapshot {
	b.t.Helper()
	require.NoError(b.t, b.step(b.acts.Snapshot, ref))
	s := b.plan(ref.PlanID).Snapshot
	require.NotNil(b.t, s)
	return s
}

func TestSnapshot(t *testing.T) {
	t.Parallel()

	t.Run("records what there is and writes nothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.fill()
		ref := b.leave(schema.StepSnapshot, "suspend")
		s := b.snapshot(ref)
		require.WithinDuration(t, b.now(), s.TakenAt, time.Minute)
		require.Equal(t, schema.Snapshot{
			TakenAt: s.TakenAt, Status: active, Role: "member", SpaceUsed: 1000,
			Witnesses: b.vendor.root[leaver], WitnessesOK: true, OwnedForeign: 4,
			Trash: b.vendor.trash[leaver], TrashBytes: 7, GroupIDs: []string{"g1", "g2"},
			Collabs: b.vendor.collabs["100"], DeepDone: 3, DeepTotal: 3,
		}, *s)
		require.Equal(t, 2, b.vendor.count("collaborations"), "links carry none")
		require.Empty(t, b.vendor.writes())
		require.Equal(t, map[string]string{"witnesses": "3", "trash": "1", "collaborations_read": "3 of 3", "note": ""},
			b.plan(ref.PlanID).Steps[ref.Index].Proof)

		looks := b.vendor.count("root", "read", "trash")
		require.NoError(t, b.step(b.acts.Snapshot, ref), "a repeat keeps the first")
		require.Equal(t, looks, b.vendor.count("root", "read", "trash"))
	})

	t.Run("says how many of how many shares it read", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct {
			change func(b *bundle)
			done   int
		}{
			"one closed meanwhile": {func(b *bundle) { b.vendor.errs["collaborations"] = []error{failure(connectors.Forbidden)} }, 2},
			"one gone meanwhile":   {func(b *bundle) { b.vendor.errs["collaborations"] = []error{failure(connectors.NotFound)} }, 2},
			"the budget is spent":  {func(b *bundle) { b.vendor.during["collaborations"] = func() { b.later(2 * time.Minute) } }, 2},
		} {
			b := setup(t)
			b.fill()
			ref := b.leave(schema.StepSnapshot, "suspend")
			c.change(b)
			s := b.snapshot(ref)
			require.Equal(t, c.done, s.DeepDone, name)
			require.Equal(t, 3, s.DeepTotal, name)
			require.True(t, s.WitnessesOK, name)
		}
	})

	for name, c := range map[string]struct {
		change func(v *vendor)
		note   string
	}{
		"may not act as the account": {func(v *vendor) { v.errs["root"] = []error{failure(connectors.Forbidden)} }, "the connection may not act as the account"},
		"acts as it no longer":       {func(v *vendor) { v.errs["trash"] = []error{failure(connectors.Unauthorized)} }, "the connection may not act as the account"},
		"meets a suspended account":  {func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.VendorStatus = inactive }) }, "the account was already suspended"},
	} {
		t.Run("has no witnesses when the connection "+name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fill()
			ref := b.leave(schema.StepSnapshot, "suspend")
			c.change(b.vendor)
			s := b.snapshot(ref)
			require.False(t, s.WitnessesOK)
			require.Equal(t, c.note, s.WitnessNote)
			require.Empty(t, s.Witnesses)
			require.Empty(t, s.Trash)
			require.Zero(t, s.TrashBytes)
			require.False(t, s.OwnsNothing())
			require.Equal(t, []string{"g1", "g2"}, s.GroupIDs)
		})
	}

	t.Run("of a vendor that lists neither content nor groups", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendors[b.conn.ID] = accountsOnly{b.vendor, b.vendor}
		s := b.snapshot(b.leave(schema.StepSnapshot, "suspend"))
		require.False(t, s.WitnessesOK)
		require.Equal(t, "the connector cannot list content", s.WitnessNote)
		require.Empty(t, s.GroupIDs)
	})
}

// accountsOnly is a connector that can do nothing but read accounts.
type accountsOnly struct {
	connectors.Connector
	connectors.AccountReader
}

func TestSnapshotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"read", "check", "groups", "root", "trash", "collaborations"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fill()
			ref := b.leave(schema.StepSnapshot, "suspend")
			b.vendor.errs[op] = []error{failure(connectors.Unavailable)}
			requireType(t, b.step(b.acts.Snapshot, ref), activities.TypeUnavailable, true)
			require.Nil(t, b.plan(ref.PlanID).Snapshot)
			require.Equal(t, 3, b.snapshot(ref).DeepDone)
		})
	}
}

// TestUnsupported: a step that the connector cannot do parks before any call.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	for _, kind := range []schema.StepKind{schema.StepSuspend, schema.StepRevokeSessions, schema.StepDelete} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
			ref := b.leave(kind, "delete")
			b.vendors[b.conn.ID] = accountsOnly{b.vendor, b.vendor}
			err := map[schema.StepKind]func() error{
				schema.StepSuspend:        func() error { return b.step(b.acts.Suspend, ref) },
				schema.StepRevokeSessions: func() error { return b.step(b.acts.RevokeSessions, ref) },
				schema.StepDelete:         func() error { _, err := b.delete(ref); return err },
			}[kind]()
			requireType(t, err, activities.TypeUnsupported, false)
		})
	}
}

// TestSnapshotOfWhatCannotBeRead: what a plan does not rely on stands in nobody's
// way, and what it relies on is known to be unknown.
func TestSnapshotOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectors.Kind{connectors.NotFound, connectors.Invalid} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
			p := b.open(request("leaver", heirLogin))
			b.vendor.errs["groups"] = []error{failure(kind)}
			b.vendor.errs["trash"] = []error{failure(kind)}
			b.carry(p.ID, schema.StepSuspend)
			s := b.plan(p.ID).Snapshot
			require.NotEmpty(t, s.GroupsNote)
			require.False(t, s.WitnessesOK, "a transfer without its trash is presumed, not proven")
			require.Len(t, s.Witnesses, 1)
			require.False(t, s.OwnsNothing())
		})
	}
}
