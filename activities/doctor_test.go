package activities_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/schema"
)

// patient is a connection to a simulated enterprise, for the doctor to look at.
type patient struct {
	*boxsim.Sim
	t    *testing.T
	conn schema.Connection
	key  string
	now  func() time.Time
}

// everyScope is what a connection that offboards wants.
func everyScope() []string {
	return []string{
		"root_readwrite", "manage_managed_users", "manage_groups", "manage_enterprise_properties",
		"manage_legal_hold", "manage_data_retention", "enterprise_content",
	}
}

func without(scopes []string, names ...string) []string {
	var out []string
	for _, s := range scopes {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+s+" ") {
			out = append(out, s)
		}
	}
	return out
}

// admit makes a company with one application and a connection of its service
// account.
func admit(t *testing.T, scopes []string, switches boxsim.Switches) *patient {
	t.Helper()
	sim, err := boxsim.New(boxsim.Config{Users: 12, Switches: switches})
	require.NoError(t, err)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	_, err = sim.AddApp(boxsim.AppSpec{ClientID: "app", ClientSecret: "app-secret", Scopes: scopes})
	require.NoError(t, err)
	_, err = sim.AddGroup(boxsim.GroupSpec{Name: "Demo group"})
	require.NoError(t, err)
	return &patient{Sim: sim, t: t, key: "app-secret", conn: schema.Connection{
		ID: "c1", Name: "main", Vendor: "box", State: schema.ConnectionEnabled, BaseURL: srv.URL, TokenURL: srv.URL + "/oauth2/token",
		ClientID: "app", EnterpriseID: boxsim.EnterpriseID,
	}}
}

// OpenProbe implements activities.ProbeOpener.
func (p *patient) OpenProbe(_ context.Context, c schema.Connection) (connectors.Connector, error) {
	return box.Factory{}.Open(connectors.Config{Connection: c, Secret: p.key, Limiter: free{}, Guard: free{}, Now: p.now})
}

// free lets everything through.
type free struct{}

func (free) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}
func (free) AllowWrite(context.Context, schema.ConnectionID) error { return nil }

func (p *patient) diagnose() schema.Diagnosis {
	p.t.Helper()
	d, err := activities.NewDoctor(p, p.now).Diagnose(p.t.Context(), p.conn)
	require.NoError(p.t, err)
	require.NotContains(p.t, said(d), p.key)
	return d
}

// said is every text of a diagnosis.
func said(d schema.Diagnosis) string {
	var all strings.Builder
	for _, r := range d.Results {
		all.WriteString(r.Message + r.Fix + r.Detail)
		for _, c := range r.Candidates {
			all.WriteString(c.Cause + c.Look)
		}
	}
	return all.String()
}

// faults are "ability CODE" of what is wrong, in the order of the abilities.
func faults(d schema.Diagnosis) []string {
	out := []string{}
	for _, r := range d.Results {
		if r.Code.Fault() {
			out = append(out, r.Ability.Name+" "+string(r.Code))
		}
	}
	return out
}

// reads checks that nothing but GETs and token requests was sent.
func (p *patient) reads() {
	p.t.Helper()
	require.NotEmpty(p.t, p.Requests())
	for _, r := range p.Requests() {
		require.True(p.t, r.Method == http.MethodGet || r.Op == "token", "%s %s", r.Method, r.Path)
	}
}

func TestDoctorFindsNothingWrong(t *testing.T) {
	t.Parallel()
	p := admit(t, everyScope(), boxsim.Switches{})
	d := p.diagnose()
	require.Equal(t, schema.HealthActive, d.Health)
	require.Empty(t, faults(d))
	require.Equal(t, schema.ProbeOK, d.Code())
	require.False(t, d.Partial)
	require.True(t, d.Identity.Service)
	require.Equal(t, boxsim.EnterpriseID, d.Identity.EnterpriseID)
	require.NotEmpty(t, d.Limits)
	writes := 0
	for _, r := range d.Results {
		require.NotEmpty(t, r.Ability.Serves)
		require.Equal(t, r.Ability.Writes, r.Code == schema.ProbeNotProbed, r.Ability.Name)
		if r.Ability.Writes {
			writes++
		}
	}
	require.Equal(t, 4, writes)
	p.reads()

	p.conn.ReadOnly = true
	d = p.diagnose()
	require.Equal(t, schema.HealthActive, d.Health)
	for _, r := range d.Results {
		require.False(t, r.Ability.Writes, "a read-only connection wants no writes")
	}
	p.reads()
}

// TestDoctorTellsScopes: a scope that is missing is told by name, whichever of
// Box's two answers it gives, and what is not required only degrades.
func TestDoctorTellsScopes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		missing  []string
		readOnly bool
		health   schema.Health
		want     []string
	}{
		"users": {[]string{"manage_managed_users"}, true, schema.HealthFailed, []string{
			"list_accounts SCOPE_MISSING", "read_account SCOPE_MISSING",
		}},
		"groups": {[]string{"manage_groups"}, false, schema.HealthFailed, []string{
			"list_groups SCOPE_MISSING", "list_group_members SCOPE_MISSING", "list_group_collaborations SCOPE_OPTIONAL_MISSING",
		}},
		"groups of a read-only connection": {[]string{"manage_groups"}, true, schema.HealthDegraded, []string{
			"list_groups SCOPE_OPTIONAL_MISSING", "list_group_members SCOPE_OPTIONAL_MISSING", "list_group_collaborations SCOPE_OPTIONAL_MISSING",
		}},
		"content":                           {[]string{"root_readwrite", "enterprise_content"}, false, schema.HealthFailed, nil},
		"content of a read-only connection": {[]string{"root_readwrite", "enterprise_content"}, true, schema.HealthDegraded, nil},
		"events":                            {[]string{"manage_enterprise_properties"}, false, schema.HealthDegraded, []string{"read_events SCOPE_OPTIONAL_MISSING"}},
	} {
		for _, answer := range []string{"denied", "insufficient_scope"} {
			t.Run(name+", "+answer, func(t *testing.T) {
				t.Parallel()
				p := admit(t, without(everyScope(), c.missing...), boxsim.Switches{ScopeRefusal: answer})
				p.conn.ReadOnly = c.readOnly
				d := p.diagnose()
				require.Equal(t, c.health, d.Health)
				if c.want != nil {
					require.Equal(t, c.want, scopeFaults(d))
				}
				for _, r := range d.Faults() {
					require.NotEmpty(t, r.Fix)
					if r.Code == schema.ProbeScopeOptionalMissing {
						for _, lost := range r.Ability.Datasets {
							require.Contains(t, r.Message, string(lost), "which data set is lost")
						}
					}
				}
				p.reads()
			})
		}
	}
	t.Run("the content's own", func(t *testing.T) {
		t.Parallel()
		p := admit(t, without(everyScope(), "root_readwrite", "enterprise_content"), boxsim.Switches{})
		require.Contains(t, faults(p.diagnose()), "read_content SCOPE_MISSING")
	})
}

// scopeFaults are the faults about scopes.
func scopeFaults(d schema.Diagnosis) []string {
	var out []string
	for _, f := range faults(d) {
		if strings.Contains(f, "SCOPE") {
			out = append(out, f)
		}
	}
	return out
}

// TestDoctorTellsCauses: each way in which a connection fails has its code, and
// where Box answers alike for several, they are listed and none is claimed.
func TestDoctorTellsCauses(t *testing.T) {
	t.Parallel()
	change := func(action string) func(*patient) {
		return func(p *patient) {
			require.NoError(p.t, p.ChangeApp(boxsim.AppChange{ClientID: "app", Action: action}))
		}
	}
	fault := func(op string, f simkit.Fault) func(*patient) {
		return func(p *patient) {
			f.Op, f.Attempt, f.LastAttempt = op, 1, 100
			require.NoError(p.t, p.AddFaults(f))
		}
	}
	status := func(code int, body string, headers map[string]string) simkit.Fault {
		return simkit.Fault{Action: simkit.ActionStatus, Status: code, Body: []byte(body), Headers: headers}
	}
	for name, c := range map[string]struct {
		switches boxsim.Switches
		change   func(*patient)
		health   schema.Health
		want     []string
		causes   []string // beginnings, in order
	}{
		"the secret, of client credentials": {
			change: func(p *patient) { p.key = "mistyped-secret" }, health: schema.HealthFailed,
			want: []string{"sign_in GRANT_REFUSED"}, causes: []string{"the application is not authorized", "the client id or the client secret", "the enterprise id"},
		},
		"the secret, where the host says so": {
			change: fault("token", status(401, `{"error":"invalid_client","error_description":"x"}`, nil)), health: schema.HealthFailed,
			want: []string{"sign_in CREDENTIALS_WRONG"},
		},
		"a removed application": {change: change(boxsim.AppRemove), health: schema.HealthFailed, want: []string{"sign_in INTEGRATION_REMOVED"}},
		"a blocked application": {change: change(boxsim.AppDisable), health: schema.HealthFailed, want: []string{"identity INTEGRATION_REMOVED"}},
		"tokens refused at once": {
			change: fault("users.me", simkit.Fault{Action: simkit.ActionExpire}), health: schema.HealthFailed,
			want: []string{"identity TOKEN_REVOKED"},
		},
		"another enterprise": {
			change: fault("users.me", status(200, `{"type":"user","id":"9","role":"admin","status":"active","enterprise":{"id":"42"}}`, nil)), health: schema.HealthFailed,
			want: []string{"identity ENTERPRISE_MISMATCH"},
		},
		"no events in the plan": {switches: boxsim.Switches{PlanWithoutEvents: true}, health: schema.HealthDegraded, want: []string{"read_events PLAN_WITHOUT_EVENTS"}},
		"holds nobody may read": {
			switches: boxsim.Switches{NoGovernanceScope: true}, health: schema.HealthDegraded,
			want: []string{"read_holds SCOPE_OPTIONAL_MISSING", "read_retention SCOPE_OPTIONAL_MISSING"},
		},
		"nobody to act as": {
			switches: boxsim.Switches{NoAsUser: true}, health: schema.HealthFailed,
			want: []string{"read_content ACCESS_REFUSED"}, causes: []string{"the application may not act as users", "the application lacks the scope", "the scope was added after"},
		},
		"a used-up rate": {
			change: fault("users.list", status(429, ``, map[string]string{"Retry-After": "17"})), health: schema.HealthDegraded,
			want: []string{"list_accounts RATE_EXHAUSTED"},
		},
		"a host that breaks off":  {change: fault("users.me", simkit.Fault{Action: simkit.ActionDropBefore}), health: schema.HealthDegraded, want: []string{"identity BASE_URL_UNREACHABLE"}},
		"a gateway without a Box": {change: fault("users.me", status(503, ``, nil)), health: schema.HealthDegraded, want: []string{"identity BASE_URL_UNREACHABLE"}},
		"an answer of another form": {
			change: fault("groups.list", status(200, `{"entries":7}`, nil)), health: schema.HealthFailed,
			want: []string{"list_groups ANSWER_MALFORMED", "list_group_members ANSWER_MALFORMED", "list_group_collaborations ANSWER_MALFORMED"},
		},
		"a host that is no Box": {change: fault("users.me", status(404, `{"message":"no such page"}`, nil)), health: schema.HealthDegraded, want: []string{"identity BASE_URL_UNREACHABLE"}},
		"a firewall": {
			change: fault("users.me", status(403, `{"message":"blocked"}`, nil)), health: schema.HealthFailed,
			want: []string{"identity ACCESS_REFUSED"}, causes: []string{"the enterprise allows its API", "a proxy or firewall"},
		},
		"a clock that is ahead":  {switches: boxsim.Switches{ClockSkewSeconds: 45}, health: schema.HealthDegraded, want: []string{"sign_in CLOCK_SKEW"}},
		"a clock that is behind": {switches: boxsim.Switches{ClockSkewSeconds: -120}, health: schema.HealthDegraded, want: []string{"sign_in CLOCK_SKEW"}},
		"a clock like others":    {switches: boxsim.Switches{ClockSkewSeconds: 10}, health: schema.HealthActive, want: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := admit(t, everyScope(), c.switches)
			if c.change != nil {
				c.change(p)
			}
			d := p.diagnose()
			require.Equal(t, c.want, faults(d), said(d))
			require.Equal(t, c.health, d.Health)
			for _, r := range d.Faults() {
				require.NotEmpty(t, r.Message)
				require.NotEmpty(t, r.Fix)
			}
			if c.causes != nil {
				got := d.Faults()[0].Candidates
				require.Len(t, got, len(c.causes))
				for i, begins := range c.causes {
					require.True(t, strings.HasPrefix(got[i].Cause, begins), got[i].Cause)
					require.NotEmpty(t, got[i].Look)
				}
			}
			p.reads()
		})
	}
}

// TestDoctorStopsWhereNothingFollows: what comes after a failed sign-in or an
// unanswered call is not asked, and not called wrong.
func TestDoctorStopsWhereNothingFollows(t *testing.T) {
	t.Parallel()
	p := admit(t, everyScope(), boxsim.Switches{})
	p.key = "mistyped-secret"
	d := p.diagnose()
	require.True(t, d.Partial)
	require.Len(t, p.Requests(), 1)
	for _, r := range d.Results[1:] {
		require.Equal(t, schema.ProbeNotProbed, r.Code)
	}
	require.Empty(t, d.Limits, "who it acts as is not known")
	require.Contains(t, d.Results[1].Message, "sign_in comes first")
}

// TestDoctorBeforeItWorked: what an unauthorized application means depends on
// whether it ever was.
func TestDoctorBeforeItWorked(t *testing.T) {
	t.Parallel()
	p := admit(t, everyScope(), boxsim.Switches{})
	require.NoError(t, p.ChangeApp(boxsim.AppChange{ClientID: "app", Action: boxsim.AppRemove}))
	c, err := p.OpenProbe(t.Context(), p.conn)
	require.NoError(t, err)
	defer c.Close()
	d, err := activities.Visit{Connection: p.conn, Connector: c}.Diagnose(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"sign_in APP_NOT_APPROVED"}, faults(d))
}

// TestDoctorTellsRoles: a member may do nothing for others; a co-admin may lack a
// permission, which Box tells from a scope or a plan in no way.
func TestDoctorTellsRoles(t *testing.T) {
	t.Parallel()
	as := func(t *testing.T, role string, s boxsim.Switches) *patient {
		p := admit(t, everyScope(), s)
		id, err := p.AddUser(boxsim.UserSpec{Name: "Acts For Us", Login: "acts@example.com", Role: role})
		require.NoError(t, err)
		p.conn.AsUser = schema.ExternalID(id)
		return p
	}
	t.Run("a member", func(t *testing.T) {
		t.Parallel()
		d := as(t, "user", boxsim.Switches{}).diagnose()
		require.Equal(t, schema.HealthFailed, d.Health)
		require.Contains(t, faults(d), "list_accounts ROLE_INSUFFICIENT")
		require.Contains(t, faults(d), "read_events ROLE_INSUFFICIENT")
		require.Contains(t, strings.Join(d.Limits, " "), "without administrator rights")
	})
	t.Run("a co-admin without a permission", func(t *testing.T) {
		t.Parallel()
		d := as(t, "coadmin", boxsim.Switches{CoadminsWithoutReports: true}).diagnose()
		require.Equal(t, schema.HealthDegraded, d.Health)
		require.Equal(t, []string{"read_events ACCESS_REFUSED"}, faults(d))
		first := d.Faults()[0].Candidates[0]
		require.Contains(t, first.Cause, "Run new reports")
		require.Contains(t, strings.Join(d.Limits, " "), "co-admins")
	})
	t.Run("a co-admin of an enterprise without events", func(t *testing.T) {
		t.Parallel()
		d := as(t, "coadmin", boxsim.Switches{PlanWithoutEvents: true}).diagnose()
		require.Equal(t, []string{"read_events ACCESS_REFUSED"}, faults(d), "the plan is one of several causes")
	})
}

// TestDoctorTellsWrongHosts: no host, a page for people, and a host that is no
// Box, whatever status it answers with.
func TestDoctorTellsWrongHosts(t *testing.T) {
	t.Parallel()
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oauth2/token" {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"access_token":"t","token_type":"bearer","expires_in":3600}`)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<!doctype html><title>canary</title>")
		}
	}
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		tls   bool
		dead  bool
		at    string
		want  string
	}{
		"a page":              {serve: page(200), want: "identity BASE_URL_UNREACHABLE"},
		"a page not found":    {serve: page(404), want: "identity BASE_URL_UNREACHABLE"},
		"a page forbidden":    {serve: page(403), want: "identity BASE_URL_UNREACHABLE"},
		"another certificate": {serve: page(200), tls: true, want: "sign_in BASE_URL_UNREACHABLE"},
		"nobody":              {serve: page(200), dead: true, want: "sign_in BASE_URL_UNREACHABLE"},
		"no token host":       {serve: page(404), at: "/elsewhere", want: "sign_in BASE_URL_UNREACHABLE"},
		"a page for a token":  {serve: page(200), at: "/elsewhere", want: "sign_in BASE_URL_UNREACHABLE"},
		"a redirect":          {serve: http.RedirectHandler("https://example.com", http.StatusFound).ServeHTTP, want: "sign_in BASE_URL_UNREACHABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(c.serve)
			srv.Config.ErrorLog = nil
			if c.tls {
				srv.StartTLS()
			} else {
				srv.Start()
			}
			t.Cleanup(srv.Close)
			if c.dead {
				srv.Close()
			}
			at := c.at
			if at == "" {
				at = "/oauth2/token"
			}
			p := &patient{t: t, key: "k", conn: schema.Connection{
				ID: "c1", BaseURL: srv.URL, TokenURL: srv.URL + at, ClientID: "app", EnterpriseID: "1",
			}}
			d, err := activities.NewDoctor(p, nil).Diagnose(t.Context(), p.conn)
			require.NoError(t, err)
			require.Equal(t, []string{c.want}, faults(d), said(d))
			require.Equal(t, schema.HealthDegraded, d.Health, "it is the network, for all that is known")
			require.NotContains(t, said(d), "canary")
		})
	}
}

// blind can only be checked.
type blind struct{ connectors.Connector }

func (blind) Check(context.Context) (connectors.Identity, error) {
	return connectors.Identity{ExternalID: "1", EnterpriseID: "900"}, nil
}

func TestDoctorOfAConnectorWithoutProbes(t *testing.T) {
	t.Parallel()
	d, err := activities.Visit{Connection: schema.Connection{EnterpriseID: "900"}, Connector: blind{}}.Diagnose(t.Context())
	require.NoError(t, err)
	require.Equal(t, schema.HealthActive, d.Health)
	require.Len(t, d.Results, 1)
	d, err = activities.Visit{Connection: schema.Connection{EnterpriseID: "901"}, Connector: blind{}}.Diagnose(t.Context())
	require.NoError(t, err)
	require.Equal(t, schema.ProbeEnterpriseMismatch, d.Code())
}

// refusing is a sign-in that fails in a way that only its error tells.
type refusing struct {
	connectors.Connector
	connectors.Prober
	err error
}

func (r refusing) Abilities() []schema.Ability {
	return []schema.Ability{{Name: connectors.AbilitySignIn, Serves: "everything", Required: true}}
}
func (r refusing) Probe(context.Context, string) error { return r.err }
func (refusing) ClockSkew() time.Duration              { return 0 }

// TestDoctorTellsGrants: what became of a grant or an assertion, as the sign-in
// tells it.
func TestDoctorTellsGrants(t *testing.T) {
	t.Parallel()
	for want, err := range map[schema.ProbeCode]error{
		schema.ProbeGrantLost:    connectors.ErrGrantLost,
		schema.ProbeTokenExpired: connectors.ErrTokenExpired,
		schema.ProbeTokenRevoked: connectors.ErrGrantRefused,
		schema.ProbeClockSkew:    connectors.ErrAssertionTime,
	} {
		refused := &connectors.Error{Kind: connectors.Unauthorized, Op: "x.token", Status: 400, Code: "invalid_grant", Err: err}
		d, err := activities.Visit{Connector: refusing{err: refused}}.Diagnose(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, d.Code())
		require.Equal(t, schema.HealthFailed, d.Health, "somebody has to act")
	}
	_, err := activities.Visit{Connector: refusing{err: &connectors.Error{
		Kind: connectors.Unavailable, Err: &schema.Error{Code: schema.CodeUnavailable, Message: "our database is away"},
	}}}.Diagnose(t.Context())
	require.Equal(t, schema.CodeUnavailable, schema.CodeOf(err), "that is no finding about the vendor")
}
