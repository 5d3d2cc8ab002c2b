package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/internal/config"
	"sendoff/internal/local"
	"sendoff/internal/store"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// RecoverOptions say why and how to recover (store.Recover).
type RecoverOptions struct {
	Reason        string
	NothingLost   bool
	DryRun        bool
	AllowSessions bool
	Progress      func(string) // told slow steps; nil = nobody
}

// Recover makes a restored database safe to work with, or tells what it would do.
// It needs the database alone: the one configured, or that of the local stack in
// the data directory, which must not run.
func Recover(ctx context.Context, cfg config.Config, o RecoverOptions) (schema.Recovery, error) {
	url := cfg.DatabaseOwnerURL
	if url == "" {
		url = cfg.DatabaseURL
	}
	if url == "" {
		postgres, err := startLocalDatabase(ctx, cfg, o)
		if err != nil {
			return schema.Recovery{}, err
		}
		defer func() { _ = postgres.Stop(context.WithoutCancel(ctx)) }() // its data is safe either way
		if url, err = postgres.CreateDatabase(ctx, databaseName); err != nil {
			return schema.Recovery{}, err
		}
	}
	// One connection: every other session of the database is somebody else's.
	s, err := store.Open(ctx, store.Config{URL: url, MaxConnections: 1})
	if err != nil {
		return schema.Recovery{}, err
	}
	defer s.Close()
	return s.Recover(ctx, store.RecoverOptions{
		Reason: o.Reason, NothingLost: o.NothingLost, DryRun: o.DryRun, AllowSessions: o.AllowSessions,
	})
}

func startLocalDatabase(ctx context.Context, cfg config.Config, o RecoverOptions) (*local.Postgres, error) {
	// A recovery must never begin a database: it would find nothing to recover there.
	if _, err := os.Stat(filepath.Join(cfg.DataDir, KeyFileName)); errors.Is(err, fs.ErrNotExist) {
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: "the database is not named and " + cfg.DataDir + " holds no local stack",
			Fix: "set SENDOFF_DATABASE_OWNER_URL, or name the data directory with --data",
		}
	}
	postgres, err := local.StartPostgres(ctx, local.PostgresConfig{DataDir: cfg.DataDir, Durable: true, Progress: o.Progress})
	if errors.Is(err, local.ErrInUse) {
		return nil, &schema.Error{
			Code: schema.CodeConflict, Message: "the local stack in " + cfg.DataDir + " is running",
			Fix: "stop sendoff up, then recover",
		}
	}
	return postgres, err
}

// restart ends whatever run a plan's or case's workflow has and starts it anew
// from its row. An overtaken run may have parked the plan for nothing but being
// overtaken; that is taken back between the two.
func (d *dispatcher) restart(ctx context.Context, row schema.OutboxRow) error {
	existed, err := d.terminate(ctx, workflowOf(row))
	if err != nil {
		return err
	}
	open, err := d.rows.StillOpen(ctx, row)
	if err != nil || !open {
		return err
	}
	if row.PlanID != "" {
		plan, err := d.rows.UnparkBehind(ctx, row.PlanID)
		if err != nil {
			return err
		}
		if plan.State == schema.PlanPlanned && !existed {
			return nil // its case starts it when it is due
		}
	}
	d.log.Info("starting a workflow anew after a recovery", zap.String("workflow_id", workflowOf(row)))
	if err = d.startAnew(ctx, row); errors.Is(err, temporalx.ErrAlreadyStarted) {
		return nil // by its case, also from the row
	}
	return err
}

// terminate ends the run of a workflow and tells whether it ever had one.
func (d *dispatcher) terminate(ctx context.Context, id string) (existed bool, err error) {
	var none *serviceerror.NotFound
	err = d.temporal.TerminateWorkflow(ctx, id, "", "the database was restored: started anew from its row")
	if !errors.As(err, &none) {
		return true, err
	}
	if _, err = d.temporal.DescribeWorkflowExecution(ctx, id, ""); errors.As(err, &none) {
		return false, nil
	}
	return true, err
}

// startAnew starts the workflow of a row that has no run going on.
func (d *dispatcher) startAnew(ctx context.Context, row schema.OutboxRow) error {
	options := client.StartWorkflowOptions{ID: workflowOf(row), TaskQueue: workflows.QueueEngine}
	var err error
	if row.PlanID != "" {
		_, err = temporalx.Restart(ctx, d.temporal, options, workflows.Deprovision, workflows.DeprovisionInput{PlanID: row.PlanID})
	} else {
		_, err = temporalx.Restart(ctx, d.temporal, options, workflows.Offboarding, workflows.OffboardingInput{CaseID: row.CaseID})
	}
	return err
}
