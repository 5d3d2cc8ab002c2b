package workflows

import (
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// RunInput names the run to carry out.
type RunInput struct {
	RunID schema.RunID `json:"run_id"`
}

// Sync lists what a connection's vendor has, page by page into staging, reads what
// the listing left out, and publishes all of it at once. A data set that cannot be
// had is left as it was known, and said so. A sync that cannot go on ends failed,
// with its cause: the next one begins anew.
func Sync(ctx workflow.Context, in RunInput) error {
	return inventoryRun{in.RunID}.carryOut(ctx, inventoryRun.sync)
}

// CollectActivity reads a vendor's events: what is new, and once what lies in the
// past.
func CollectActivity(ctx workflow.Context, in RunInput) error {
	return inventoryRun{in.RunID}.carryOut(ctx, inventoryRun.collectActivity)
}

// Probe lets the doctor look at a connection.
func Probe(ctx workflow.Context, in RunInput) error {
	return inventoryRun{in.RunID}.carryOut(ctx, func(r inventoryRun, ctx workflow.Context, _ activities.Examined) error {
		return r.end(ctx, schema.RunDone, nil)
	})
}

type inventoryRun struct{ id schema.RunID }

// carryOut examines the connection, does the work unless nothing can be had, and
// tells the connection's owner what they have to know.
func (r inventoryRun) carryOut(ctx workflow.Context, work func(inventoryRun, workflow.Context, activities.Examined) error) error {
	found, err := r.examine(ctx)
	switch {
	case err != nil:
	case found.Cause != nil:
		err = r.end(ctx, schema.RunFailed, found.Cause)
	default:
		err = work(r, ctx, found)
	}
	if err != nil {
		if err := r.end(ctx, schema.RunFailed, r.causeOf(ctx, err)); err != nil {
			return err
		}
	}
	return r.tellOwner(ctx)
}

// causeOf is why a run failed. Of a refusal the doctor tells more than its error.
func (r inventoryRun) causeOf(ctx workflow.Context, err error) *schema.RunCause {
	if refusedByVendor(err) {
		if found, again := r.examine(ctx); again == nil && found.Cause != nil {
			return found.Cause
		}
	}
	return causeOfRun(err)
}

func (r inventoryRun) sync(ctx workflow.Context, found activities.Examined) error {
	steps := []struct {
		dataset schema.Dataset
		list    func(workflow.Context) error
	}{
		{schema.DataAccounts, r.listAccounts},
		{schema.DataGroups, r.listGroups},
		{schema.DataMemberships, r.listMemberships},
		{schema.DataCollaborations, r.listCollaborations},
	}
	for _, s := range steps {
		if reason, missing := found.Without[s.dataset]; missing {
			if err := r.skip(ctx, s.dataset, reason); err != nil {
				return err
			}
			continue
		}
		if err := s.list(ctx); err != nil {
			return err
		}
	}
	if _, missing := found.Without[schema.DataAccounts]; !missing {
		if err := r.checkAbsences(ctx); err != nil {
			return err
		}
	}
	return r.publish(ctx)
}

func (r inventoryRun) collectActivity(ctx workflow.Context, found activities.Examined) error {
	if reason, missing := found.Without[schema.DataActivity]; missing {
		if err := r.skipActivity(ctx, reason); err != nil {
			return err
		}
		return r.end(ctx, schema.RunDone, nil)
	}
	for _, step := range []func(workflow.Context) error{r.beginFeed, r.readPast, r.readLive} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return r.end(ctx, schema.RunDone, nil)
}
