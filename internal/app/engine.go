package app

import (
	"context"
	"crypto/rand"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors/all"
	"sendoff/connectors/rate"
	"sendoff/internal/audit"
	"sendoff/internal/campaign"
	"sendoff/internal/config"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/telemetry"
	"sendoff/internal/temporalx"
	"sendoff/schema"
)

// auditOrigin names the audit log in checkpoints and keys.
const auditOrigin = "sendoff-audit"

// Engine is what server and worker have in common.
type Engine struct {
	cfg       config.Config
	log       *zap.Logger
	keys      *secret.Keyring
	signer    *audit.Signer
	store     *store.Store
	openers   *openers
	acts      *activities.Activities
	inventory *activities.Inventory
	hr        hrActivities
	reviews   *activities.Reviews
	campaigns *activities.Campaigns
	planner   *activities.Planner
	temporal  temporalx.Options
	ports     Ports
	telemetry *telemetry.Telemetry
}

// OpenEngine connects to the database, proves that the key is the right one and
// builds what acts on it. It calls neither Temporal nor a vendor. Production
// gives no ports.
func OpenEngine(ctx context.Context, cfg config.Config, keys *secret.Keyring, t temporalx.Options, log *zap.Logger, ports ...Ports) (*Engine, error) {
	e := &Engine{cfg: cfg, log: log, keys: keys, temporal: t}
	for _, p := range ports {
		e.ports = p
	}
	e.temporal.Logger, e.temporal.AllowPlaintext = log.Named("temporal"), cfg.TemporalPlaintext
	e.temporal.Converters = converters(keys)
	notifier, err := newNotifier(cfg.Notify)
	if err != nil {
		return nil, err
	}
	if e.store, err = store.Open(ctx, store.Config{URL: cfg.DatabaseURL, Log: log.Named("store"), Sealer: sealer{keys}, Weigh: campaign.Weigh}); err != nil {
		return nil, err
	}
	if err := e.prove(ctx); err != nil {
		e.store.Close()
		return nil, err
	}
	if err := e.openTelemetry(ctx); err != nil {
		e.store.Close()
		return nil, err
	}
	clocks := schema.DefaultClocks().Scaled(cfg.TimeScale)
	limiter := e.telemetry.Limiter(rate.New(e.store, float64(cfg.RatePerMinute)))
	e.openers = newOpeners(openerConfig{
		Factories: all.Factories(), Secrets: e.store, Grants: e.store, Guard: e.store, Observer: e.telemetry.Observer(),
		Limiter: limiter, LoopbackOnly: cfg.TimeScale > 1, Now: e.ports.clock(),
	})
	state := decorated[activities.Store](e.store, e.ports.Store)
	vendors := decorated[activities.Connectors](e.openers, e.ports.Connectors)
	e.acts = activities.New(activities.Config{Store: state, Connectors: vendors, Clocks: clocks, Notifier: notifier, Rechecker: e.store, Now: e.ports.Now})
	e.planner = activities.NewPlanner(state, vendors, e.ports.clock())
	e.inventory = activities.NewInventory(activities.InventoryConfig{
		Store: e.store, Connectors: vendors, Doctor: activities.NewDoctor(e.openers, e.ports.clock()), Correlator: e.store, Notifier: notifier, Clocks: clocks,
		Now: e.ports.Now,
	})
	e.hr = e.newHRActivities(notifier, e.planner, limiter)
	e.reviews = activities.NewReviews(e.reviewsConfig())
	e.campaigns = activities.NewCampaigns(e.campaignsConfig())
	return e, nil
}

// prove checks that database and key are those of before and opens the audit
// log's own key.
func (e *Engine) prove(ctx context.Context) error {
	if err := e.store.EnsureKeyCheck(ctx, e.keys); err != nil {
		return err
	}
	if err := e.store.EnsureIdentity(ctx); err != nil {
		return err
	}
	fresh := make([]byte, audit.SeedSize)
	if _, err := rand.Read(fresh); err != nil {
		return err
	}
	seed, err := e.store.EnsureAuditSeed(ctx, fresh)
	if err != nil {
		return err
	}
	if e.signer, err = audit.NewSigner(auditOrigin, seed); err != nil {
		return err
	}
	e.store.SetAuditKey(auditOrigin, e.signer.VerifierKey())
	return nil
}

// Close releases what the engine holds.
func (e *Engine) Close() {
	e.openers.close()
	e.closeTelemetry()
	e.store.Close()
}

// dial connects to Temporal as the part named.
func (e *Engine) dial(ctx context.Context, as string) (client.Client, error) {
	o := e.temporal
	o.Identity = as
	return temporalx.Dial(ctx, o)
}
