package app

import (
	"context"
	"time"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// OpenProbe opens a connector for the doctor alone, as the connection is stored
// now. Its credentials are the stored ones: it looks for no newer.
func (o *openers) OpenProbe(ctx context.Context, c schema.Connection) (connectors.Connector, error) {
	if err := mustBeEnabled(c); err != nil {
		return nil, err
	}
	stored, secret, err := o.cfg.Secrets.ConnectionSecret(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if err := mustBeEnabled(stored); err != nil {
		return nil, err
	}
	return o.build(connectors.Config{Connection: stored, Secret: secret, Limiter: o.limiter()})
}

// Diagnose implements web.ConnectionDoctor.
func (o *openers) Diagnose(ctx context.Context, c schema.Connection, secret string) (schema.Diagnosis, error) {
	ctx = connectors.WithPriority(ctx, connectors.PriorityPreflight)
	if secret == "" {
		return activities.NewDoctor(o, time.Now).Diagnose(ctx, c)
	}
	connector, err := o.build(connectors.Config{Connection: c, Secret: secret, Limiter: unlimited{}})
	if err != nil {
		return schema.Diagnosis{}, err
	}
	defer connector.Close()
	return activities.Visit{Connection: c, Connector: connector, At: time.Now()}.Diagnose(ctx)
}

// Abilities implements web.ConnectionDoctor.
func (o *openers) Abilities(vendor string, readOnly bool) ([]schema.Ability, error) {
	f, err := o.factory(vendor)
	if err != nil {
		return nil, err
	}
	if l, ok := f.(connectors.ScopeLister); ok {
		return l.Abilities(readOnly), nil
	}
	return nil, nil
}

// limiter is the shared one, where there is one.
func (o *openers) limiter() connectors.Limiter {
	if o.cfg.Limiter == nil {
		return unlimited{}
	}
	return o.cfg.Limiter
}
