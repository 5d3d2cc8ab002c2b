package activities

import (
	"context"

	"sendoff/connectors"
	"sendoff/schema"
)

// Reactivate brings the account to the vendor's active status, as Suspend brings
// it to the suspended one: it reads, writes if needed, and reads again until the
// vendor agrees. A restricted account is made active too. The status it had is kept,
// and RestoreStatus gives it back: a cancelled plan leaves no account open that was
// closed before.
func (a *Activities) Reactivate(ctx context.Context, in StepInput) error {
	w, err := a.begin(ctx, in.Ref)
	if err != nil {
		return err
	}
	s, err := connectors.Capability[connectors.Suspender](w.c, "suspend")
	if err != nil {
		return err
	}
	now, err := a.readSource(ctx, &w)
	if err != nil {
		return err
	}
	if now.VendorStatus != s.ActiveStatus() {
		if err := a.renewFacts(ctx, &w, now, nil, nil); err != nil {
			return err
		}
		if err := a.store.SavePriorStatus(ctx, w.ref, now.VendorStatus); err != nil {
			return err
		}
		if now, err = a.writeStatus(ctx, &w, s, now, statusWrite{op: "reactivate", to: s.ActiveStatus(), not: "the account is not active yet"}); err != nil {
			return err
		}
	}
	return a.store.CompleteStep(ctx, w.ref, schema.StepDone, map[string]string{"status": now.VendorStatus})
}
