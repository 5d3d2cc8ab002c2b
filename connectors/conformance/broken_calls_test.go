package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// reading reads accounts in another way.
type reading struct {
	*deskConn
	read func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error)
}

func (r reading) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	return r.read(r.deskConn, ctx, id)
}

type finding struct {
	*deskConn
	same func(a schema.Account, login string) bool
}

func (f finding) FindByLogin(ctx context.Context, login string) (found []schema.Account, err error) {
	err = f.EachAccount(ctx, func(a schema.Account) error {
		if f.same(a, login) {
			found = append(found, a)
		}
		return nil
	})
	return found, err
}

type hasty struct{ *deskConn }

func (c hasty) FindByLogin(ctx context.Context, login string) ([]schema.Account, error) {
	found, err := c.deskConn.FindByLogin(ctx, login)
	return found[:min(len(found), 1)], err
}

type firstPage struct{ *deskConn }

func (c firstPage) EachAccount(ctx context.Context, fn func(schema.Account) error) error {
	var page struct{ People []person }
	r, err := c.request("list_accounts", http.MethodGet, "/people", map[string][]string{"limit": {"100"}}, nil, "")
	if err := c.do(ctx, &page, r, err); err != nil {
		return err
	}
	for _, p := range page.People {
		a, err := c.account("list_accounts", p)
		if err == nil {
			err = fn(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c firstPage) Memberships(ctx context.Context, id schema.ExternalID) (all []schema.Membership, err error) {
	var page struct{ Memberships []place }
	r, err := c.request("list_memberships", http.MethodGet, "/people/"+string(id)+"/memberships", map[string][]string{"limit": {"100"}}, nil, "", id)
	err = c.do(ctx, &page, r, err)
	for _, m := range page.Memberships {
		all = append(all, schema.Membership{ID: m.ID, GroupID: m.Group, Role: m.Role, Permissions: m.Rights})
	}
	return all, err
}

type deafLister struct{ *deskConn }

func (c deafLister) EachAccount(ctx context.Context, fn func(schema.Account) error) error {
	return c.deskConn.EachAccount(ctx, func(a schema.Account) error { _ = fn(a); return nil })
}

type plainMember struct{ *deskConn }

func (c plainMember) AddMembership(ctx context.Context, account schema.ExternalID, m schema.Membership) error {
	m.Role, m.Permissions = "member", nil
	return c.deskConn.AddMembership(ctx, account, m)
}

type carefree struct{ *deskConn }

func (c carefree) Holds(ctx context.Context, id schema.ExternalID) (schema.VendorHolds, error) {
	held, err := c.deskConn.Holds(ctx, id)
	if connectors.KindOf(err) == connectors.Forbidden {
		return schema.VendorHolds{}, nil
	}
	return held, err
}

type greedy struct{ *deskConn }

func (c greedy) RootItems(ctx context.Context, owner schema.ExternalID) (owned []schema.Witness, foreign int, err error) {
	err = c.items(ctx, "list_root", "false", owner, func(i thing) { owned = append(owned, schema.Witness{ID: i.ID, Type: i.Kind}) })
	return owned, 0, err
}

func (c greedy) TrashItems(ctx context.Context, owner schema.ExternalID) ([]schema.Witness, int64, error) {
	trash, _, err := c.deskConn.TrashItems(ctx, owner)
	return trash, int64(len(trash)), err
}

type rounding struct{ *deskConn }

func (c rounding) SetStatus(ctx context.Context, id schema.ExternalID, word string) error {
	if word != c.SuspendedStatus() {
		word = c.ActiveStatus()
	}
	return c.deskConn.SetStatus(ctx, id, word)
}

func brokenReads() []broken {
	read := func(f func(*deskConn, context.Context, schema.ExternalID) (schema.Account, error)) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { return reading{c, f} }
	}
	return []broken{
		{"matches_prefixes", "accounts/find_exact", func(c *deskConn) connectors.Connector {
			return finding{c, func(a schema.Account, login string) bool { return strings.HasPrefix(a.Login, login) }}
		}},
		{"matches_names", "accounts/find_exact", func(c *deskConn) connectors.Connector {
			return finding{c, func(a schema.Account, login string) bool {
				return strings.EqualFold(a.Login, login) || strings.EqualFold(a.Name, login)
			}}
		}},
		{"minds_case", "accounts/find_other_case", func(c *deskConn) connectors.Connector {
			return finding{c, func(a schema.Account, login string) bool { return a.Login == login }}
		}},
		{"takes_the_first_of_several", "accounts/find_several", func(c *deskConn) connectors.Connector { return hasty{c} }},
		{"reads_nobody_for_a_404", "accounts/read_absent", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			if connectors.KindOf(err) == connectors.NotFound {
				return schema.Account{ExternalID: id, Status: schema.AccountDeleted}, nil
			}
			return a, err
		})},
		{"takes_every_status_for_active", "accounts/read_kinds/status_half_open", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			a.Status = schema.AccountActive
			return a, err
		})},
		{"sees_no_administrators", "accounts/read_kinds/coadmin", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			a.Role = schema.RoleMember
			return a, err
		})},
		{"tells_the_time_of_the_system", "life/clock", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			a.ObservedAt = time.Now()
			return a, err
		})},
		{"lists_the_first_page", "listing/pages", func(c *deskConn) connectors.Connector { return firstPage{c} }},
		{"lists_the_first_memberships", "groups/listed_whole/pages", func(c *deskConn) connectors.Connector { return firstPage{c} }},
		{"lists_on_when_told_to_stop", "listing/stops", func(c *deskConn) connectors.Connector { return deafLister{c} }},
		{"puts_back_plain_members", "groups/back_as_administrator", func(c *deskConn) connectors.Connector { return plainMember{c} }},
		{"takes_unreadable_holds_for_none", "holds/hidden", func(c *deskConn) connectors.Connector { return carefree{c} }},
		{"counts_gifts_as_property", "content/root", func(c *deskConn) connectors.Connector { return greedy{c} }},
		{"measures_trash_in_items", "content/trash", func(c *deskConn) connectors.Connector { return greedy{c} }},
		{"rounds_statuses", "suspend/restores_the_word", func(c *deskConn) connectors.Connector { return rounding{c} }},
	}
}

// amended changes the error of a read.
func amended(change func(*connectors.Error)) func(*deskConn) connectors.Connector {
	return func(c *deskConn) connectors.Connector {
		return reading{c, func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			var e *connectors.Error
			if errors.As(err, &e) {
				change(e)
			}
			return a, err
		}}
	}
}

func brokenErrors() []broken {
	read := func(f func(*deskConn, context.Context, schema.ExternalID) (schema.Account, error)) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { return reading{c, f} }
	}
	rawly := read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
		if _, err := c.ReadAccount(ctx, "p-1"); err != nil { // for the rate and the token
			return schema.Account{}, err
		}
		status, body, err := c.raw(ctx, http.MethodGet, "/people/"+string(id), "")
		if err := rawError("desk.read_account", status, err); err != nil {
			return schema.Account{}, err
		}
		var p person
		_ = json.Unmarshal([]byte(body), &p)
		return schema.Account{ExternalID: p.ID, Login: p.Login}, nil
	})
	return []broken{
		{"forgets_retry_after", "errors/read_account/rate_limited", amended(func(e *connectors.Error) { e.RetryAfter = 0 })},
		{"invents_retry_after", "errors/read_account/internal_error", amended(func(e *connectors.Error) { e.RetryAfter = time.Minute })},
		{"denies_having_sent", "errors/read_account/reset_after", amended(func(e *connectors.Error) { e.Sent = false })},
		{"takes_429_for_unavailable", "errors/read_account/rate_limited", amended(func(e *connectors.Error) {
			if e.Kind == connectors.RateLimited {
				e.Kind = connectors.Unavailable
			}
		})},
		{"takes_502_for_for_good", "errors/read_account/bad_gateway", amended(func(e *connectors.Error) { e.Kind = connectors.Invalid })},
		{"tells_the_login", "errors/read_account/forbidden", amended(func(e *connectors.Error) { e.Detail = "canary-x7q@example.com may not" })},
		{"tells_the_name_below", "errors/read_account/forbidden", amended(func(e *connectors.Error) { e.Err = errors.New("Canary X7Q may not") })},
		{"tells_the_token", "errors/read_account/conflict", amended(func(e *connectors.Error) { e.Detail = "with " + deskToken })},
		{"names_no_vendor", "errors/read_account/not_found", amended(func(e *connectors.Error) { e.Op = "read" })},
		{"fails_in_plain_words", "errors/read_account/not_found", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			if err != nil {
				err = fmt.Errorf("HTTP %s", connectors.KindOf(err))
			}
			return a, err
		})},
		{"repeats_reads", "errors/read_account/internal_error", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			a, err := c.ReadAccount(ctx, id)
			if connectors.KindOf(err) == connectors.Unavailable {
				a, err = c.ReadAccount(ctx, id)
			}
			return a, err
		})},
		{"believes_a_gateway", "errors/read_account/html_200", rawly},
		{"believes_half_an_answer", "errors/read_account/wrong_types", rawly},
		{"follows_redirects", "errors/read_account/redirect_302", rawly},
		{"joins_ids_into_paths", "hostile_ids/read_account", rawly},
		{"outlives_its_context", "cancelled/read_account/under_way", read(func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
			return c.ReadAccount(context.WithoutCancel(ctx), id)
		})},
		{"tells_the_secret", "check/wrong_secret", func(c *deskConn) connectors.Connector { return telling{c} }},
		{"checks_nothing", "check/wrong_secret", func(c *deskConn) connectors.Connector { return unchecked{c} }},
	}
}

type telling struct{ *deskConn }

func (c telling) Check(ctx context.Context) (connectors.Identity, error) {
	who, err := c.deskConn.Check(ctx)
	var e *connectors.Error
	if errors.As(err, &e) {
		e.Detail = "the secret " + c.cfg.Secret + " is wrong"
	}
	return who, err
}

type unchecked struct{ *deskConn }

func (c unchecked) Check(context.Context) (connectors.Identity, error) {
	return connectors.Identity{ExternalID: "p-1", Role: schema.RoleOwner, EnterpriseID: deskCompany}, nil
}
