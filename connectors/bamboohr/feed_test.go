package bamboohr_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/bamboohr"
	"sendoff/connectors/bamboohr/bamboosim"
	"sendoff/connectors/simkit"
	"sendoff/schema"
)

// unlimited lets every call through.
type unlimited struct{}

func (unlimited) Wait(ctx context.Context, _ schema.ConnectionID, _ schema.ExternalID, _ connectors.Priority) error {
	return ctx.Err()
}

// bench is a feed over a simulated company, with all that it told so far.
type bench struct {
	t      *testing.T
	sim    *bamboosim.Sim
	url    string
	feed   connectors.EmployeeFeed
	marker string
	seen   map[string]bool // event ids
}

func people() []bamboosim.Person {
	return []bamboosim.Person{
		{ID: "1", Email: "boss@example.com", First: "Bo", Last: "Boss", Department: "Board", Location: "Berlin"},
		{ID: "2", Email: "Ada@Example.com", First: "Ada", Last: "Abel", Manager: "1", Department: "Sales", Location: "Boston"},
		{ID: "3", Email: "carl@example.com", First: "Carl", Last: "Costa", Manager: "2", Status: "Contractor"},
	}
}

func setup(t *testing.T, cfg bamboosim.Config) *bench {
	t.Helper()
	if cfg.People == nil {
		cfg.People = people()
	}
	sim, err := bamboosim.New(cfg)
	require.NoError(t, err)
	t.Cleanup(sim.Close)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	b := &bench{t: t, sim: sim, url: srv.URL, seen: map[string]bool{}}
	b.feed = b.open(bamboosim.APIKey)
	return b
}

func (b *bench) open(key string) connectors.EmployeeFeed {
	b.t.Helper()
	f, err := bamboohr.New(connectors.FeedConfig{Source: "s", BaseURL: b.url, APIKey: key, Limiter: unlimited{}})
	require.NoError(b.t, err)
	return f
}

// poll reads what changed since the last poll, and leaves out what came before.
func (b *bench) poll() []connectors.Employee {
	b.t.Helper()
	got, err := b.feed.ReadChanges(b.t.Context(), b.marker)
	require.NoError(b.t, err)
	require.GreaterOrEqual(b.t, got.Marker, b.marker, "never back")
	b.marker = got.Marker
	return slices.DeleteFunc(got.Employees, func(e connectors.Employee) bool {
		was := b.seen[e.EventID]
		b.seen[e.EventID] = true
		return was
	})
}

// one polls for the only news there is.
func (b *bench) one() connectors.Employee {
	b.t.Helper()
	got := b.poll()
	require.Len(b.t, got, 1)
	return got[0]
}

func allFacts() []string {
	return []string{
		"department", "email", "employee_number", "hire_date", "kind", "leave_reason", "manager", "name", "site", "status", "terminated_on",
	}
}

func day(days int) schema.Date { return schema.DateOf(time.Now().UTC().AddDate(0, 0, days)) }

func TestEverybodyIsReadOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Employees: 1200, Seed: 1})
	require.NoError(t, b.feed.CheckFeed(t.Context()))
	got := b.poll()
	require.Len(t, got, 1203)
	ids := map[string]connectors.Employee{}
	for _, e := range got {
		ids[e.Employment.ExternalID] = e
	}
	require.Len(t, ids, 1203)
	require.Equal(t, schema.Employment{
		EmploymentKey: schema.EmploymentKey{ExternalID: "2"}, Kind: schema.Employee, Name: "Ada Abel", Email: "ada@example.com",
		EmployeeNumber: "1002", HireDate: schema.DateOf(time.Now().UTC().AddDate(-2, 0, 0)), Status: schema.StatusActive,
		Department: "Sales", Site: "Boston", Manager: "1",
	}, ids["2"].Employment)
	require.Equal(t, allFacts(), ids["2"].Fields)
	require.Equal(t, schema.Contractor, ids["3"].Employment.Kind)
	pages := 0
	for _, r := range b.sim.Requests() {
		if r.Op == "employees.list" {
			pages++
		}
		require.Equal(t, http.MethodGet, r.Method)
	}
	require.Equal(t, 3, pages)
	require.Empty(t, b.poll(), "the second time nothing is new")
}

// TestTheListMayBeRefused: it is documented for OAuth alone.
func TestTheListMayBeRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Employees: 5, Switches: bamboosim.Switches{ListForOAuth: true, EmptyObject: true, LatestWhenEmpty: "now", SinceExclusive: true}})
	require.NoError(t, b.feed.CheckFeed(t.Context()))
	require.Len(t, b.poll(), 8)
	require.Empty(t, b.poll())
	require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2"}))
	require.Equal(t, schema.StatusEnded, b.one().Employment.Status)
}

func TestThereAndBackAreThreeEvents(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]bamboosim.Switches{"told": {}, "quiet": {QuietFuture: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bamboosim.Config{Switches: switches})
			b.poll()
			require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2", Date: day(30).String(), Reason: "Other employment"}))
			leaves := b.one()
			require.Equal(t, day(30), leaves.Employment.TerminatedOn)
			require.Equal(t, schema.StatusActive, leaves.Employment.Status)
			require.Equal(t, "Other employment", leaves.Employment.LeaveReason)
			require.Empty(t, b.poll())

			b.nextSecond()
			require.NoError(t, b.sim.ClearTermination("2"))
			stays := b.one()
			require.Zero(t, stays.Employment.TerminatedOn)
			require.Contains(t, stays.Fields, "terminated_on", "that there is none is told")

			b.nextSecond()
			require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2", Date: day(30).String(), Reason: "Other employment"}))
			again := b.one()
			require.Equal(t, leaves.Employment, again.Employment)
			require.NotEqual(t, leaves.EventID, again.EventID)
		})
	}
}

// nextSecond waits until the vendor's times show another second.
func (b *bench) nextSecond() {
	b.t.Helper()
	was := time.Now().Unix()
	require.Eventually(b.t, func() bool { return time.Now().Unix() > was }, 5*time.Second, 5*time.Millisecond)
}

// TestChangesOfOneSecond: what changes again within the second that was read is
// read again.
func TestChangesOfOneSecond(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	b.poll()
	for i := range 5 {
		department := fmt.Sprintf("D%d", i)
		require.NoError(t, b.sim.Change(bamboosim.PersonChange{ID: "2", Department: &department}))
		require.Equal(t, department, b.one().Employment.Department)
	}
}

// TestATerminationOfTheTableAlone: terminationDate may stay empty until the day.
func TestATerminationOfTheTableAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Switches: bamboosim.Switches{NoFutureDate: true}})
	b.poll()
	require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2", Date: day(30).String()}))
	require.NoError(t, b.sim.Rehire(bamboosim.Termination{ID: "2", Date: day(60).String()}))
	require.Equal(t, day(30), b.one().Employment.TerminatedOn, "who comes again leaves all the same")
	require.NoError(t, b.sim.MoveDay(31))
	left := b.one().Employment
	require.Equal(t, []any{schema.StatusEnded, day(30)}, []any{left.Status, left.TerminatedOn})
}

func TestTerminatedAndBack(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	b.poll()
	require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "3", Date: day(-3).String()}))
	left := b.one()
	require.Equal(t, []any{schema.StatusEnded, day(-3)}, []any{left.Employment.Status, left.Employment.TerminatedOn})
	require.Equal(t, schema.Contractor, left.Employment.Kind, "Terminated is no kind of employment")
	require.NoError(t, b.sim.Rehire(bamboosim.Termination{ID: "3"}))
	back := b.one().Employment
	require.Equal(t, []any{schema.StatusActive, schema.Date{}, schema.Employee}, []any{back.Status, back.TerminatedOn, back.Kind})

	// A termination ahead with a new beginning after it is one all the same.
	require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2", Date: day(20).String()}))
	require.NoError(t, b.sim.Rehire(bamboosim.Termination{ID: "2", Date: day(60).String()}))
	require.Equal(t, day(20), b.one().Employment.TerminatedOn)
}

func TestDeletedAndMoved(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	b.poll()
	manager := "1"
	require.NoError(t, b.sim.Change(bamboosim.PersonChange{ID: "3", Manager: &manager}))
	require.Equal(t, "1", b.one().Employment.Manager)
	require.NoError(t, b.sim.Delete("2"))
	gone := b.one()
	require.Equal(t, []any{"2", schema.StatusEnded}, []any{gone.Employment.ExternalID, gone.Employment.Status})
	require.Equal(t, []string{"status"}, gone.Fields, "nothing else is told")
	id, err := b.sim.Hire(bamboosim.Person{Email: "new@example.com", First: "Nia", Last: "New"})
	require.NoError(t, err)
	require.Equal(t, id, b.one().Employment.ExternalID)
	fresh := setup(t, bamboosim.Config{})
	require.NoError(t, fresh.sim.Delete("2"))
	require.Len(t, fresh.poll(), 2, "who was deleted before is nobody we know")
}

func TestCheckFeedNamesWhatIsHidden(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		switches bamboosim.Switches
		names    string
	}{
		"termination date": {bamboosim.Switches{MissingFields: []string{"terminationDate"}}, "terminationDate"},
		"all three":        {bamboosim.Switches{MissingFields: []string{"status", "terminationDate", "supervisorEId"}, OwnerWithoutRecord: true}, "status, terminationDate, supervisorEId"},
		"table":            {bamboosim.Switches{NoTable: true}, "the table employmentStatus"},
		"everybody":        {bamboosim.Switches{HiddenEmployees: []string{"1", "2", "3"}}, "any employee"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bamboosim.Config{Switches: c.switches})
			err := b.feed.CheckFeed(t.Context())
			require.Equal(t, connectors.Forbidden, connectors.KindOf(err))
			require.ErrorContains(t, err, "may not see "+c.names)
		})
	}
	b := setup(t, bamboosim.Config{Switches: bamboosim.Switches{HiddenEmployees: []string{"1"}, OwnerWithoutRecord: true}})
	require.NoError(t, b.feed.CheckFeed(t.Context()))
	require.NoError(t, setup(t, bamboosim.Config{People: []bamboosim.Person{}}).feed.CheckFeed(t.Context()), "a company of nobody")
}

// TestRightsThatAreLost: a poll that can no longer see who leaves must not pass.
func TestRightsThatAreLost(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Switches: bamboosim.Switches{HiddenEmployees: []string{"1"}}})
	require.Len(t, b.poll(), 2, "who is hidden is left out")
	require.NoError(t, b.sim.SetSwitches(bamboosim.Switches{MissingFields: []string{"status", "department"}}))
	_, err := b.feed.ReadChanges(t.Context(), b.marker)
	require.NoError(t, err, "nothing was read")
	require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2"}))
	_, err = b.feed.ReadChanges(t.Context(), b.marker)
	require.Equal(t, connectors.Forbidden, connectors.KindOf(err))
	require.NoError(t, b.sim.SetSwitches(bamboosim.Switches{MissingFields: []string{"department"}}))
	for _, e := range b.poll() {
		require.NotContains(t, e.Fields, "department", "what is not told keeps its value")
	}
	require.NoError(t, b.sim.SetSwitches(bamboosim.Switches{HiddenEmployees: []string{"1", "2", "3"}}))
	require.NoError(t, b.sim.ClearTermination("2"))
	_, err = b.feed.ReadChanges(t.Context(), b.marker)
	require.Equal(t, connectors.Forbidden, connectors.KindOf(err), "nobody can be read any more")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault simkit.Fault
		kind  connectors.Kind
	}{
		"unauthorized": {simkit.Fault{Op: "tables.changed", Action: simkit.ActionStatus, Status: 401}, connectors.Unauthorized},
		"forbidden":    {simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 403}, connectors.Forbidden},
		"slow down":    {simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 429, Headers: map[string]string{"Retry-After": "7"}}, connectors.RateLimited},
		"busy":         {simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 503, Headers: map[string]string{"Retry-After": "7"}}, connectors.Unavailable},
		"long pause":   {simkit.Fault{Op: "employees.get", Action: simkit.ActionStatus, Status: 429, Headers: map[string]string{"Retry-After": "600"}}, connectors.RateLimited},
		"broken":       {simkit.Fault{Op: "employees.get", Action: simkit.ActionStatus, Status: 500}, connectors.Unavailable},
		"cut":          {simkit.Fault{Op: "employees.get", Action: simkit.ActionTruncate}, connectors.Unavailable},
		"page":         {simkit.Fault{Op: "tables.changed", Action: simkit.ActionHTMLAfter, Status: 200}, connectors.Malformed},
		"wrong types":  {simkit.Fault{Op: "employees.get", Action: simkit.ActionWrongTypes}, connectors.Malformed},
		"wrong lists":  {simkit.Fault{Op: "employees.changed", Action: simkit.ActionWrongTypes}, connectors.Malformed},
		"empty":        {simkit.Fault{Op: "employees.list", Action: simkit.ActionEmptyAfter}, connectors.Malformed},
		"redirect":     {simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 302, Headers: map[string]string{"Location": "/elsewhere"}}, connectors.Malformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bamboosim.Config{})
			require.NoError(t, b.sim.AddFaults(c.fault))
			_, err := b.feed.ReadChanges(t.Context(), "")
			require.Equal(t, c.kind, connectors.KindOf(err), "%v", err)
			require.NotContains(t, err.Error(), bamboosim.APIKey)
			require.NotContains(t, err.Error(), "example.com")
			for _, r := range b.sim.Requests() {
				require.NotEqual(t, "unknown", r.Op, "nothing was followed")
			}
		})
	}
}

func TestAWrongKeyIsTriedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	_, err := b.open("wrong-key").ReadChanges(t.Context(), "")
	require.Equal(t, connectors.Unauthorized, connectors.KindOf(err))
	require.NotContains(t, err.Error(), "wrong-key")
	require.Len(t, b.sim.Requests(), 1, "who tries wrong keys is blocked")
}

// TestASlowCompany: a poll that is told to slow down in its middle does so.
func TestASlowCompany(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Employees: 60})
	require.NoError(t, b.sim.AddFaults(simkit.Fault{
		Op: "employees.get", Action: simkit.ActionStatus, Status: 429, Attempt: 20, LastAttempt: 28, Headers: map[string]string{"Retry-After": "0.01"},
	}))
	require.Len(t, b.poll(), 63)
}

func TestAPollCanBeCancelled(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Employees: 50})
	require.NoError(t, b.sim.AddFaults(simkit.Fault{Op: "employees.get", Attempt: 10, LastAttempt: 1000, Action: simkit.ActionHang}))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := b.feed.ReadChanges(ctx, "")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestConfigurationFaultsComeAtOnce(t *testing.T) {
	t.Parallel()
	_, err := bamboohr.New(connectors.FeedConfig{BaseURL: "http://acme.bamboohr.com", APIKey: "a b"})
	var refused *schema.Error
	require.ErrorAs(t, err, &refused)
	require.Len(t, refused.Problems, 3)
	for _, base := range []string{"", "/", "/api", "/api/v1/", "/api/gateway.php/" + bamboosim.Company, "/api/gateway.php/" + bamboosim.Company + "/v1"} {
		b := setup(t, bamboosim.Config{})
		b.url += base
		_, err := b.open(bamboosim.APIKey).ReadChanges(t.Context(), "")
		require.NoError(t, err, base)
	}
	b := setup(t, bamboosim.Config{})
	_, err = b.feed.ReadChanges(t.Context(), "yesterday")
	require.Equal(t, connectors.Invalid, connectors.KindOf(err))
}

// TestTheMarkerStaysWithinTime: a change of tomorrow hides none of today.
func TestTheMarkerStaysWithinTime(t *testing.T) {
	t.Parallel()
	body := `{"latest":"2999-01-01T00:00:00+00:00","employees":{"5":{"id":"5","action":"Updated","lastChanged":"2998-01-01T00:00:00+00:00"}}}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/employmentStatus"):
			_, _ = w.Write([]byte(`{"employees":[]}`))
		case strings.HasSuffix(r.URL.Path, "/changed"):
			_, _ = w.Write([]byte(body))
		default:
			_, _ = w.Write([]byte(`{"id":"5","status":"Active","terminationDate":null,"displayName":"x"}`))
		}
	}))
	t.Cleanup(srv.Close)
	f, err := bamboohr.New(connectors.FeedConfig{BaseURL: srv.URL, APIKey: "k", Limiter: unlimited{}})
	require.NoError(t, err)
	got, err := f.ReadChanges(t.Context(), time.Now().UTC().Add(-time.Hour).Format(time.RFC3339))
	require.NoError(t, err)
	require.Len(t, got.Employees, 1)
	at, err := time.Parse(time.RFC3339, got.Marker)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
}

// TestOldChangesAreNotReadAgain: once they are whole, the overlap costs nothing.
func TestOldChangesAreNotReadAgain(t *testing.T) {
	t.Parallel()
	changed := time.Now().UTC().Add(-time.Hour)
	members := map[string]string{}
	for i := range 5 {
		members[fmt.Sprint(i+1)] = changed.Add(-time.Duration(i) * time.Second).Format(time.RFC3339)
	}
	reads := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/employmentStatus"):
			_, _ = w.Write([]byte(`{"employees":{}}`))
		case strings.HasSuffix(r.URL.Path, "/changed"):
			var list []string
			for _, id := range slices.Sorted(maps.Keys(members)) {
				list = append(list, fmt.Sprintf(`"%s":{"id":"%s","action":"Updated","lastChanged":"%s"}`, id, id, members[id]))
			}
			_, _ = fmt.Fprintf(w, `{"latest":"%s","employees":{%s}}`, changed.Format(time.RFC3339), strings.Join(list, ","))
		default:
			id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			reads <- id
			_, _ = fmt.Fprintf(w, `{"id":"%s","status":"Active","terminationDate":null,"displayName":"x"}`, id)
		}
	}))
	t.Cleanup(srv.Close)
	f, err := bamboohr.New(connectors.FeedConfig{BaseURL: srv.URL, APIKey: "k", Limiter: unlimited{}})
	require.NoError(t, err)
	poll := func(marker string, want int) string {
		got, err := f.ReadChanges(t.Context(), marker)
		require.NoError(t, err)
		require.Len(t, got.Employees, want)
		require.Len(t, reads, want)
		for range want {
			<-reads
		}
		return got.Marker
	}
	marker := poll(changed.Add(-2*time.Hour).Format(time.RFC3339), 5)
	marker = poll(poll(marker, 0), 0)
	members["9"] = changed.Add(-10 * time.Second).Format(time.RFC3339) // it became visible late
	marker = poll(marker, 6)
	members["9"] = changed.Add(-9 * time.Second).Format(time.RFC3339)
	poll(marker, 6)
}

// TestAHugeRecord: many are held at a time, so that none may be large.
func TestAHugeRecord(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	huge := strings.Repeat("x", 70<<10)
	require.NoError(t, b.sim.Change(bamboosim.PersonChange{ID: "2", Department: &huge}))
	_, err := b.feed.ReadChanges(t.Context(), "")
	require.Equal(t, connectors.Malformed, connectors.KindOf(err))
	require.ErrorContains(t, err, "longer than the 64 KiB")
}
