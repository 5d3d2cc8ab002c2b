package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// person is a row of a roster: id, address, and more as name=value.
func employment(id, email string, more ...string) schema.Employment {
	e := schema.Employment{EmploymentKey: schema.EmploymentKey{ExternalID: id}, Kind: schema.Employee, Email: email, Name: "Person " + id}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		day, _ := schema.ParseDate(value)
		switch name {
		case "kind":
			e.Kind = schema.EmploymentKind(value)
		case "name":
			e.Name = value
		case "number":
			e.EmployeeNumber = value
		case "hire":
			e.HireDate = day
		case "last":
			e.LastWorkingDay = day
		case "manager":
			e.Manager = value
		case "department":
			e.Department = value
		case "status":
			e.Status = schema.EmploymentStatus(value)
		default:
			panic("unknown " + name)
		}
	}
	return e
}

func everyField() []string {
	return []string{
		"kind", "name", "email", "employee_number", "hire_date", "last_working_day", "terminated_on",
		"garden_leave_from", "status", "for_cause", "leave_reason", "time_zone", "department", "site", "manager",
	}
}

func (b *bundle) roster(mode schema.RosterMode, rows ...schema.Employment) schema.RosterResult {
	b.t.Helper()
	r, err := b.ImportRoster(b.t.Context(), schema.Roster{Source: "hr", Mode: mode, Employments: rows, Fields: everyField()}, false, b.admin)
	require.NoError(b.t, err)
	return r
}

func (b *bundle) whole(rows ...schema.Employment) schema.RosterResult {
	b.t.Helper()
	return b.roster(schema.RosterWhole, rows...)
}

// person reads a person by address or id.
func (b *bundle) person(ref string) schema.PersonView {
	b.t.Helper()
	p, err := b.Person(b.t.Context(), ref)
	require.NoError(b.t, err)
	return p
}

// issueKinds lists the issues as KIND id.
func issueKinds(issues []schema.PersonIssue) []string {
	out := []string{}
	for _, i := range issues {
		out = append(out, string(i.Kind)+" "+i.ExternalID)
	}
	slices.Sort(out)
	return out
}

func TestRosterKeepsPersons(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.whole(employment("1", "ada@example.com", "manager=2"), employment("2", "boss@example.com"), employment("3", ""))
	require.Equal(t, []int{3, 3, 0, 0, 0, 3}, []int{r.Rows, r.Added, r.Changed, r.Unchanged, r.Refused, r.NewPeople})
	ada := b.person("ADA@example.com")
	require.Equal(t, "Person 1", ada.Name)
	require.Equal(t, "boss@example.com", ada.Manager)
	require.Len(t, b.person("boss@example.com").Reports, 1)

	r = b.whole(employment("1", "ada@example.com", "manager=2"), employment("2", "boss@example.com"), employment("3", ""))
	require.Equal(t, []int{0, 0, 3}, []int{r.Added, r.Changed, r.Unchanged}, "the same again")

	r = b.whole(employment("1", "ada.king@example.com", "name=Ada King", "manager=boss@example.com"), employment("2", "boss@example.com"), employment("3", ""))
	require.Equal(t, 1, r.Changed)
	require.Equal(t, []string{"email", "manager", "name"}, slices.Sorted(slices.Values(r.Entries[0].Fields)))
	now := b.person("ada.king@example.com")
	require.Equal(t, ada.ID, now.ID)
	require.Equal(t, "Ada King", now.Name)
	require.Equal(t, "ada.king@example.com", now.Email)
	require.Equal(t, ada.ManagerID, now.ManagerID)
	require.Equal(t, ada.ID, b.person("ada@example.com").ID, "the old address stays hers")
	require.Len(t, now.Emails, 2)
}

func TestRosterFieldsNotToldStay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.whole(employment("1", "ada@example.com", "department=R&D", "number=7"))
	_, err := b.ImportRoster(t.Context(), schema.Roster{
		Source: "hr", Mode: schema.RosterChanges, Fields: []string{"name"}, Employments: []schema.Employment{{EmploymentKey: schema.EmploymentKey{ExternalID: "1"}, Name: "Ada"}},
	}, false, b.admin)
	require.NoError(t, err)
	e := b.person("ada@example.com").Employments[0]
	require.Equal(t, []string{"Ada", "R&D", "7", "ada@example.com"}, []string{e.Name, e.Department, e.EmployeeNumber, e.Email})
}

func TestRosterJoins(t *testing.T) {
	t.Parallel()
	yesterday, tomorrow := time.Now().AddDate(0, 0, -2).Format(time.DateOnly), time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	later := time.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	for name, c := range map[string]struct {
		before []schema.Employment
		after  schema.Employment
		joined bool
		issue  string
	}{
		"rehire with the same address":        {[]schema.Employment{employment("1", "ada@example.com", "last="+yesterday)}, employment("9", "ada@example.com"), true, ""},
		"rehire with the same number":         {[]schema.Employment{employment("1", "ada@example.com", "last="+yesterday, "number=7")}, employment("9", "ada2@example.com", "number=7"), true, ""},
		"contractor turned employee":          {[]schema.Employment{employment("1", "ada@example.com", "kind=contractor")}, employment("9", "ada@example.com"), true, ""},
		"employment that follows another":     {[]schema.Employment{employment("1", "ada@example.com", "last="+tomorrow)}, employment("9", "ada@example.com", "hire="+later), true, ""},
		"address of somebody employed":        {[]schema.Employment{employment("1", "ada@example.com")}, employment("9", "ada@example.com"), false, "email_taken 9"},
		"number of somebody employed":         {[]schema.Employment{employment("1", "ada@example.com", "number=7")}, employment("9", "eve@example.com", "number=7"), false, "number_taken 9"},
		"number of two":                       {[]schema.Employment{employment("1", "ada@example.com", "last="+yesterday, "number=7"), employment("2", "bob@example.com", "last="+yesterday)}, employment("9", "eve@example.com", "number=7"), false, "number_ambiguous 9"},
		"address that begins as another does": {[]schema.Employment{employment("1", "ada@example.com")}, employment("9", "ada@example.com.au"), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.whole(c.before...)
			if name == "number of two" {
				// Numbers were told apart once, and no longer are.
				two := c.before[1]
				two.EmployeeNumber = "7"
				b.roster(schema.RosterChanges, two)
			}
			r := b.roster(schema.RosterChanges, c.after)
			if c.issue != "" {
				require.Equal(t, []string{c.issue}, issueKinds(r.Issues))
				require.Equal(t, 1, r.Refused)
				require.NotEmpty(t, r.Issues[0].Persons)
				require.Contains(t, r.Issues[0].Others, "1")
				return
			}
			require.Empty(t, r.Issues)
			before, after := b.person(c.before[0].Email), b.person(c.after.Email)
			require.Equal(t, c.joined, before.ID == after.ID)
			if c.joined {
				require.Len(t, after.Employments, 2, "side by side")
				begun := after.Employments[0].HireDate.IsZero()
				require.True(t, begun, "the one that counts first")
			}
		})
	}
}

func TestRosterOneFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.whole(
		employment("1", "twin@example.com"), employment("2", "twin@example.com"),
		employment("3", "both@example.com", "kind=contractor"), employment("4", "both@example.com"),
		employment("5", "äöü@example.com"), employment("6", "five@example.com"),
	)
	require.Equal(t, []string{"email_twice 1", "email_twice 2"}, issueKinds(r.Issues))
	require.Equal(t, []string{"2"}, r.Issues[0].Others)
	require.Len(t, b.person("both@example.com").Employments, 2)
	require.Equal(t, 4, r.Added)
	b.person("äöü@example.com")

	// An address cannot move from one person to another, nor be swapped.
	r = b.whole(employment("5", "five@example.com"), employment("6", "äöü@example.com"))
	require.Equal(t, []string{"email_taken 5", "email_taken 6"}, issueKinds(r.Issues), "issues of rows that are gone are gone")
	require.Equal(t, "6", b.person("five@example.com").Employments[0].ExternalID)
	r = b.whole(employment("5", "äöü@example.com"), employment("6", "five@example.com"))
	require.Empty(t, r.Issues)
	require.Equal(t, 2, r.Unchanged)
}

func TestRosterAbsentDoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.whole(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	r := b.whole(employment("2", "bob@example.com"))
	require.Equal(t, 1, r.Absent)
	require.Equal(t, schema.RosterEntry{Change: schema.RosterAbsent, ExternalID: "1"}, r.Entries[0])
	ada := b.person("ada@example.com")
	require.False(t, ada.Employments[0].AbsentSince.IsZero())
	require.True(t, ada.LastDay.IsZero(), "nobody has left")
	list, _, err := b.ListPeople(t.Context(), schema.PersonFilter{Absent: true, Source: "hr", Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Zero(t, b.roster(schema.RosterChanges, employment("2", "bob@example.com")).Absent, "changes leave nobody out")
	since := ada.Employments[0].AbsentSince
	b.whole(employment("2", "bob@example.com"))
	require.Equal(t, since, b.person("ada@example.com").Employments[0].AbsentSince)
	r = b.whole(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	require.Equal(t, []string{"absent"}, r.Entries[0].Fields)
	require.True(t, b.person("ada@example.com").Employments[0].AbsentSince.IsZero())
}

func TestRosterDryRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	count := func() map[string]int {
		out := map[string]int{}
		for _, table := range []string{"person", "person_email", "employment", "roster_issue", "audit_record", "person_account", "correlation_issue"} {
			var n int
			require.NoError(t, conn.QueryRow(t.Context(), `select count(*) from `+table).Scan(&n))
			out[table] = n
		}
		return out
	}
	b.account("1")
	before := count()
	r, err := b.ImportRoster(t.Context(), schema.Roster{Source: "hr", Mode: schema.RosterWhole, Fields: everyField(), Employments: []schema.Employment{
		employment("1", "user1@example.com", "manager=9"), employment("2", "x@example.com"), employment("3", "x@example.com"),
	}}, true, b.admin)
	require.NoError(t, err)
	require.True(t, r.DryRun)
	require.Equal(t, []int{1, 2}, []int{r.Added, r.Refused})
	require.EqualValues(t, 1, r.Correlation.Matched)
	require.Len(t, r.Issues, 3)
	require.Equal(t, before, count())
}

// TestRosterMeetsCases: who was known by a case alone is the person that a roster
// tells of under the same address; a case keeps its person.
func TestRosterMeetsCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.whole(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	ada := b.person("ada@example.com").ID
	plan := b.leaver("77", "", "suspend")
	c, err := b.Case(t.Context(), plan.CaseID)
	require.NoError(t, err)
	_, err = b.AddRestriction(t.Context(), schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "ada@example.com", Reason: "test"}, b.admin)
	require.NoError(t, err)

	r := b.whole(employment("1", "user77@example.com"), employment("2", "bob@example.com"))
	require.Equal(t, 1, r.Merged)
	require.Empty(t, r.Issues)
	joined := b.person("user77@example.com")
	require.Equal(t, c.PersonID, joined.ID, "the case keeps its person")
	require.Equal(t, joined.ID, b.person("ada@example.com").ID)
	require.Equal(t, joined.ID, b.person(string(ada)).ID, "the id given up leads to the one kept")
	held, err := b.RestrictionsOn(t.Context(), b.conn.ID, "77", "user77@example.com")
	require.NoError(t, err)
	require.Len(t, held, 1, "a hold on the old address is one on the person")

	other := b.leaver("78", "", "suspend")
	b.leaver("79", "", "suspend")
	b.whole(employment("1", "user77@example.com"), employment("2", "user78@example.com"))
	require.Equal(t, b.person("user78@example.com").ID, b.person("bob@example.com").ID)
	r = b.whole(employment("1", "user77@example.com"), employment("2", "user79@example.com"))
	require.Equal(t, []string{"two_cases 2"}, issueKinds(r.Issues))
	c, err = b.Case(t.Context(), other.CaseID)
	require.NoError(t, err)
	require.Equal(t, b.person("user78@example.com").ID, c.PersonID)
	require.NotEqual(t, b.person("user79@example.com").ID, c.PersonID)
}

func TestRosterManagers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := []schema.Employment{
		employment("1", "a@example.com", "manager=2"), employment("2", "b@example.com", "manager=c@example.com"), employment("3", "c@example.com", "manager=1"),
		employment("4", "d@example.com", "manager=4"), employment("5", "e@example.com", "manager=nobody"), employment("6", "f@example.com", "manager=1"),
	}
	r := b.whole(rows...)
	require.Equal(t, []string{"manager_cycle 1", "manager_cycle 2", "manager_cycle 3", "manager_unknown 5", "self_manager 4"}, issueKinds(r.Issues))
	f := b.person("f@example.com")
	require.True(t, f.Loops)
	require.Len(t, f.Chain, 3)
	d := b.person("d@example.com")
	require.True(t, d.Loops)
	require.Empty(t, d.Chain)

	rows[2].Manager, rows[3].Manager = "", ""
	r = b.whole(append(rows, employment("nobody", "n@example.com"))...)
	require.Empty(t, r.Issues, "a manager who comes later is found")
	require.Equal(t, "n@example.com", b.person("e@example.com").Manager)
	list, _, err := b.ListPeople(t.Context(), schema.PersonFilter{WithoutManager: true, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{"c@example.com", "d@example.com", "n@example.com"}, emails(list))
}

func emails(list []schema.PersonSummary) []string {
	out := []string{}
	for _, p := range list {
		out = append(out, p.Email)
	}
	return out
}

func TestListPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows []schema.Employment
	for i := range 7 {
		rows = append(rows, employment(fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i), "department="+[]string{"Sales", "R&D"}[i%2]))
	}
	rows[3].LastWorkingDay = schema.DateOf(time.Now().AddDate(0, 0, -3))
	b.whole(rows...)
	b.account("1")
	for filter, want := range map[*schema.PersonFilter]int{
		{}:                        7,
		{Department: "R&D"}:       3,
		{Source: "hr"}:            7,
		{Source: "other"}:         0,
		{WithoutAccount: true}:    7,
		{WithoutManager: true}:    6,
		{Ended: new(bool)}:        6,
		{Ended: ptr(true)}:        1,
		{Absent: true}:            0,
		{Department: "R&D' or 1"}: 0,
	} {
		seen := map[schema.PersonID]bool{}
		for f := *filter; ; {
			f.Limit = 2
			page, next, err := b.ListPeople(t.Context(), f)
			require.NoError(t, err)
			for _, p := range page {
				require.False(t, seen[p.ID])
				seen[p.ID] = true
			}
			if f.After = next; next == "" {
				break
			}
		}
		require.Len(t, seen, want, "%+v", *filter)
	}
	owner := b.person("p1@example.com").ID
	require.NoError(t, b.SetDepartmentOwner(t.Context(), "R&D", owner, b.admin))
	requireCode(t, schema.CodeNotFound, b.SetDepartmentOwner(t.Context(), "Sale", owner, b.admin))
	list, next, err := b.Departments(t.Context(), "", 10)
	require.NoError(t, err)
	require.Empty(t, next)
	require.Equal(t, []schema.Department{{Name: "R&D", People: 3, OwnerID: owner, Owner: "p1@example.com"}, {Name: "Sales", People: 4}}, list)
	_, err = b.Person(t.Context(), "p1@example.co")
	requireCode(t, schema.CodeNotFound, err)
}

func ptr[T any](v T) *T { return &v }

// TestPeopleInAudit: the log is for ever and holds no addresses and names.
func TestPeopleInAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.whole(employment("1", "ada@example.com", "name=Lovelace"))
	a := b.account("5")
	require.NoError(t, b.LinkAccount(t.Context(), a.ID, b.person("ada@example.com").ID, "seen", b.admin))
	var text string
	require.NoError(t, b.sql().QueryRow(t.Context(), `select string_agg(convert_from(body, 'UTF8'), '') from audit_record`).Scan(&text))
	require.Contains(t, text, "roster.imported")
	require.Contains(t, text, "person.account_linked")
	for _, personal := range []string{"ada@", "Lovelace", "user5@"} {
		require.NotContains(t, text, personal)
	}
}

// held tells by address whose each account is, and how that is known.
func (b *bundle) held(conn *pgx.Conn) map[string]string {
	b.t.Helper()
	rows, err := conn.Query(b.t.Context(), `select a.external_id, coalesce(p.email, '') || ' ' || a.person_by from account a left join person p on p.id = a.person_id`)
	require.NoError(b.t, err)
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id, who string
		require.NoError(b.t, rows.Scan(&id, &who))
		out[id] = who
	}
	require.NoError(b.t, rows.Err())
	return out
}

func (b *bundle) accountIssues() []string {
	b.t.Helper()
	issues, _, err := b.PersonIssues(b.t.Context(), "", "", 100)
	require.NoError(b.t, err)
	return issueKinds(issues)
}

func TestCorrelate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	save := func(id, login, number string, kind schema.AccountKind) schema.Account {
		a, err := b.SaveAccount(t.Context(), schema.Account{
			ConnectionID: b.conn.ID, ExternalID: schema.ExternalID(id), Login: login, Role: schema.RoleMember, Status: schema.AccountActive,
			VendorStatus: "active", Kind: kind, EnterpriseID: "900", ObservedAt: time.Now(), Tracking: map[string]string{"emp": number},
		})
		require.NoError(t, err)
		return a
	}
	save("1", "ADA@Example.com", "", schema.KindPerson)
	save("2", "ada@example.com.au", "", schema.KindPerson)
	save("3", "other@example.com", " 200 ", schema.KindPerson)
	save("4", "bob@example.com", "100", schema.KindPerson)
	save("5", "eve@example.com", "", schema.KindService)
	six := save("6", "stranger@example.com", "", schema.KindPerson)
	people := []schema.Employment{
		employment("a", "ada@example.com", "number=100"), employment("b", "bob@example.com", "number=200"), employment("e", "eve@example.com", "number=300"),
	}
	r := b.whole(people...)
	require.Equal(t, schema.CorrelationResult{Matched: 2, Unmatched: 3}, r.Correlation)
	require.Equal(t, map[string]string{
		"1": "ada@example.com email", "2": " ", "3": " ", "4": "bob@example.com email", "5": " ", "6": " ",
	}, b.held(conn))

	got, err := b.SetCorrelationRule(t.Context(), b.conn.Name, "emp", b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.CorrelationResult{Matched: 1, Unmatched: 2, Issues: 1}, got)
	require.Equal(t, "bob@example.com employee_number", b.held(conn)["3"])
	require.Equal(t, "bob@example.com email", b.held(conn)["4"], "kept")
	require.Equal(t, []string{"account_contradiction 4"}, b.accountIssues())

	save("7", "eve@example.com", "100", schema.KindPerson)
	got, err = b.Correlate(t.Context(), b.conn.ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, got.Issues)
	require.Equal(t, " ", b.held(conn)["7"])
	require.Equal(t, []string{"account_ambiguous 7", "account_contradiction 4"}, b.accountIssues())

	// An explicit link wins over all, until it is ended.
	_, err = b.AccountRef(t.Context(), b.conn.Name, "EVE@example.com")
	requireCode(t, schema.CodeAmbiguous, err)
	ref, err := b.AccountRef(t.Context(), b.conn.Name, "7")
	require.NoError(t, err)
	bob := b.person("bob@example.com").ID
	require.NoError(t, b.LinkAccount(t.Context(), ref.ID, bob, "asked him", b.admin))
	require.NoError(t, b.LinkAccount(t.Context(), six.ID, bob, "asked him", b.admin))
	_, err = b.Correlate(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "bob@example.com link", b.held(conn)["7"])
	require.Equal(t, []string{"account_contradiction 4"}, b.accountIssues())
	require.NoError(t, b.UnlinkAccount(t.Context(), ref.ID, "wrong", b.admin))
	require.NoError(t, b.UnlinkAccount(t.Context(), six.ID, "wrong", b.admin))
	requireCode(t, schema.CodeConflict, b.UnlinkAccount(t.Context(), ref.ID, "again", b.admin))
	require.Equal(t, " ", b.held(conn)["7"])
	require.Equal(t, " ", b.held(conn)["6"])

	got, err = b.SetCorrelationRule(t.Context(), b.conn.Name, "", b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.CorrelationResult{Matched: 1, Unmatched: 2}, got)
	require.Equal(t, "eve@example.com email", b.held(conn)["7"])
	require.Empty(t, b.accountIssues())
	page, next, err := b.PersonIssues(t.Context(), schema.IssueSelfManager, "", 1)
	require.NoError(t, err)
	require.Empty(t, append([]string{next}, issueKinds(page)...)[1:])
}

// TestHoldsFollowPersons: a hold on any address of a person is one on every
// account that was ever known to be theirs, whatever is unlinked later.
func TestHoldsFollowPersons(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.account("5")
	b.whole(employment("1", "ada@example.com"))
	_, err := b.AddRestriction(t.Context(), schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "ada@example.com", Reason: "test"}, b.admin)
	require.NoError(t, err)
	held := func(login string) int {
		list, err := b.RestrictionsOn(t.Context(), b.conn.ID, a.ExternalID, login)
		require.NoError(t, err)
		return len(list)
	}
	require.Zero(t, held("user5@example.com"))
	require.NoError(t, b.LinkAccount(t.Context(), a.ID, b.person("ada@example.com").ID, "hers", b.admin))
	require.Equal(t, 1, held("user5@example.com"))
	require.NoError(t, b.UnlinkAccount(t.Context(), a.ID, "not hers", b.admin))
	require.Equal(t, 1, held("user5@example.com"))
	b.whole(employment("1", "ada.king@example.com"))
	require.Equal(t, 1, held("ada.king@example.com"), "by another address of hers")
	require.Equal(t, 1, held("someone@example.com"))
}

func TestNobodyOffboardsThemselvesByAnOldAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.whole(employment("1", "user5@example.com"))
	b.whole(employment("1", "me@example.com"))
	me := b.admin
	me.Email = "me@example.com"
	_, err := b.CreateCases(t.Context(), []schema.Draft{b.draft("5", "", "suspend")}, me)
	requireCode(t, schema.CodeForbidden, err)
	plan := b.leaver("5", "", "suspend")
	_, err = b.Decide(t.Context(), schema.Decision{CaseID: plan.CaseID, Kind: schema.DecideCancel, Reason: "test"}, me)
	requireCode(t, schema.CodeForbidden, err)
}

func TestReceiverByRule(t *testing.T) {
	t.Parallel()
	b := setup(t)
	leaver, boss := b.account("1"), b.account("2")
	b.account("3")
	b.whole(
		employment("1", "user1@example.com", "manager=2", "department=Sales"), employment("2", "user2@example.com", "manager=3"),
		employment("3", "user3@example.com", "manager=3"), employment("4", "user4@example.com", "manager=5", "department=R&D"), employment("5", "user5@example.com", "manager=4"),
	)
	require.NoError(t, b.SetDepartmentOwner(t.Context(), "Sales", b.person("user3@example.com").ID, b.admin))
	ask := func(rule string, a schema.Account, login string) string {
		got, err := b.ReceiverByRule(t.Context(), rule, b.conn.ID, a.ID, login)
		require.NoError(t, err)
		return got.Login + string(got.Gap)
	}
	require.Equal(t, "user2@example.com", ask(schema.ReceiverManager, leaver, "USER1@example.com"))
	require.Equal(t, "user3@example.com", ask(schema.ReceiverManagersManager, leaver, leaver.Login))
	require.Equal(t, "user3@example.com", ask(schema.ReceiverDepartmentOwner, leaver, leaver.Login))
	require.Equal(t, "loop", ask(schema.ReceiverManagersManager, boss, boss.Login), "the manager's manager is the manager")
	require.Equal(t, "no_department", ask(schema.ReceiverDepartmentOwner, boss, boss.Login))
	require.Equal(t, "nobody", ask(schema.ReceiverManager, b.account("9"), "user9@example.com"))
	four := b.account("4")
	require.Equal(t, "no_account", ask(schema.ReceiverManager, four, four.Login))
	require.Equal(t, "loop", ask(schema.ReceiverManagersManager, four, four.Login))
	require.Equal(t, "no_owner", ask(schema.ReceiverDepartmentOwner, four, four.Login))
	five := b.account("5")
	require.NoError(t, b.LinkAccount(t.Context(), five.ID, b.person("user2@example.com").ID, "a second one", b.admin))
	require.Equal(t, "two_accounts", ask(schema.ReceiverManager, leaver, leaver.Login))
	require.Equal(t, "user3@example.com", ask(schema.ReceiverManager, five, five.Login), "a link wins over the login")
	require.Equal(t, "no_manager", func() string {
		b.roster(schema.RosterChanges, employment("1", "user1@example.com"))
		return ask(schema.ReceiverManager, leaver, leaver.Login)
	}())
}
