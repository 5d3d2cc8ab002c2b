package store

import (
	"context"
	"encoding/binary"
	"maps"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const connectionColumns = `id, name, vendor, state, read_only, base_url, token_url, auth_kind, client_id, enterprise_id, as_user,
	created_at, updated_at, version, owner, health, health_code, health_at`

// sealPurpose separates connection secrets from everything else that is sealed.
const sealPurpose = "credential"

// secretAAD binds a sealed secret to its row and to the URLs it is sent to:
// somebody who can write to the table still cannot send it elsewhere.
func secretAAD(c schema.Connection) []byte {
	return columnAAD("connection", string(c.ID), "secret", c.BaseURL, c.TokenURL)
}

// columnAAD names one column of one row, and what else must not change. Each
// part is preceded by its length, so that no two lists look alike.
func columnAAD(table, row, column string, bound ...string) []byte {
	var b []byte
	for _, part := range append([]string{table, row, column}, bound...) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}

func (s *Store) requireSealer() error {
	if s.sealer == nil {
		return &schema.Error{Code: schema.CodeUnavailable, Message: "this process has no key, so it cannot handle secrets"}
	}
	return nil
}

// CreateConnection seals the secret and stores the connection, enabled.
// CodeConflict when the name is taken, or when it may write and another
// connection that is not removed may write to the same enterprise or has open
// plans there.
func (s *Store) CreateConnection(ctx context.Context, c schema.Connection, secret string, by schema.Principal) (schema.Connection, error) {
	return s.createConnection(ctx, c, secret, nil, by)
}

// createConnection stores a connection with the grant it works by, if there is one.
func (s *Store) createConnection(ctx context.Context, c schema.Connection, secret string, g *schema.Grant, by schema.Principal) (schema.Connection, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Connection{}, err
	}
	if err := s.requireSealer(); err != nil {
		return schema.Connection{}, err
	}
	if c.Name == "" || secret == "" {
		return schema.Connection{}, &schema.Error{Code: schema.CodeInvalid, Message: "a connection needs a name and a secret"}
	}
	var err error
	if c.ID, err = newID[schema.ConnectionID](); err != nil {
		return schema.Connection{}, err
	}
	sealed, err := s.sealer.Seal(sealPurpose, secretAAD(c), []byte(secret))
	if err != nil {
		return schema.Connection{}, err
	}
	var created schema.Connection
	err = s.inTx(ctx, "create connection", func(ctx context.Context, t *tx) (err error) {
		if created, err = t.insertConnection(ctx, c, sealed); err != nil {
			return err
		}
		if g != nil {
			err = s.insertGrant(ctx, t, c, *g)
		}
		t.record(audit.ConnectionStream(string(c.ID)), principal(by), "connection.created", audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{
				"name": c.Name, "vendor": c.Vendor, "base_url": c.BaseURL, "enterprise_id": c.EnterpriseID,
				"auth_kind": string(c.AuthKind.OrDefault()), "read_only": strconv.FormatBool(c.ReadOnly),
			})
		return err
	})
	return created, err
}

func (t *tx) insertConnection(ctx context.Context, c schema.Connection, sealed []byte) (schema.Connection, error) {
	if !c.ReadOnly {
		if err := t.refuseBesideOpenPlans(ctx, c); err != nil {
			return schema.Connection{}, err
		}
	}
	created, ok, err := maybe[schema.Connection](ctx, t, `insert into connection (id, name, vendor, state, read_only, base_url, token_url,
			auth_kind, client_id, enterprise_id, as_user, owner, secret, version, created_at, updated_at)
		values (@id, @name, @vendor, @state, @read_only, @base_url, @token_url,
			@auth_kind, @client_id, @enterprise_id, @as_user, @owner, @secret, 1, @now, @now)
		on conflict (vendor, enterprise_id) where state <> 'removed' and not read_only do nothing
		returning `+connectionColumns,
		args{
			"id": c.ID, "name": c.Name, "vendor": c.Vendor, "state": schema.ConnectionEnabled, "read_only": c.ReadOnly,
			"base_url": c.BaseURL, "token_url": c.TokenURL, "auth_kind": c.AuthKind.OrDefault(), "client_id": c.ClientID, "enterprise_id": c.EnterpriseID,
			"as_user": c.AsUser, "owner": c.Owner, "secret": sealed, "now": t.now,
		})
	if err == nil && !ok {
		err = t.secondWriter(ctx, c)
	}
	return created, err
}

// secondWriter is the refusal of a connection beside one that may already write
// to its enterprise. It names that one; a disabled one counts, as it can be
// enabled again.
func (t *tx) secondWriter(ctx context.Context, c schema.Connection) error {
	name, err := scalar[string](ctx, t, `select coalesce(min(name), '') from connection
		where vendor = @vendor and enterprise_id = @enterprise_id and state <> 'removed' and not read_only`,
		args{"vendor": c.Vendor, "enterprise_id": c.EnterpriseID})
	if err != nil {
		return err
	}
	if name == "" {
		return conflict("another connection that writes to "+c.Vendor+" enterprise "+c.EnterpriseID+" was removed just now", "connect again")
	}
	return conflict("connection "+name+" already writes to "+c.Vendor+" enterprise "+c.EnterpriseID+
		": with two, one account could be worked on twice at once", "remove "+name+" first, or connect with --read-only")
}

// refuseBesideOpenPlans refuses to let a connection write while plans are open on
// another one to its enterprise, which a recovery made read-only: their transfers
// may be running, and over another connection nothing would know of them.
func (t *tx) refuseBesideOpenPlans(ctx context.Context, c schema.Connection) error {
	// Whoever makes plans holds these rows shared, so none appears meanwhile.
	others, err := all[struct {
		ID       schema.ConnectionID
		Name     string
		ReadOnly bool
	}](ctx, t, `select id, name, read_only from connection
		where vendor = @vendor and enterprise_id = @enterprise and state <> 'removed' and id <> @id order by id for no key update`,
		args{"vendor": c.Vendor, "enterprise": c.EnterpriseID, "id": c.ID})
	if err != nil {
		return err
	}
	for _, other := range others {
		if !other.ReadOnly {
			continue // a second writer is refused by its own rule
		}
		open, err := t.countOpenPlans(ctx, other.ID)
		if err != nil {
			return err
		}
		if open > 0 {
			return conflict(strconv.Itoa(open)+" plans are open on connection "+other.Name+", which reaches the same "+c.Vendor+" enterprise "+c.EnterpriseID+
				": over another connection one account could be worked on twice", "allow writes on "+other.Name+" instead, rotating its credentials if they are not valid any more; or cancel its cases first")
		}
	}
	return nil
}

func (t *tx) countOpenPlans(ctx context.Context, id schema.ConnectionID) (int, error) {
	return scalar[int](ctx, t, `select count(*) from plan
		where connection_id = @id and state not in ('done', 'cancelled', 'superseded')`, args{"id": id})
}

// ListConnections lists the connections that are not removed, oldest first.
func (s *Store) ListConnections(ctx context.Context, after string, limit int) ([]schema.Connection, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	list, err := all[schema.Connection](ctx, s.pool, `select `+connectionColumns+` from connection
		where state <> 'removed' and (@first or (created_at, id) > (@at, @id)) order by created_at, id limit @limit`,
		args{"first": after == "", "at": from.At, "id": schema.ConnectionID(from.ID), "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list connections", err)
	}
	list, next := page(list, limit, func(c schema.Connection) cursor { return cursor{c.CreatedAt, string(c.ID)} })
	return list, next, nil
}

// EnabledConnections returns every enabled connection, oldest first.
func (s *Store) EnabledConnections(ctx context.Context) ([]schema.Connection, error) {
	list, err := all[schema.Connection](ctx, s.pool, `select `+connectionColumns+` from connection
		where state = 'enabled' order by created_at, id`, nil)
	return list, translate("list connections", err)
}

// Connection returns a connection by id, removed ones included.
func (s *Store) Connection(ctx context.Context, id schema.ConnectionID) (schema.Connection, error) {
	c, ok, err := maybe[schema.Connection](ctx, s.pool, `select `+connectionColumns+` from connection where id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("connection", string(id))
	}
	return c, translate("read connection", err)
}

// ConnectionByName returns the connection of that name that is not removed.
func (s *Store) ConnectionByName(ctx context.Context, name string) (schema.Connection, error) {
	c, ok, err := maybe[schema.Connection](ctx, s.pool, `select `+connectionColumns+` from connection
		where name = @name and state <> 'removed'`, args{"name": name})
	if err == nil && !ok {
		err = notFound("connection", name)
	}
	return c, translate("read connection", err)
}

// SetConnectionState enables, disables or removes a connection. Removing
// forgets the secret and the grant; CodeConflict while plans are open on it.
func (s *Store) SetConnectionState(ctx context.Context, name string, to schema.ConnectionState, reason string, by schema.Principal) (schema.Connection, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Connection{}, err
	}
	switch to {
	case schema.ConnectionEnabled, schema.ConnectionDisabled, schema.ConnectionRemoved:
	default:
		return schema.Connection{}, &schema.Error{Code: schema.CodeInvalid, Message: "a connection cannot become " + strconv.Quote(string(to))}
	}
	var c schema.Connection
	err := s.inTx(ctx, "change connection", func(ctx context.Context, t *tx) (err error) {
		c, err = t.changeConnection(ctx, name, to, map[string]string{"reason": reason}, by)
		return err
	})
	return c, err
}

// changeConnection moves a connection to a state; details go into its record.
func (t *tx) changeConnection(ctx context.Context, name string, to schema.ConnectionState, details map[string]string, by schema.Principal) (schema.Connection, error) {
	c, ok, err := maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection
		where name = @name and state <> 'removed' for no key update`, args{"name": name})
	if err != nil {
		return c, err
	}
	if !ok {
		return c, notFound("connection", name)
	}
	if c.State == to {
		return c, nil
	}
	err = t.moveConnection(ctx, &c, to, details, by)
	return c, err
}

func (t *tx) moveConnection(ctx context.Context, c *schema.Connection, to schema.ConnectionState, details map[string]string, by schema.Principal) error {
	if to == schema.ConnectionRemoved {
		open, err := t.countOpenPlans(ctx, c.ID)
		if err != nil {
			return err
		}
		if open > 0 {
			return conflict(strconv.Itoa(open)+" plans are open on connection "+c.Name, "cancel them or wait for their end; disable the connection to stop its writes now")
		}
	}
	from := c.State
	var err error
	*c, err = one[schema.Connection](ctx, t, `update connection set state = @to, version = version + 1, updated_at = @now,
			secret = case when @to = 'removed' then null else secret end
		where id = @id and state = @from returning `+connectionColumns,
		args{"id": c.ID, "from": from, "to": to, "now": t.now})
	if err != nil {
		return err
	}
	if to == schema.ConnectionRemoved {
		err = t.destroyGrant(ctx, c.ID)
	}
	said := map[string]string{"from": string(from), "to": string(to)}
	maps.Copy(said, details)
	t.record(audit.ConnectionStream(string(c.ID)), principal(by), "connection."+string(to), audit.Subject{ConnectionID: string(c.ID)}, said)
	return err
}
