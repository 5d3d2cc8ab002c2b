package activities_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

func (b *bundle) draft(requests ...schema.Request) []schema.Draft {
	b.t.Helper()
	drafts, err := b.planner().Draft(b.t.Context(), requests)
	require.NoError(b.t, err)
	require.Len(b.t, drafts, len(requests))
	return drafts
}

// findings lists codes, warnings in brackets.
func findings(list []schema.Finding) []string {
	out := []string{}
	for _, f := range list {
		code := string(f.Code)
		if f.Warning {
			code = "(" + code + ")"
		}
		out = append(out, code)
	}
	return out
}

func TestDraft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := b.draft(request("leaver", "HEIR@example.com"))[0]
	require.Empty(t, d.AllFindings())
	require.Len(t, d.Accounts, 1)
	a := d.Accounts[0]
	require.Equal(t, leaver, a.Account.ExternalID)
	require.NotEmpty(t, a.Account.ID)
	require.Equal(t, heir, a.Receiver.ExternalID)
	require.EqualValues(t, 1000, a.PlannedBytes)
	require.Equal(t, schema.CaseHash([]string{a.Facts.Hash()}), d.Hash)
	require.Empty(t, b.vendor.writes())
	_, open, err := b.OpenPlanOf(t.Context(), b.conn.ID, leaver)
	require.NoError(t, err)
	require.False(t, open, "a draft is not a case")
}

func TestDraftNobody(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, b *bundle, code schema.Code, requests ...schema.Request) *schema.Error {
		t.Helper()
		_, err := b.planner().Draft(t.Context(), requests)
		var e *schema.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, code, e.Code, e.Error())
		require.NotEmpty(t, e.Fix)
		return e
	}
	nobody := request("suspend")
	nobody.Email = "nobody@example.com"

	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		e := refused(t, setup(t), schema.CodeNotFound, nobody)
		require.Len(t, e.Problems, 1)
		require.Empty(t, e.Problems[0].Where)
	})
	t.Run("two with the login", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.add("11", "Leaver@Example.com", 0)
		e := refused(t, b, schema.CodeAmbiguous, nobody, request("suspend"))
		require.Len(t, e.Problems, 2, "all at once")
		require.Equal(t, "requests[0]", e.Problems[0].Where)
		require.Equal(t, "requests[1]", e.Problems[1].Where)
		require.Equal(t, string(schema.AmbiguousLogin), e.Problems[1].Code)
	})
	t.Run("no enabled connection", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.SetConnectionState(t.Context(), "fake", schema.ConnectionDisabled, "test", b.admin)
		require.NoError(t, err)
		refused(t, b, schema.CodeNotFound, request("suspend"))
	})
	t.Run("no such template", func(t *testing.T) {
		t.Parallel()
		refused(t, setup(t), schema.CodeInvalid, request("resign"))
	})
}

// TestDraftDegraded: a broken connection refuses the plan and hides nothing of
// the others. Absence in the others is then not absence (promise 8).
func TestDraftDegraded(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(v *vendor) connectors.Connector{
		"opened": func(*vendor) connectors.Connector { return nil },
		"read":   func(v *vendor) connectors.Connector { return struct{ connectors.Connector }{v} },
		"checked": func(v *vendor) connectors.Connector {
			v.errs["check"] = []error{failure(connectors.Unauthorized)}
			return v
		},
		"searched": func(v *vendor) connectors.Connector {
			v.errs["find"] = []error{failure(connectors.Unavailable)}
			return v
		},
		"understood": func(v *vendor) connectors.Connector { v.errs["check"] = []error{errors.New("hunter2")}; return v },
	} {
		t.Run("cannot be "+name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.connect("other", breaks(newVendor()))
			d := b.draft(request("suspend"))[0]
			require.Equal(t, []string{"CONNECTION_DEGRADED"}, findings(d.Findings))
			require.Equal(t, "other", d.Findings[0].Connection)
			require.NotContains(t, d.Findings[0].Message, "hunter2")
			require.Len(t, d.Accounts, 1)
			require.Empty(t, d.Accounts[0].Findings)
			require.True(t, schema.Refused(d.AllFindings()))
		})
	}

	t.Run("a person seen nowhere is not called unknown", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.connect("other", nil)
		r := request("suspend")
		r.Email = "nobody@example.com"
		d := b.draft(r)[0]
		require.Empty(t, d.Accounts)
		require.True(t, schema.Refused(d.AllFindings()))
	})

	t.Run("the account cannot be read", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.errs["read"] = []error{failure(connectors.RateLimited)}
		d := b.draft(request("suspend"))[0]
		require.Equal(t, []string{"CONNECTION_DEGRADED"}, findings(d.AllFindings()))
	})
}

// TestDraftEverywhere: a person leaves every connection in which they have an
// account, and the case's hash covers all.
func TestDraftEverywhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := b.draft(request("suspend"))[0]
	other := newVendor()
	other.add("77", leaverLogin, 0)
	b.connect("other", other)
	b.connect("third", newVendor())
	d := b.draft(request("suspend"))[0]
	require.Empty(t, d.AllFindings())
	require.Len(t, d.Accounts, 2)
	require.NotEqual(t, one.Hash, d.Hash)
	require.Equal(t, schema.CaseHash([]string{d.Accounts[1].Facts.Hash(), one.Accounts[0].Facts.Hash()}), d.Hash)
}

func TestDraftBusy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	running := b.open(request("suspend"))
	d := b.draft(request("suspend"))[0]
	require.Equal(t, []string{"BUSY"}, findings(d.AllFindings()))
	require.Contains(t, d.Accounts[0].Findings[0].Message, string(running.CaseID))
}

func TestDraftReceivers(t *testing.T) {
	t.Parallel()
	full := func(id schema.ExternalID) func(v *vendor) {
		return func(v *vendor) { v.change(id, func(a *schema.Account) { a.SpaceAmount = 1049 }) }
	}
	none := func(*vendor) {}
	for name, c := range map[string]struct {
		template  string
		receivers []string
		change    func(v *vendor)
		want      []string
		receiver  schema.ExternalID
	}{
		"the first valid one is taken, the others are warnings": {
			"leaver",
			[]string{"nobody@example.com", leaverLogin, heirLogin, secondLogin},
			none,
			[]string{"(RECEIVER_MISSING)", "(RECEIVER_IS_SOURCE)", "(RECEIVER_LEAVING)"},
			heir,
		},
		"none valid refuses with every reason": {
			"leaver", []string{"nobody@example.com", heirLogin}, full(heir), []string{"RECEIVER_MISSING", "RECEIVER_FULL"}, "",
		},
		"room with 5 % to spare is enough": {
			"leaver", []string{heirLogin}, func(v *vendor) { v.change(heir, func(a *schema.Account) { a.SpaceAmount = 1050 }) }, []string{}, heir,
		},
		"one who cannot be looked up is no receiver": {
			"leaver",
			[]string{heirLogin, secondLogin},
			func(v *vendor) { v.during["find"] = v.failOnce("find", 2) },
			[]string{"(CONNECTION_DEGRADED)"},
			second,
		},
		"none named for content":          {"leaver", nil, none, []string{"RECEIVER_MISSING"}, ""},
		"none named for an empty account": {"leaver", nil, func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 }) }, []string{}, ""},
		"none named for an empty file": {"leaver", nil, func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
			v.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		}, []string{"RECEIVER_MISSING"}, ""},
		"none named for trash": {"leaver", nil, func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
			v.trash[leaver] = []schema.Witness{{ID: "900", Type: "file"}}
		}, []string{"RECEIVER_MISSING"}, ""},
		"none named for a suspended account that may own things": {"leaver", nil, func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.SpaceUsed, a.VendorStatus = 0, inactive })
		}, []string{"(SOURCE_ALREADY_INACTIVE)", "RECEIVER_MISSING"}, ""},
		"an account that may not be acted as": {"leaver", nil, func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
			v.errs["root"] = []error{failure(connectors.Forbidden)}
		}, []string{"RECEIVER_MISSING"}, ""},
		"an account whose trash may not be listed": {"delete", nil, func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
			v.errs["trash"] = []error{failure(connectors.Unauthorized)}
		}, []string{"CONTENT_REMAINS"}, ""},
		"a listing that fails": {"leaver", nil, func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
			v.errs["root"] = []error{failure(connectors.Unavailable)}
		}, []string{"CONNECTION_DEGRADED"}, ""},
		"delete without a transfer refuses content":   {"delete", nil, none, []string{"CONTENT_REMAINS"}, ""},
		"delete has no use for a receiver of content": {"delete", []string{heirLogin}, none, []string{"CONTENT_REMAINS"}, ""},
		"suspend needs none":                          {"suspend", nil, none, []string{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.change(b.vendor)
			d := b.draft(request(c.template, c.receivers...))[0]
			require.Equal(t, c.want, findings(d.AllFindings()))
			got := schema.ExternalID("")
			if r := d.Accounts[0].Receiver; r != nil {
				got = r.ExternalID
			}
			require.Equal(t, c.receiver, got)
			require.Equal(t, c.receiver, d.Accounts[0].Facts.Receiver)
		})
	}
}

// failOnce makes the n-th call of an operation from now fail.
func (v *vendor) failOnce(op string, n int) func() {
	return func() {
		if n--; n == 0 {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.errs[op] = []error{failure(connectors.Unavailable)}
		}
	}
}

// TestDraftBatch: the requests of a batch are planned together.
func TestDraftBatch(t *testing.T) {
	t.Parallel()
	const other = "other@example.com"
	pair := func(b *bundle, first, then []string) []schema.Draft {
		b.vendor.add("40", other, 1000)
		r := request("leaver", then...)
		r.Email = other
		return b.draft(request("leaver", first...), r)
	}

	t.Run("bytes add up", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(heir, func(a *schema.Account) { a.SpaceAmount = 2000 })
		d := pair(b, []string{heirLogin}, []string{heirLogin})
		require.Empty(t, d[0].AllFindings())
		require.Equal(t, []string{"RECEIVER_FULL"}, findings(d[1].AllFindings()))
	})
	t.Run("bytes of open cases count", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(heir, func(a *schema.Account) { a.SpaceAmount = 2000 })
		b.open(request("leaver", heirLogin))
		b.vendor.add("40", other, 1000)
		r := request("leaver", heirLogin, secondLogin)
		r.Email = other
		d := b.draft(r)[0]
		require.Equal(t, []string{"(RECEIVER_FULL)"}, findings(d.AllFindings()))
		require.Equal(t, second, d.Accounts[0].Receiver.ExternalID)
	})
	t.Run("a leaver is no receiver, not even of one planned before", func(t *testing.T) {
		t.Parallel()
		d := pair(setup(t), []string{other, heirLogin}, []string{"Leaver@example.com"})
		require.Equal(t, []string{"(RECEIVER_LEAVING)"}, findings(d[0].AllFindings()))
		require.Equal(t, []string{"RECEIVER_LEAVING"}, findings(d[1].AllFindings()))
	})
	t.Run("nor is the leaver of an open case", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.open(request("suspend"))
		b.vendor.add("40", other, 1000)
		r := request("leaver", leaverLogin)
		r.Email = other
		require.Equal(t, []string{"RECEIVER_LEAVING"}, findings(b.draft(r)[0].AllFindings()))
	})
}

// TestDraftHash: the hash is that of what would be done, and of nothing else.
func TestDraftHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request("leaver", heirLogin)
	r.Grace = time.Hour
	hash := func(r schema.Request) string { return b.draft(r)[0].Hash }
	first := hash(r)
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed, a.Name = 5, "Renamed" })
	b.later(time.Hour)
	require.Equal(t, first, hash(r), "bytes, names and times of observation are no facts")

	seen := map[string]string{first: "the plan"}
	differs := func(fact string, r schema.Request) {
		h := hash(r)
		require.NotContains(t, seen, h, fact)
		seen[h] = fact
	}
	changed := r
	changed.Grace = 2 * time.Hour
	differs("steps", changed)
	changed = r
	changed.EffectiveAt = b.now().Add(time.Hour)
	differs("effective_at", changed)
	changed = r
	changed.Receivers = []string{secondLogin}
	differs("receiver", changed)
	changed = r
	changed.Template = "transfer"
	differs("template", changed)
	for fact, change := range map[string]func(a *schema.Account){
		"role": func(a *schema.Account) { a.Role = schema.RoleCoadmin },
		"kind": func(a *schema.Account) { a.Kind = schema.KindService },
	} {
		before := b.vendor.accounts[leaver]
		b.vendor.change(leaver, change)
		differs(fact, r)
		b.vendor.change(leaver, func(a *schema.Account) { *a = before })
	}
	b.vendor.change(heir, func(a *schema.Account) { a.Login = "heir2@example.com" })
	changed = r
	changed.Receivers = []string{"heir2@example.com"}
	differs("receiver's login", changed)
	b.vendor.change(leaver, func(a *schema.Account) { a.Login = "leaver2@example.com" })
	changed.Email = "leaver2@example.com"
	differs("login", changed)
}
