package scim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/scim"
	"sendoff/schema"
)

// user makes a resource as it is kept.
func kept(body string, active bool) schema.SCIMResource {
	return schema.SCIMResource{Type: schema.SCIMUser, ID: "7", Name: "ada", Active: active, Body: []byte(body), Version: 1}
}

func TestTell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r    schema.SCIMResource
		want schema.Employment
	}{
		"nothing but a name": {kept(`{}`, true), schema.Employment{Status: schema.StatusActive, Kind: schema.Employee}},
		"all": {
			kept(`{"displayName":" Ada B ","name":{"formatted":"F"},"timezone":"Europe/London","userType":"Sub-CONTRACTor","emails":[{"type":"work","value":"A@x.example"}],
				"`+urnEnterprise+`":{"employeeNumber":"7","department":"R&D","manager":{"value":"m1"}}}`, false),
			schema.Employment{
				Status: schema.StatusEnded, Kind: schema.Contractor, Name: "Ada B", Email: "a@x.example", EmployeeNumber: "7",
				Department: "R&D", Manager: "m1", TimeZone: "Europe/London",
			},
		},
		"the primary work address": {
			kept(`{"emails":[{"type":"home","value":"h@x.example","primary":true},{"type":"work","value":"first@x.example"}]}`, true),
			schema.Employment{Status: schema.StatusActive, Kind: schema.Employee, Email: "first@x.example"},
		},
		"one that is primary first": {
			kept(`{"emails":[{"type":"work","value":"first@x.example"},{"type":"Work","value":"second@x.example","primary":true}]}`, true),
			schema.Employment{Status: schema.StatusActive, Kind: schema.Employee, Email: "second@x.example"},
		},
		"private addresses do not count": {
			kept(`{"emails":[{"type":"home","value":"h@x.example"},{"value":"u@x.example"},{"type":"work","value":"none"}]}`, true),
			schema.Employment{Status: schema.StatusActive, Kind: schema.Employee},
		},
		"a name of parts":       {kept(`{"name":{"givenName":"Ada","familyName":"Byron"}}`, true), schema.Employment{Status: schema.StatusActive, Kind: schema.Employee, Name: "Ada Byron"}},
		"a zone that is none":   {kept(`{"timezone":"CEST+2"}`, true), schema.Employment{Status: schema.StatusActive, Kind: schema.Employee}},
		"the zone of a machine": {kept(`{"timezone":"Local"}`, true), schema.Employment{Status: schema.StatusActive, Kind: schema.Employee}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.want.ExternalID = "7"
			change, tells := scim.Tell(schema.SCIMResource{}, c.r)
			require.True(t, tells)
			require.Equal(t, schema.ChangeEmployments, change.Kind)
			require.Equal(t, schema.RosterChanges, change.Roster.Mode)
			require.Equal(t, []schema.Employment{c.want}, change.Roster.Employments)
			_, tells = scim.Tell(c.r, c.r)
			require.False(t, tells, "what is as before is no news")
		})
	}
}

func TestTellTheAddressOfTheName(t *testing.T) {
	t.Parallel()
	r := kept(`{}`, true)
	r.Name = "Ada@Example.com"
	change, _ := scim.Tell(schema.SCIMResource{}, r)
	require.Equal(t, "ada@example.com", change.Roster.Employments[0].Email)
}

func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	count := func() int { return len(b.store.Told(b.source.ID)) }
	id := b.do(http.MethodPost, "/Users", `{"userName":"ada@example.com","`+urnEnterprise+`":{"department":"R&D"}}`).is(http.StatusCreated).id()
	require.Equal(t, 1, count())
	require.Equal(t, []string{"department", "email", "kind", "status"}, b.last().Change.Roster.Fields, "what is not said clears nothing")
	require.Equal(t, id, b.last().Change.Roster.Employments[0].ExternalID)
	require.Contains(t, string(b.last().Raw), `"department":"R&D"`, "the body as it came")

	b.patch("/Users/"+id, `{"op":"add","path":"nickName","value":"A"},{"op":"add","path":"phoneNumbers","value":[{"value":"1"}]}`).is(http.StatusOK)
	require.Equal(t, 1, count(), "nothing that counts")
	b.patch("/Users/"+id, `{"op":"remove","path":"`+urnEnterprise+`:department"}`).is(http.StatusOK)
	require.Equal(t, 2, count())
	require.Contains(t, b.last().Change.Roster.Fields, "department", "what is said no more is cleared")
	require.Empty(t, b.last().Change.Roster.Employments[0].Department)

	group := b.grp("Ops", id)
	b.do(http.MethodDelete, "/Groups/"+group, "").is(http.StatusNoContent)
	require.Equal(t, 2, count(), "groups tell nothing")

	b.do(http.MethodDelete, "/Users/"+id, "").is(http.StatusNoContent)
	require.Equal(t, 3, count())
	require.Equal(t, []string{"status"}, b.last().Change.Roster.Fields)
	require.Equal(t, schema.StatusEnded, b.last().Change.Roster.Employments[0].Status)

	gone := b.user("grace@example.com")
	b.patch("/Users/"+gone, `{"op":"replace","path":"active","value":false}`).is(http.StatusOK)
	n := count()
	b.do(http.MethodDelete, "/Users/"+gone, "").is(http.StatusNoContent)
	require.Equal(t, n, count(), "the end was told already")
	require.Empty(t, b.store.Told(b.other.ID))
}
