package conformance

import (
	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// secondPage makes accounts for several pages and returns the marker of the
// second.
func (b bench) secondPage(t T) (*scene, string) {
	t.Helper()
	s := b.open(t)
	c := as[connectors.InventoryLister](s, "InventoryLister")
	if s.world.PageParam == "" {
		t.Skipf("the vendor's listings have no pages")
	}
	for range 7 {
		s.person()
	}
	s.wire.smallPages(nil)
	p, err := c.ListAccounts(t.Context(), "")
	require.NoError(t, err)
	require.NotEmpty(t, p.Next)
	return s, p.Next
}

// expiredMarker: that a listing has to begin anew is told apart from all else.
func (b bench) expiredMarker(t T) {
	s, marker := b.secondPage(t)
	if s.world.MarkerRefusal == 0 {
		t.Skipf("the vendor's markers do not end")
	}
	c := as[connectors.InventoryLister](s, "InventoryLister")
	for _, status := range []int{s.world.MarkerRefusal, 503, 403, 429} {
		s.wire.spoil(spoilt{fault: fault{serve: func(x *exchange) { x.refuse(status); x.answer() }}, times: 1})
		_, err := c.ListAccounts(t.Context(), marker)
		require.Error(t, err)
		s.clean(err)
		require.NotEmpty(t, connectors.KindOf(err), "it is a *connectors.Error all the same")
		if status == s.world.MarkerRefusal {
			require.ErrorIs(t, err, connectors.ErrMarkerExpired)
		} else {
			require.NotErrorIs(t, err, connectors.ErrMarkerExpired, "HTTP %d says nothing of markers", status)
		}
	}
	_, err := c.ListAccounts(t.Context(), "a marker that no page was followed by")
	require.Error(t, err, "a marker that is none is no first page")
}

// refusedStart: where no marker was sent none can have expired, and to begin anew
// would never end.
func (b bench) refusedStart(t T) {
	s := b.open(t)
	c := as[connectors.InventoryLister](s, "InventoryLister")
	if s.world.MarkerRefusal == 0 {
		t.Skipf("the vendor's markers do not end")
	}
	s.wire.spoil(spoilt{fault: fault{serve: func(x *exchange) { x.refuse(s.world.MarkerRefusal); x.answer() }}, times: 1})
	_, err := c.ListAccounts(t.Context(), "")
	require.Error(t, err)
	require.NotErrorIs(t, err, connectors.ErrMarkerExpired)
}

// stuckListing: a vendor that answers the same page again and again is noticed.
func (b bench) stuckListing(t T) {
	s, marker := b.secondPage(t)
	c := as[connectors.InventoryLister](s, "InventoryLister")
	s.wire.freeze()
	second, err := c.ListAccounts(t.Context(), marker)
	require.NoError(t, err)
	require.NotEmpty(t, second.Next)
	_, err = c.ListAccounts(t.Context(), second.Next)
	s.fails(err, connectors.Malformed)
}

// cutPage: half a page is no page, and worth another try.
func (b bench) cutPage(t T) {
	s, marker := b.secondPage(t)
	c := as[connectors.InventoryLister](s, "InventoryLister")
	for _, at := range []string{"", marker} {
		s.wire.spoil(spoilt{fault: fault{serve: func(x *exchange) { x.effect(); x.cut() }}, times: 1})
		p, err := c.ListAccounts(t.Context(), at)
		s.fails(err, connectors.Unavailable)
		require.Equal(t, connectors.Page[schema.Account]{}, p)
	}
}
