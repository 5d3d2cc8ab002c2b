package scim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"sendoff/schema"
)

// Pages of lists.
const (
	defaultCount = 100
	maxCount     = 200
	maxIndex     = 1 << 31 // what is further on is nothing
)

// query is what a list is asked for, by parameters or by a SearchRequest.
type query struct {
	filter               string
	attributes, excluded string
	start, count         int
}

// listByQuery lists the resources of a type. Parameters that we do not know, such
// as sortBy and Entra's aadOptscim062020, are ignored.
func (c *call) listByQuery(rt *resourceType) error {
	q := c.r.URL.Query()
	start, err := number("startIndex", q.Get("startIndex"), 1)
	if err != nil {
		return err
	}
	count, err := number("count", q.Get("count"), defaultCount)
	if err != nil {
		return err
	}
	return c.list(query{
		filter: q.Get("filter"), start: start, count: count,
		attributes: strings.Join(q["attributes"], ","), excluded: strings.Join(q["excludedAttributes"], ","),
	}, rt)
}

// number reads a whole number that may be absent.
func number(name, s string, absent int) (int, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return absent, nil
	}
	if n, err := strconv.Atoi(s); err == nil {
		return min(n, maxIndex), nil
	}
	if strings.Trim(s, "0123456789") == "" {
		return maxIndex, nil
	}
	return 0, bad(invalidValue, name+" is a whole number")
}

// search lists by a SearchRequest (RFC 7644 section 3.4.3).
func (c *call) search(types ...*resourceType) error {
	b, err := c.read()
	if err != nil {
		return err
	}
	if !hasSchema(b.tree, urnSearch) {
		return bad(invalidSyntax, "schemas must be "+urnSearch)
	}
	q := query{attributes: joined(b.tree, "attributes"), excluded: joined(b.tree, "excludedAttributes")}
	if f, _ := member(b.tree, "filter"); f != nil {
		text, ok := f.(string)
		if !ok {
			return badFilter("the filter is a text")
		}
		q.filter = text
	}
	if q.start, err = number("startIndex", scalar(b.tree, "startIndex"), 1); err != nil {
		return err
	}
	if q.count, err = number("count", scalar(b.tree, "count"), defaultCount); err != nil {
		return err
	}
	return c.list(q, types...)
}

// joined is a list of texts, as a parameter would have it.
func joined(tree map[string]any, name string) string {
	v, _ := member(tree, name)
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var all []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				all = append(all, s)
			}
		}
		return strings.Join(all, ",")
	}
	return ""
}

func scalar(tree map[string]any, name string) string {
	v, _ := member(tree, name)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return string(v)
	}
	return "?" // no number
}

// listResponse is the body of lists; Resources is there even when it is empty.
type listResponse struct {
	Schemas      []string `json:"schemas"`
	TotalResults int      `json:"totalResults"`
	StartIndex   int      `json:"startIndex"`
	ItemsPerPage int      `json:"itemsPerPage"`
	Resources    []any    `json:"Resources"`
}

// list answers with a page over the types, one after the other.
func (c *call) list(q query, types ...*resourceType) error {
	start, count := max(q.start, 1), min(max(q.count, 0), maxCount)
	out := listResponse{Schemas: []string{urnList}, StartIndex: start, Resources: []any{}}
	for _, rt := range types {
		show := rt.projection(q.attributes, q.excluded)
		page, total, err := c.find(rt, q.filter, show, max(start-1-out.TotalResults, 0), count-len(out.Resources))
		if err != nil {
			return err
		}
		for _, r := range page {
			view, err := c.view(rt, r)
			if err != nil {
				return err
			}
			out.Resources = append(out.Resources, show.of(view))
		}
		out.TotalResults += total
	}
	out.ItemsPerPage = len(out.Resources)
	write(c.w, http.StatusOK, out)
	return nil
}

// find finds the resources of a page. What the store cannot select is looked
// through page by page; no more than two pages are held at once.
func (c *call) find(rt *resourceType, raw string, show projection, offset, limit int) (page []schema.SCIMResource, total int, err error) {
	var where node
	if strings.TrimSpace(raw) != "" {
		if where, err = rt.compile(raw, c.common); err != nil {
			return nil, 0, err
		}
	}
	q, exact := rt.pushDown(where)
	q.WithoutMembers = rt.isGroup() && !show.shows("members") && (exact || !mentions(where, "members"))
	if exact {
		q.Offset, q.Limit = offset, max(limit, 1)
		page, total, err = c.store.FindSCIM(c.r.Context(), c.source, rt.kind, q)
		return page[:min(limit, len(page))], total, err
	}
	page, total, err = c.scan(rt, where, q, offset, limit)
	if err == nil && total == 0 && q.Email != "" {
		// The store knows each user's one work address: it may be another one.
		q.Email = ""
		page, total, err = c.scan(rt, where, q, offset, limit)
	}
	return page, total, err
}

// scan holds a filter against all that the store selects.
func (c *call) scan(rt *resourceType, where node, q schema.SCIMQuery, offset, limit int) (page []schema.SCIMResource, total int, err error) {
	q.Limit = maxCount
	for {
		some, _, err := c.store.FindSCIM(c.r.Context(), c.source, rt.kind, q)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range some {
			view, err := c.view(rt, r)
			if err != nil {
				return nil, 0, err
			}
			if !where.match(view) {
				continue
			}
			if total++; total > offset && len(page) < limit {
				page = append(page, r)
			}
		}
		if len(some) < q.Limit {
			return page, total, nil
		}
		q.Offset += len(some)
	}
}
