package box

import (
	"context"
	"errors"
	"net/url"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

var (
	_ connectors.Prober      = (*Connector)(nil)
	_ connectors.CauseLister = (*Connector)(nil)
	_ connectors.ScopeLister = Factory{}
)

// ClockSkew implements connectors.Prober.
func (c *Connector) ClockSkew() time.Duration { return c.client.http.ClockSkew() }

// Probe implements connectors.Prober. It sends GETs alone; of content it reads the
// id of a root folder.
func (c *Connector) Probe(ctx context.Context, ability string) error {
	probes := map[string]func(context.Context) error{
		connectors.AbilitySignIn:   func(ctx context.Context) error { _, err := c.tokens.Token(ctx); return err },
		connectors.AbilityIdentity: func(ctx context.Context) error { _, err := c.Check(ctx); return err },
		abilityListAccounts:        func(ctx context.Context) error { _, err := c.client.someUsers(ctx, "1"); return err },
		abilityReadAccount:         c.client.probeAccount,
		abilityListGroups:          func(ctx context.Context) error { _, err := c.client.someGroup(ctx); return err },
		abilityListMembers:         func(ctx context.Context) error { return c.client.probeGroup(ctx, "/memberships") },
		abilityListCollaborations:  func(ctx context.Context) error { return c.client.probeGroup(ctx, "/collaborations") },
		abilityReadContent:         c.client.probeContent,
		abilityReadEvents:          c.probeEvents,
		abilityReadHolds:           func(ctx context.Context) error { return c.client.probeList(ctx, "/legal_hold_policies") },
		abilityReadRetention:       func(ctx context.Context) error { return c.client.probeList(ctx, "/retention_policies") },
	}
	probe, ok := probes[ability]
	if !ok {
		return &connectors.Error{Kind: connectors.Unsupported, Op: opProbe, Detail: "there is no probe for this ability"}
	}
	err := probe(ctx)
	var refused *connectors.Error
	if errors.As(err, &refused) && refused.Kind == connectors.Forbidden && refused.Code != codeScope && refused.Err == nil {
		refused.Err = c.clarify(ctx, ability)
	}
	return err
}

const opProbe = "box.probe"

// some reads the beginning of a listing.
func some[T any](ctx context.Context, c *client, path string, query url.Values) ([]T, error) {
	var found []T
	_, err := each(ctx, c, call{op: opProbe, path: path, query: query}, func(e T) error {
		found = append(found, e)
		return nil
	})
	return found, err
}

func (c *client) probeList(ctx context.Context, path string) error {
	_, err := some[ref](ctx, c, path, url.Values{"limit": {"1"}})
	return err
}

func (c *client) someUsers(ctx context.Context, limit string) ([]user, error) {
	q := with(with(fields("id", "role", "status", "login", "is_platform_access_only"), "user_type", "managed"), "limit", limit)
	return some[user](ctx, c, "/users", q)
}

func (c *client) probeAccount(ctx context.Context) error {
	users, err := c.someUsers(ctx, "1")
	if err != nil {
		return err
	}
	if len(users) == 0 {
		return nothingToProbe()
	}
	_, err = c.readUser(ctx, users[0].ID.id())
	return err
}

// probeContent reads the root folder of an account as that account: of one that
// every kind of caller may act as.
func (c *client) probeContent(ctx context.Context) error {
	users, err := c.someUsers(ctx, "100")
	if connectors.KindOf(err) == connectors.Forbidden {
		return nothingToProbe() // which is about another ability
	}
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.ID == "" || u.Status != statusActive || u.Role != "user" || u.service() || u.AppUser {
			continue
		}
		return c.do(ctx, call{op: opProbe, path: "/folders/0", query: fields("id"), asUser: u.ID.id()}, nil)
	}
	return nothingToProbe()
}

func (c *client) someGroup(ctx context.Context) (schema.ExternalID, error) {
	groups, err := some[ref](ctx, c, "/groups", with(fields("id"), "limit", "1"))
	if err != nil || len(groups) == 0 {
		return "", err
	}
	return groups[0].ID.id(), nil
}

func (c *client) probeGroup(ctx context.Context, rest string) error {
	id, err := c.someGroup(ctx)
	if err != nil {
		return err
	}
	if id == "" {
		return nothingToProbe()
	}
	if err := checkIDs(opProbe, id); err != nil {
		return err
	}
	_, err = some[ref](ctx, c, "/groups/"+string(id)+rest, url.Values{"limit": {"1"}})
	return err
}

// probeEvents reads the newest events, of which there are none yet.
func (c *Connector) probeEvents(ctx context.Context) error {
	q := url.Values{"stream_type": {"admin_logs"}, "limit": {"1"}, "created_after": {c.now().UTC().Format(time.RFC3339)}}
	_, err := some[ref](ctx, c.client, "/events", q)
	return err
}

// clarify finds out what a 403 is about, nil when that cannot be told. Box answers
// alike for a scope, a role, an add-on and a plan that are missing
// (https://support.box.com/hc/en-us/articles/360043693434). The role is not what
// is missing to the primary administrator, nor to a service account, which may
// what its scopes say; then what else the scope opens tells the rest.
func (c *Connector) clarify(ctx context.Context, ability string) error {
	id, err := c.Check(ctx)
	if err != nil || id.Role != schema.RoleOwner && !id.Service {
		return nil
	}
	switch ability {
	case abilityListAccounts, abilityReadAccount, abilityListGroups, abilityListMembers, abilityListCollaborations:
		return connectors.ErrScopeMissing
	case abilityReadContent:
		// One's own root needs the scope and nobody to act as.
		err := c.client.do(ctx, call{op: opProbe, path: "/folders/0", query: fields("id")}, nil)
		if connectors.KindOf(err) == connectors.Forbidden {
			return connectors.ErrScopeMissing
		}
	case abilityReadEvents:
		if checkIDs(opProbe, schema.ExternalID(c.conn.EnterpriseID)) != nil {
			return nil
		}
		// https://developer.box.com/reference/get-enterprises-id-device-pinners/
		err := c.client.probeList(ctx, "/enterprises/"+c.conn.EnterpriseID+"/device_pinners")
		switch {
		case err == nil:
			return connectors.ErrNotInPlan
		case connectors.KindOf(err) == connectors.Forbidden:
			return connectors.ErrScopeMissing
		}
	}
	return nil
}

func nothingToProbe() error {
	return &connectors.Error{Kind: connectors.NotFound, Op: opProbe, Err: connectors.ErrNothingToProbe, Detail: "there is nothing to probe with"}
}
