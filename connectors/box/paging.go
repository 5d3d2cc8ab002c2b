package box

import (
	"context"
	"net/url"
	"strconv"
)

const (
	// pageSize is the largest page Box serves; it clamps what is larger.
	pageSize = 1000
	// maxOffset is the largest offset Box accepts
	// (https://developer.box.com/guides/api-calls/pagination/offset-based/).
	maxOffset = 10000
	// maxPages ends a listing whose vendor never does: ten million entries.
	maxPages = 10000
)

// page is one page of either kind of listing.
type page[T any] struct {
	Entries    *[]T    `json:"entries"`
	NextMarker text    `json:"next_marker"`
	Limit      number  `json:"limit"`
	TotalCount *number `json:"total_count"`
	Offset     *number `json:"offset"`
}

// byOffset tells whether the page says that it is the one at an offset.
func (p page[T]) byOffset(n int64) bool {
	return p.TotalCount != nil && p.Offset != nil && int64(*p.Offset) == n
}

// last tells whether nothing comes behind the page at an offset. The total is
// where offsets end, yet it may be too low: a full page is followed by another.
func (p page[T]) last(offset int64) bool {
	full := int64(len(*p.Entries)) >= int64(p.Limit)
	return !full && offset+int64(p.Limit) >= int64(*p.TotalCount)
}

// each reads one page and hands its entries to fn.
func each[T any](ctx context.Context, c *client, k call, fn func(T) error) (page[T], error) {
	var p page[T]
	if err := c.do(ctx, k, &p); err != nil {
		return p, err
	}
	if p.Entries == nil {
		return p, malformed(k.op, "the listing has no entries")
	}
	for _, e := range *p.Entries {
		if err := fn(e); err != nil {
			return p, err
		}
	}
	return p, nil
}

// eachByMarker walks a listing to its end, which is a marker that is null,
// absent or empty
// (https://developer.box.com/guides/api-calls/pagination/marker-based/).
func eachByMarker[T any](ctx context.Context, c *client, k call, fn func(T) error) error {
	k.query = with(k.query, "limit", strconv.Itoa(pageSize))
	seen := map[text]bool{}
	pages := maxPages
	if k.maxPages > 0 {
		pages = k.maxPages
	}
	for range pages {
		p, err := each(ctx, c, k, fn)
		if err != nil {
			return err
		}
		if p.NextMarker == "" {
			if k.maxPages == 0 && p.byOffset(0) && 0 < p.Limit && p.Limit < *p.TotalCount {
				// An answer in the other manner: who asks for markers and gets
				// offsets has read the first page alone.
				return fromOffset(ctx, c, k, int64(p.Limit), fn)
			}
			return nil
		}
		if seen[p.NextMarker] {
			return malformed(k.op, "the listing repeats a marker and would never end")
		}
		seen[p.NextMarker] = true
		k.query = with(k.query, "marker", string(p.NextMarker))
	}
	if k.maxPages > 0 {
		return nil
	}
	return malformed(k.op, "the listing does not end")
}

// eachByOffset walks a listing by offset. It goes on by the limit Box returns,
// not by the number of entries, which may be fewer.
func eachByOffset[T any](ctx context.Context, c *client, k call, fn func(T) error) error {
	k.query = with(k.query, "limit", strconv.Itoa(pageSize))
	return fromOffset(ctx, c, k, 0, fn)
}

func fromOffset[T any](ctx context.Context, c *client, k call, offset int64, fn func(T) error) error {
	for offset <= maxOffset {
		k.query = with(k.query, "offset", strconv.FormatInt(offset, 10))
		p, err := each(ctx, c, k, fn)
		if err != nil {
			return err
		}
		if p.TotalCount == nil || p.Limit <= 0 {
			return malformed(k.op, "the listing names no total or no limit")
		}
		if p.last(offset) {
			return nil
		}
		offset += int64(p.Limit)
	}
	return malformed(k.op, "the listing is longer than Box's paging by offset reaches")
}

// with returns a copy of q with one parameter set.
func with(q url.Values, name, value string) url.Values {
	c := url.Values{name: {value}}
	for n, v := range q {
		if n != name {
			c[n] = v
		}
	}
	return c
}
