package box

import (
	"context"
	"slices"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// Connector is an open connection to one Box enterprise.
type Connector struct {
	client *client
	tokens tokenSource
	conn   schema.Connection
	now    func() time.Time

	// What a revocation is made with.
	guard    connectors.Guard
	observer connectors.Observer
	creds    httpx.Credentials
}

// What Box can do.
var (
	_ connectors.Connector      = (*Connector)(nil)
	_ connectors.AccountReader  = (*Connector)(nil)
	_ connectors.AccountLister  = (*Connector)(nil)
	_ connectors.Suspender      = (*Connector)(nil)
	_ connectors.RoleWriter     = (*Connector)(nil)
	_ connectors.SessionRevoker = (*Connector)(nil)
	_ connectors.GroupReader    = (*Connector)(nil)
	_ connectors.ContentReader  = (*Connector)(nil)
	_ connectors.Transferer     = (*Connector)(nil)
	_ connectors.AccessGranter  = (*Connector)(nil)
	_ connectors.Deleter        = (*Connector)(nil)

	_ connectors.HoldReader       = (*Connector)(nil)
	_ connectors.MembershipWriter = (*Connector)(nil)
	_ connectors.ContentSurveyor  = (*Connector)(nil)
)

// Manifest implements connectors.Connector.
func (c *Connector) Manifest() connectors.Manifest { return Factory{}.Manifest() }

// Close implements connectors.Connector.
func (c *Connector) Close() {
	c.tokens.Close()
	c.client.http.Close()
}

// Check implements connectors.Connector.
func (c *Connector) Check(ctx context.Context) (connectors.Identity, error) {
	u, err := c.client.me(ctx)
	if err != nil {
		return connectors.Identity{}, err
	}
	const op = "box.check"
	if u.Status == statusInactive {
		return connectors.Identity{}, &connectors.Error{
			Kind: connectors.Unauthorized, Op: op, Detail: "the connection's user is inactive",
		}
	}
	role, err := mapRole(op, u.Role)
	if err != nil {
		return connectors.Identity{}, err
	}
	return connectors.Identity{
		ExternalID: u.ID.id(), Role: role, EnterpriseID: string(u.Enterprise.id()), Service: u.service(),
	}, nil
}

// FindByLogin implements connectors.AccountReader.
func (c *Connector) FindByLogin(ctx context.Context, login string) ([]schema.Account, error) {
	users, err := c.client.findUsers(ctx, login)
	if err != nil {
		return nil, err
	}
	accounts := make([]schema.Account, 0, len(users))
	for _, u := range users {
		a, err := c.account(opFindUsers, u)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// ReadAccount implements connectors.AccountReader.
func (c *Connector) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	u, err := c.client.readUser(ctx, id)
	if err != nil {
		return schema.Account{}, err
	}
	return c.account(opReadUser, u)
}

// EachAccount implements connectors.AccountLister.
func (c *Connector) EachAccount(ctx context.Context, fn func(schema.Account) error) error {
	return c.client.eachUser(ctx, func(u user) error {
		a, err := c.account(opListUsers, u)
		if err != nil {
			return err
		}
		return fn(a)
	})
}

// SuspendedStatus implements connectors.Suspender.
func (c *Connector) SuspendedStatus() string { return statusInactive }

// ActiveStatus implements connectors.Suspender.
func (c *Connector) ActiveStatus() string { return statusActive }

// SetStatus implements connectors.Suspender.
func (c *Connector) SetStatus(ctx context.Context, id schema.ExternalID, vendorStatus string) error {
	return c.client.setStatus(ctx, id, vendorStatus)
}

// SetRole implements connectors.RoleWriter.
func (c *Connector) SetRole(ctx context.Context, id schema.ExternalID, role schema.AccountRole) error {
	return c.client.setRole(ctx, id, role)
}

// RevokeSessions implements connectors.SessionRevoker.
func (c *Connector) RevokeSessions(ctx context.Context, id schema.ExternalID) error {
	return c.client.terminateSessions(ctx, id)
}

// Memberships implements connectors.GroupReader.
func (c *Connector) Memberships(ctx context.Context, id schema.ExternalID) ([]schema.Membership, error) {
	wire, err := c.client.memberships(ctx, id)
	if err != nil {
		return nil, err
	}
	all := make([]schema.Membership, len(wire))
	for i, m := range wire {
		if all[i], err = m.model(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// RemoveMembership implements connectors.MembershipWriter.
func (c *Connector) RemoveMembership(ctx context.Context, m schema.Membership) error {
	return c.client.removeMembership(ctx, m.ID)
}

// AddMembership implements connectors.MembershipWriter.
func (c *Connector) AddMembership(ctx context.Context, account schema.ExternalID, m schema.Membership) error {
	return c.client.addMembership(ctx, account, m)
}

// Holds implements connectors.HoldReader. Retention that may not be read is
// reckoned with as if it were there: it must not hide the holds that were read.
func (c *Connector) Holds(ctx context.Context, id schema.ExternalID) (schema.VendorHolds, error) {
	held, err := c.client.holdsOn(ctx, id)
	if err != nil {
		return schema.VendorHolds{}, err
	}
	retention, err := c.client.anyRetention(ctx)
	switch {
	case err == nil:
	case len(held) > 0 || outOfReach(err) || notServed(err) || connectors.KindOf(err) == connectors.Forbidden:
		retention = true
	default:
		return schema.VendorHolds{}, err
	}
	holds := schema.VendorHolds{Retention: retention}
	for _, p := range held {
		holds.Legal = append(holds.Legal, p.ID.id())
	}
	return holds, nil
}

// RootItems implements connectors.ContentReader. An item whose owner neither the
// listing nor the item itself names counts as the account's, so that it is not
// lost silently.
func (c *Connector) RootItems(ctx context.Context, owner schema.ExternalID) ([]schema.Witness, int, error) {
	const op = "box.list_root"
	var owned []schema.Witness
	foreign := 0
	seen := map[text]bool{} // a listing that changes under way repeats entries
	err := c.client.eachRootItem(ctx, op, owner, func(i item) error {
		if seen[i.ID] {
			return nil
		}
		seen[i.ID] = true
		w, err := i.witness(op)
		by := i.OwnedBy.id()
		if err == nil && by == "" {
			by, err = c.client.ownerOf(ctx, owner, w)
		}
		if by != "" && by != owner {
			foreign++
			return nil
		}
		owned = append(owned, w)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return owned, foreign, nil
}

// TrashItems implements connectors.ContentReader. An item without a named owner
// counts as the account's, so that it is not lost silently.
func (c *Connector) TrashItems(ctx context.Context, owner schema.ExternalID) ([]schema.Witness, int64, error) {
	const op = "box.list_trash"
	var trash []schema.Witness
	var bytes int64
	seen := map[text]bool{}
	err := c.client.eachTrashed(ctx, op, owner, func(i item) error {
		if by := i.OwnedBy.id(); by != "" && by != owner || seen[i.ID] {
			return nil
		}
		seen[i.ID] = true
		w, err := i.witness(op)
		trash = append(trash, w)
		if i.Size != nil {
			bytes += *i.Size
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return trash, bytes, nil
}

// HasFolderAccess implements connectors.AccessGranter.
func (c *Connector) HasFolderAccess(ctx context.Context, owner, folder, account schema.ExternalID) (bool, error) {
	wire, err := c.client.collaborations(ctx, owner, schema.Witness{ID: folder, Type: "folder"})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(wire, func(co collaboration) bool {
		return co.AccessibleBy.id() == account && co.Role == roleCoOwner
	}), nil
}

// GrantFolderAccess implements connectors.AccessGranter.
func (c *Connector) GrantFolderAccess(ctx context.Context, owner, folder, account schema.ExternalID) error {
	return c.client.makeCoOwner(ctx, owner, folder, account)
}

// ItemCollaborations implements connectors.ContentReader. Invitations that
// nobody accepted yet give access to nobody and are left out.
func (c *Connector) ItemCollaborations(ctx context.Context, owner schema.ExternalID, w schema.Witness) ([]schema.SharedBy, error) {
	wire, err := c.client.collaborations(ctx, owner, w)
	if err != nil {
		return nil, err
	}
	var all []schema.SharedBy
	for _, co := range wire {
		if with := co.AccessibleBy.id(); with != "" {
			all = append(all, schema.SharedBy{ItemID: w.ID, Type: w.Type, With: with, Role: co.Role})
		}
	}
	return all, nil
}

// LocateWitness implements connectors.Transferer.
func (c *Connector) LocateWitness(ctx context.Context, receiver schema.ExternalID, w schema.Witness) (schema.WitnessPlace, error) {
	i, found, err := c.client.readItem(ctx, receiver, w)
	if err != nil || !found {
		return schema.WitnessPlace{}, err
	}
	return schema.WitnessPlace{Found: true, Owner: i.OwnedBy.id(), FolderID: i.folder()}, nil
}

// LocateTrashed implements connectors.Transferer.
func (c *Connector) LocateTrashed(ctx context.Context, receiver schema.ExternalID, w schema.Witness) (bool, error) {
	return c.client.trashed(ctx, receiver, w)
}

// DeleteAccount implements connectors.Deleter.
func (c *Connector) DeleteAccount(ctx context.Context, id schema.ExternalID) error {
	return c.client.deleteUser(ctx, id)
}

// PrepareDelete implements connectors.PreparedDeleter.
func (c *Connector) PrepareDelete(ctx context.Context, id schema.ExternalID) (connectors.PreparedDelete, error) {
	shot, err := c.client.prepareDelete(ctx, id)
	if err != nil {
		return nil, err
	}
	return preparedDelete{shot}, nil
}

type preparedDelete struct{ shot *httpx.OneShot }

// Send implements connectors.PreparedDelete.
func (p preparedDelete) Send(ctx context.Context) error { return p.shot.Do(ctx) }
