package activities_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func (v *vendor) Holds(context.Context, schema.ExternalID) (schema.VendorHolds, error) {
	defer v.mu.Unlock()
	return v.holds, v.begin("holds")
}

func (v *vendor) SurveyContent(context.Context, schema.ExternalID, time.Time) (schema.ContentSurvey, error) {
	defer v.mu.Unlock()
	return v.surveyed, v.begin("survey")
}

func (v *vendor) RemoveMembership(_ context.Context, m schema.Membership) error {
	defer v.mu.Unlock()
	if err := v.begin("remove_membership", string(m.ID)); err != nil || v.deaf["remove_membership"] {
		return err
	}
	v.groups = slices.DeleteFunc(slices.Clone(v.groups), func(have schema.Membership) bool { return have.ID == m.ID })
	return v.lost["remove_membership"]
}

func (v *vendor) AddMembership(_ context.Context, account schema.ExternalID, m schema.Membership) error {
	defer v.mu.Unlock()
	if err := v.begin("add_membership", string(account), string(m.GroupID), m.Role); err != nil || v.deaf["add_membership"] {
		return err
	}
	if slices.ContainsFunc(v.groups, func(have schema.Membership) bool { return have.GroupID == m.GroupID }) {
		return failure(connectors.Conflict)
	}
	m.ID += "-again"
	v.groups = append(slices.Clone(v.groups), m)
	return v.lost["add_membership"]
}

func (v *vendor) PrepareDelete(_ context.Context, id schema.ExternalID) (connectors.PreparedDelete, error) {
	defer v.mu.Unlock()
	return preparedDelete{v, id}, v.begin("prepare_delete")
}

type preparedDelete struct {
	v  *vendor
	id schema.ExternalID
}

func (p preparedDelete) Send(ctx context.Context) error { return p.v.DeleteAccount(ctx, p.id) }

// mailbox is a notifier that keeps what it was given.
type mailbox struct {
	mu      sync.Mutex
	notices []activities.Notice
	err     error
}

func (m *mailbox) Notify(_ context.Context, n activities.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.notices = append(m.notices, n)
	return nil
}
