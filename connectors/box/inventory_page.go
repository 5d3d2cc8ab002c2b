package box

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"sendoff/connectors"
)

// The markers of our pages say in which of Box's two manners a listing goes on,
// so that the text alone is enough: behind one of Box's markers, or at an offset.
const (
	behindMarker = "m:"
	atOffset     = "o:"
)

// pageByMarker reads one page of a listing that Box pages by marker. An answer in
// the other manner to the first request is gone on with in that manner: who asks
// for markers and gets offsets has read the first page alone.
func pageByMarker[W, V any](ctx context.Context, c *client, k call, marker string, model func(W) (V, error)) (connectors.Page[V], error) {
	if strings.HasPrefix(marker, atOffset) {
		return pageByOffset(ctx, c, k, marker, model)
	}
	theirs, ours := strings.CutPrefix(marker, behindMarker)
	if marker != "" && (!ours || theirs == "") {
		return connectors.Page[V]{}, foreignMarker(k.op)
	}
	k.query = with(with(k.query, "limit", strconv.Itoa(pageSize)), "usemarker", "true")
	if theirs != "" {
		k.query = with(k.query, "marker", theirs)
	}
	p, out, err := readPage(ctx, c, k, model)
	if err != nil {
		return out, expired(theirs, err)
	}
	switch {
	case p.NextMarker != "" && string(p.NextMarker) == theirs:
		return connectors.Page[V]{}, malformed(k.op, "the listing repeats a marker and would never end")
	case p.NextMarker != "":
		out.Next = behindMarker + string(p.NextMarker)
	case theirs == "" && p.byOffset(0) && p.plausible() && !p.last(0):
		out.Next = atOffset + strconv.FormatInt(int64(p.Limit), 10)
	}
	return out, nil
}

// expired marks the refusal of a request that carried a marker of Box's: markers
// are not durable, and Box has no word for one that ended
// (https://developer.box.com/guides/api-calls/pagination/marker-based/).
func expired(theirs string, err error) error {
	var e *connectors.Error
	if theirs != "" && errors.As(err, &e) && e.Kind == connectors.Invalid && e.Status == http.StatusBadRequest {
		e.Err, e.Detail = connectors.ErrMarkerExpired, "Box refuses to go on at the marker: list anew"
	}
	return err
}

// foreignMarker refuses a marker that no page of ours was followed by.
func foreignMarker(op string) error {
	return &connectors.Error{
		Kind: connectors.Invalid, Op: op, Err: connectors.ErrMarkerExpired,
		Detail: "the marker is of no page of this listing: list anew; nothing was sent",
	}
}

// pageByOffset reads one page of a listing that Box pages by offset. It goes on
// by the limit Box returns, not by the number of entries, which may be fewer.
func pageByOffset[W, V any](ctx context.Context, c *client, k call, marker string, model func(W) (V, error)) (connectors.Page[V], error) {
	offset, err := parseOffset(k.op, marker)
	if err != nil {
		return connectors.Page[V]{}, err
	}
	if offset > maxOffset {
		return connectors.Page[V]{}, beyondOffsets(k.op, false)
	}
	k.query = with(with(k.query, "limit", strconv.Itoa(pageSize)), "offset", strconv.FormatInt(offset, 10))
	p, out, err := readPage(ctx, c, k, model)
	if err != nil {
		if offset >= maxOffset && connectors.KindOf(err) == connectors.Invalid {
			return out, beyondOffsets(k.op, true) // Box names 10000 and 9999 as the last one
		}
		return out, err
	}
	switch {
	case p.TotalCount == nil || !p.plausible():
		return connectors.Page[V]{}, malformed(k.op, "the listing names no total or no limit, or one beyond what was asked for")
	case p.Offset != nil && int64(*p.Offset) != offset:
		return connectors.Page[V]{}, malformed(k.op, "the listing answers another offset and would never end")
	case !p.last(offset):
		out.Next = atOffset + strconv.FormatInt(offset+int64(p.Limit), 10)
	}
	return out, nil
}

// plausible tells whether the page's limit is one to go on by.
func (p page[T]) plausible() bool { return 0 < p.Limit && p.Limit <= pageSize }

func parseOffset(op, marker string) (int64, error) {
	if marker == "" {
		return 0, nil
	}
	text, ours := strings.CutPrefix(marker, atOffset)
	offset, err := strconv.ParseInt(text, 10, 64)
	if !ours || err != nil || offset < 0 {
		return 0, foreignMarker(op)
	}
	return offset, nil
}

// beyondOffsets is the end of what can be listed by offset
// (https://developer.box.com/guides/api-calls/pagination/offset-based/).
func beyondOffsets(op string, sent bool) error {
	return &connectors.Error{
		Kind: connectors.Malformed, Op: op, Sent: sent, Err: connectors.ErrTooLong,
		Detail: "the listing is longer than Box's paging by offset reaches, which is 10,000 entries: what lies behind them cannot be listed",
	}
}

// readPage reads one page and maps its entries: one that lacks what it must have
// fails the page, for an entry that is left out would count as gone.
func readPage[W, V any](ctx context.Context, c *client, k call, model func(W) (V, error)) (page[W], connectors.Page[V], error) {
	var p page[W]
	if err := c.do(ctx, k, &p); err != nil {
		return p, connectors.Page[V]{}, err
	}
	if p.Entries == nil {
		return p, connectors.Page[V]{}, malformed(k.op, "the listing has no entries")
	}
	out := connectors.Page[V]{Entries: make([]V, 0, len(*p.Entries))}
	for _, e := range *p.Entries {
		v, err := model(e)
		if err != nil {
			return p, connectors.Page[V]{}, err
		}
		out.Entries = append(out.Entries, v)
	}
	return p, out, nil
}
