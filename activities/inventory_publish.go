package activities

import (
	"context"

	"sendoff/connectors"
	"sendoff/schema"
)

// mostAbsencesRead is how many accounts, that the listing left out, one sync reads
// by id. The others are missing, and the next syncs read them.
const mostAbsencesRead = 500

// CheckAbsences reads, one by one, accounts that the listing left out: one that is
// found was merely not listed, and absence is not deletion (promise 8).
func (v *Inventory) CheckAbsences(ctx context.Context, in RunInput) error {
	ctx, s, err := v.open(ctx, in.RunID)
	if err != nil {
		return err
	}
	absent, err := v.store.Absent(ctx, in.RunID, mostAbsencesRead)
	if err != nil || len(absent) == 0 {
		return err
	}
	reader, err := connectors.Capability[connectors.AccountReader](s.c, "read_accounts")
	if err != nil {
		return err
	}
	// "Not found" says nothing if the connection was pointed elsewhere meanwhile.
	who, err := s.c.Check(ctx)
	if err != nil {
		return err
	}
	if who.EnterpriseID != s.conn.EnterpriseID {
		return enterpriseRefusal()
	}
	for _, id := range absent {
		if err := v.checkAbsence(ctx, in.RunID, reader, id); err != nil {
			return err
		}
	}
	return nil
}

func (v *Inventory) checkAbsence(ctx context.Context, run schema.RunID, reader connectors.AccountReader, id schema.ExternalID) error {
	a, err := reader.ReadAccount(ctx, id)
	switch connectors.KindOf(err) {
	case connectors.NotFound:
		return v.store.StageAbsence(ctx, run, id, v.now().UTC())
	case connectors.Forbidden, connectors.Invalid:
		return nil // it stays missing: nothing was learnt
	}
	if err != nil {
		return err
	}
	return v.store.StageRead(ctx, run, a)
}

// PublishResult is how a sync ended.
type PublishResult struct {
	State schema.RunState `json:"state"`
}

// Publish applies what the run has listed, or quarantines it, and matches accounts
// to persons. A sync that is applied ends the alarm of those that failed.
func (v *Inventory) Publish(ctx context.Context, in RunInput) (PublishResult, error) {
	run, err := v.store.PublishSync(ctx, in.RunID)
	if err != nil || run.State != schema.RunDone {
		return PublishResult{run.State}, err
	}
	if err := v.store.ClearAlarm(ctx, run.ConnectionID, schema.AlarmSyncFailing); err != nil {
		return PublishResult{}, err
	}
	if v.correlator != nil {
		if _, err := v.correlator.Correlate(ctx, run.ConnectionID); err != nil {
			return PublishResult{}, err
		}
	}
	return PublishResult{run.State}, nil
}
