package scim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestLifeOfAUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.do(http.MethodPost, "/Users", `{"schemas":["`+urnUser+`"],"userName":"Ada@Example.com","externalId":"x1","password":"hunter2",
		"groups":[],"id":"mine","meta":{"version":"99"},"favouriteColour":"teal"}`).is(http.StatusCreated)
	require.NotEqual(t, "mine", made.id())
	require.Equal(t, b.url+"/Users/"+made.id(), made.header.Get("Location"))
	require.Equal(t, b.url+"/Users/"+made.id(), made.at("meta", "location"))
	require.Equal(t, `W/"1"`, made.header.Get("ETag"))
	require.Equal(t, `W/"1"`, made.at("meta", "version"))
	require.Equal(t, true, made.at("active"), "active unless it says else")
	require.Equal(t, "Ada@Example.com", made.at("userName"), "as it was sent")
	require.Equal(t, "teal", made.at("favouriteColour"), "what we do not know is kept")
	require.Nil(t, made.at("groups"))
	require.NotContains(t, string(made.raw), "hunter2")

	got := b.do(http.MethodGet, "/Users/"+made.id(), "").is(http.StatusOK)
	require.Equal(t, made.body, got.body)

	put := b.do(http.MethodPut, "/Users/"+made.id(), `{"schemas":["`+urnUser+`"],"userName":"ada@example.com","active":false}`).is(http.StatusOK)
	require.Equal(t, false, put.at("active"))
	require.Nil(t, put.at("externalId"), "PUT replaces all")
	require.Equal(t, `W/"2"`, put.header.Get("ETag"))
	require.Equal(t, made.at("meta", "created"), put.at("meta", "created"))
	require.NotEqual(t, made.at("meta", "lastModified"), put.at("meta", "lastModified"))

	b.do(http.MethodDelete, "/Users/"+made.id(), "").is(http.StatusNoContent)
	b.do(http.MethodGet, "/Users/"+made.id(), "").is(http.StatusNotFound)
	b.do(http.MethodDelete, "/Users/"+made.id(), "").is(http.StatusNotFound)
	b.user("ada@example.com") // the name is free again
}

func TestPutWithoutActiveLeavesIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	b.patch("/Users/"+id, `{"op":"replace","path":"active","value":false}`).is(http.StatusOK)
	put := b.do(http.MethodPut, "/Users/"+id, `{"schemas":["`+urnUser+`"],"userName":"ada@example.com","title":"x"}`).is(http.StatusOK)
	require.Equal(t, false, put.at("active"), "silence brings nobody back")
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user("ada@example.com")
	grace := b.user("grace@example.com")
	body := func(name string) string { return `{"schemas":["` + urnUser + `"],"userName":"` + name + `"}` }
	b.do(http.MethodPost, "/Users", body("ADA@example.com")).refused(http.StatusConflict, "uniqueness")
	b.do(http.MethodPut, "/Users/"+grace, body("Ada@example.com")).refused(http.StatusConflict, "uniqueness")
	b.patch("/Users/"+grace, `{"op":"replace","value":{"userName":"Ada@example.com"}}`).refused(http.StatusConflict, "uniqueness")
	require.Equal(t, "grace@example.com", b.do(http.MethodGet, "/Users/"+grace, "").at("userName"))

	for _, name := range []string{"", "  ", `a\u0007b`, `a\nb`} {
		b.do(http.MethodPost, "/Users", body(name)).refused(http.StatusBadRequest, "invalidValue")
	}

	ops := b.grp("Ops")
	b.do(http.MethodPost, "/Groups", `{"schemas":["`+urnGroup+`"],"displayName":"OPS"}`).refused(http.StatusConflict, "uniqueness")
	b.patch("/Groups/"+ops, `{"op":"replace","path":"displayName","value":"ops"}`).is(http.StatusOK)
}

func TestDeactivationIsToldOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	off := `{"op":"replace","value":{"active":false}}`
	first := b.patch("/Users/"+id, off).is(http.StatusOK)
	require.Len(t, b.store.Told(b.source.ID), 2)
	require.Equal(t, schema.StatusEnded, b.last().Change.Roster.Employments[0].Status)
	again := b.patch("/Users/"+id, off).is(http.StatusOK)
	require.Equal(t, first.body, again.body, "the version stays")
	require.Len(t, b.store.Told(b.source.ID), 2, "nothing new is told")

	require.Equal(t, []string{id}, b.found("/Users", `userName eq "ada@example.com"`), "who is not active stays readable")
	b.patch("/Users/"+id, `{"op":"Replace","path":"active","value":"True"}`).is(http.StatusOK)
	require.Equal(t, schema.StatusActive, b.last().Change.Roster.Employments[0].Status, "back again")
}
