package activities

import (
	"context"
	"errors"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// checkOthers looks for other cases that stand in the way: one that is open for
// the account, one whose transfer the account takes part in now, and one that
// ended without knowing what became of its transfer.
func (b *batch) checkOthers(ctx context.Context, l *lane, r schema.Request, t schema.Template, d *schema.DraftAccount) error {
	id := d.Account.ExternalID
	running, open, err := b.store.OpenPlanOf(ctx, l.conn.ID, id)
	if err != nil {
		return err
	}
	if open {
		f := policy.Busy(l.conn, running.CaseID)
		if running.ConnectionID == l.conn.ID && running.YieldsTo(r.Door.Rank(), t) {
			f = policy.Supersedes(l.conn, running.CaseID)
		}
		d.Findings = append(d.Findings, f)
		return nil
	}
	holder, held, err := b.store.LaneHolder(ctx, l.conn.ID, id)
	if err != nil {
		return err
	}
	if held {
		d.Findings = append(d.Findings, policy.TakesPart(l.conn, holder))
	}
	if !t.Has(schema.StepTransfer) {
		return nil
	}
	earlier, unsettled, err := b.store.UnsettledTransferOf(ctx, l.conn.ID, id)
	if unsettled {
		d.Findings = append(d.Findings, policy.Unsettled(l.conn, earlier, r.SendAgain))
	}
	return err
}

// checkContent reads what forbids to move the account's content, and looks at
// that content for what somebody should know before it is moved.
func (b *batch) checkContent(ctx context.Context, l *lane, t schema.Template, d *schema.DraftAccount) (policy.Restraint, error) {
	effects := policy.EffectsOf(t.Steps)
	r, err := restraintOf(ctx, b.store, l.whole, l.conn, d.Account, effects.MovesContent)
	if err != nil {
		if connectors.KindOf(err) == "" {
			return r, err
		}
		d.Findings = append(d.Findings, b.degraded(l, err))
		return r, nil
	}
	d.Findings = append(d.Findings, policy.CheckRestraint(l.conn, d.Account.ExternalID, effects, r)...)
	if effects.MovesContent && d.Account.Status != schema.AccountSuspended && !b.again {
		d.Findings = append(d.Findings, b.survey(ctx, l, effects, d.Account)...)
	}
	return r, nil
}

// survey looks at the account's content as the account. It gathers warnings, so
// that what cannot be looked at is a warning too.
func (b *batch) survey(ctx context.Context, l *lane, e policy.Effects, a schema.Account) []schema.Finding {
	s, err := connectors.Capability[connectors.ContentSurveyor](l.whole, "survey_content")
	if err != nil {
		return nil
	}
	seen, err := s.SurveyContent(ctx, a.ExternalID, b.now())
	var vendor *connectors.Error
	switch {
	case err == nil:
		return policy.CheckContent(l.conn, e, seen)
	case errors.As(err, &vendor) && vendor.Code == "insufficient_scope":
		return []schema.Finding{policy.ScopeMissing(l.conn, "read and write all content")}
	default:
		return []schema.Finding{policy.ContentUnread(l.conn, describe(err))}
	}
}

// ownsContent tells whether the account owns, or may own, anything. Bytes in use
// are proof; without any, zero-byte items, links and trash are looked for as the
// account. One that may not be acted as may own such things: that counts as owning.
func (b *batch) ownsContent(ctx context.Context, l *lane, a schema.Account) (bool, error) {
	if a.SpaceUsed > 0 {
		return true, nil
	}
	reader, err := connectors.Capability[connectors.ContentReader](l.whole, "read_content")
	if err != nil || a.Status == schema.AccountSuspended {
		return true, nil
	}
	items, _, err := reader.RootItems(ctx, a.ExternalID)
	if err == nil && len(items) == 0 {
		items, _, err = reader.TrashItems(ctx, a.ExternalID)
	}
	if unreadable(err) {
		return true, nil
	}
	return len(items) > 0, err
}
