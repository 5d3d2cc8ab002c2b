package activities

import (
	"context"
	"strconv"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// deepBudget bounds the part of a snapshot that asks about each root item.
const deepBudget = 60 * time.Second

// Snapshot records what the account is and owns before the first write: status,
// role, memberships, the items at its root as witnesses of a later transfer, its
// trash, and within a budget who those items are shared with.
func (a *Activities) Snapshot(ctx context.Context, in StepInput) error {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySuspend)
	w, done, err := a.beginOnce(ctx, in.Ref)
	if err != nil || done {
		return err
	}
	if w.plan.Snapshot != nil {
		return a.completeSnapshot(ctx, w.ref, *w.plan.Snapshot)
	}
	now, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	if err := a.renewFacts(ctx, &w, now, nil, nil); err != nil {
		return err
	}
	s := schema.Snapshot{TakenAt: a.now().UTC(), Status: now.VendorStatus, Role: string(now.Role), SpaceUsed: now.SpaceUsed}
	if err := a.snapshotGroups(ctx, w, &s); err != nil {
		return err
	}
	if err := a.snapshotContent(ctx, w, now, &s); err != nil {
		return err
	}
	if err := a.store.SaveSnapshot(ctx, w.ref, s); err != nil {
		return err
	}
	return a.completeSnapshot(ctx, w.ref, s)
}

func (a *Activities) completeSnapshot(ctx context.Context, ref schema.StepRef, s schema.Snapshot) error {
	return a.store.CompleteStep(ctx, ref, schema.StepDone, map[string]string{
		"witnesses": strconv.Itoa(len(s.Witnesses)), "trash": strconv.Itoa(len(s.Trash)),
		"collaborations_read": strconv.Itoa(s.DeepDone) + " of " + strconv.Itoa(s.DeepTotal), "note": s.WitnessNote,
	})
}

func (a *Activities) snapshotGroups(ctx context.Context, w work, s *schema.Snapshot) error {
	groups, err := connectors.Capability[connectors.GroupReader](w.c, "read_groups")
	if err != nil {
		return nil // a vendor without groups has none to record
	}
	memberships, err := groups.Memberships(ctx, w.source())
	if unreadable(err) && connectors.KindOf(err) != connectors.Unauthorized {
		s.GroupsNote = "the memberships could not be read (" + string(connectors.KindOf(err)) + ")"
		return nil // remove_from_groups, where a plan has it, reads them for itself
	}
	if err != nil {
		return err
	}
	for _, m := range memberships {
		s.GroupIDs = append(s.GroupIDs, string(m.GroupID))
	}
	return nil
}

// snapshotContent lists the root and the trash as the account. An account that
// may not be acted as has no witnesses: its transfer can be presumed, not proven.
func (a *Activities) snapshotContent(ctx context.Context, w work, now schema.Account, s *schema.Snapshot) error {
	reader, err := connectors.Capability[connectors.ContentReader](w.c, "read_content")
	if err != nil {
		s.WitnessNote = "the connector cannot list content"
		return nil
	}
	if now.Status == schema.AccountSuspended {
		s.WitnessNote = "the account was already suspended"
		return nil
	}
	s.Witnesses, s.OwnedForeign, err = reader.RootItems(ctx, w.source())
	if err == nil {
		s.Trash, s.TrashBytes, err = reader.TrashItems(ctx, w.source())
	}
	switch {
	case connectors.KindOf(err) == connectors.Unauthorized, connectors.KindOf(err) == connectors.Forbidden:
		s.Witnesses, s.Trash, s.TrashBytes = nil, nil, 0
		s.WitnessNote = "the connection may not act as the account"
		return nil
	case unreadable(err) && len(s.Witnesses) == 0:
		s.WitnessNote = "the account's content could not be listed (" + string(connectors.KindOf(err)) + ")"
		return nil
	case unreadable(err):
		// Nobody knows what is in it: what arrives is presumed, not proven.
		s.Trash, s.TrashBytes = nil, 0
		s.WitnessNote = "the account's trash could not be listed (" + string(connectors.KindOf(err)) + ")"
	case err != nil:
		return err
	default:
		s.WitnessesOK = true
	}
	return a.snapshotDeep(ctx, w, reader, s)
}

// unreadable tells whether the vendor definitely does not show what was asked for,
// to this connection or at all.
func unreadable(err error) bool {
	switch connectors.KindOf(err) {
	case connectors.Unauthorized, connectors.Forbidden, connectors.NotFound, connectors.Invalid, connectors.Unsupported:
		return true
	}
	return false
}

// snapshotDeep asks for each root item's collaborations that were not read ahead,
// until the budget is spent; the snapshot says how many of how many were read.
func (a *Activities) snapshotDeep(ctx context.Context, w work, reader connectors.ContentReader, s *schema.Snapshot) error {
	s.DeepTotal = len(s.Witnesses)
	known := readBefore(w.plan.Deep)
	deadline := a.now().Add(deepBudget)
	for _, item := range s.Witnesses {
		if item.Type == "web_link" {
			s.DeepDone++ // links carry no collaborations
			continue
		}
		if shared, ok := known[item.ID]; ok {
			s.Collabs = append(s.Collabs, shared...)
			s.DeepDone++
			continue
		}
		if a.now().After(deadline) {
			return nil
		}
		shared, err := reader.ItemCollaborations(ctx, w.source(), item)
		switch connectors.KindOf(err) {
		case connectors.NotFound, connectors.Forbidden:
			continue // gone or closed meanwhile: counted as not read
		}
		if err != nil {
			return err
		}
		s.Collabs = append(s.Collabs, shared...)
		s.DeepDone++
	}
	return nil
}
