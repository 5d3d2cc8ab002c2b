package scim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sendoff/schema"
)

// get answers with one resource.
func (c *call) get(rt *resourceType, id string) error {
	show := c.showing(rt, c.r.URL.Query())
	r, err := c.readOne(rt, id, show)
	if err != nil {
		return err
	}
	if c.sameVersion(r.Version) {
		c.w.Header().Set("ETag", etag(r.Version))
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.answer(http.StatusOK, rt, r, show)
}

// readOne reads a resource; of a group without its members when nobody will see
// them.
func (c *call) readOne(rt *resourceType, id string, show projection) (schema.SCIMResource, error) {
	if !rt.isGroup() || show.shows("members") {
		return c.store.ReadSCIM(c.r.Context(), c.source, rt.kind, id)
	}
	page, _, err := c.store.FindSCIM(c.r.Context(), c.source, rt.kind, schema.SCIMQuery{ID: id, Limit: 1, WithoutMembers: true})
	if err != nil {
		return schema.SCIMResource{}, err
	}
	if len(page) == 0 {
		return schema.SCIMResource{}, c.unknown()
	}
	return page[0], nil
}

func (c *call) answer(status int, rt *resourceType, r schema.SCIMResource, show projection) error {
	view, err := c.view(rt, r)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", etag(r.Version))
	c.w.Header().Set("Location", c.location(rt, r.ID))
	write(c.w, status, show.of(view))
	return nil
}

// create makes a resource. active is true unless it says else.
func (c *call) create(rt *resourceType) error {
	b, err := c.resourceBody(rt)
	if err != nil {
		return err
	}
	return c.write(rt, http.StatusCreated, Write{Raw: b.raw}, func(before schema.SCIMResource) (schema.SCIMResource, error) {
		tree, err := rt.canonical(b.tree, c.common)
		if err != nil {
			return before, err
		}
		if _, said := tree["active"]; !said && !rt.isGroup() {
			tree["active"] = true
		}
		return rt.settle(before, tree)
	})
}

// put replaces a resource. A body that does not say active leaves it as it was:
// silence neither ends an employment nor brings anybody back.
func (c *call) put(rt *resourceType, id string) error {
	b, err := c.resourceBody(rt)
	if err != nil {
		return err
	}
	return c.change(rt, id, b.raw, func(before schema.SCIMResource) (schema.SCIMResource, error) {
		tree, err := rt.canonical(b.tree, c.common)
		if err != nil {
			return before, err
		}
		if _, said := tree["active"]; !said && !rt.isGroup() {
			tree["active"] = before.Active
		}
		return rt.settle(before, tree)
	})
}

// patch applies operations: all, or none.
func (c *call) patch(rt *resourceType, id string) error {
	b, err := c.read()
	if err != nil {
		return err
	}
	ops, err := rt.operations(b.tree)
	if err != nil {
		return err
	}
	return c.change(rt, id, b.raw, func(before schema.SCIMResource) (schema.SCIMResource, error) {
		tree, err := treeOf(before)
		if err != nil {
			return before, err
		}
		if tree, err = rt.patched(tree, ops, c.common); err != nil {
			return before, err
		}
		return rt.settle(before, tree)
	})
}

// delete removes a resource; of a user that is the end of the employment.
func (c *call) delete(rt *resourceType, id string) error {
	version, err := c.ifVersion(rt, id)
	if err != nil {
		return err
	}
	_, err = c.store.WriteSCIM(c.r.Context(), Write{
		SourceID: c.source, Type: rt.kind, ID: id, IfVersion: version, Delete: true, Tell: Tell, Raw: []byte{},
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// resourceBody reads the body of POST and PUT, and checks it before anything is
// locked.
func (c *call) resourceBody(rt *resourceType) (body, error) {
	b, err := c.read()
	if err != nil {
		return body{}, err
	}
	if !hasSchema(b.tree, rt.core.ID) {
		return body{}, bad(invalidSyntax, "schemas must hold "+rt.core.ID)
	}
	_, err = rt.canonical(b.tree, c.common)
	return b, err
}

func (c *call) change(rt *resourceType, id string, raw []byte, change func(schema.SCIMResource) (schema.SCIMResource, error)) error {
	version, err := c.ifVersion(rt, id)
	if err != nil {
		return err
	}
	return c.write(rt, http.StatusOK, Write{ID: id, IfVersion: version, Raw: raw}, change)
}

// write hands a change to the store, which may call it more than once. A fault of
// the change's own is answered whatever the store makes of it.
func (c *call) write(rt *resourceType, status int, w Write, change func(schema.SCIMResource) (schema.SCIMResource, error)) error {
	var refused error
	w.SourceID, w.Type, w.Tell = c.source, rt.kind, Tell
	w.Change = func(before schema.SCIMResource) (schema.SCIMResource, error) {
		after, err := change(before)
		refused = err
		return after, err
	}
	r, err := c.store.WriteSCIM(c.r.Context(), w)
	if refused != nil {
		return refused
	}
	if err != nil {
		return err
	}
	return c.answer(status, rt, r, c.showing(rt, c.r.URL.Query()))
}

func (c *call) showing(rt *resourceType, q url.Values) projection {
	return rt.projection(strings.Join(q["attributes"], ","), strings.Join(q["excludedAttributes"], ","))
}

// sameVersion tells whether the caller has this version already.
func (c *call) sameVersion(version int64) bool {
	for _, v := range versions(c.r.Header.Values("If-None-Match")) {
		if v == version || v == anyVersion {
			return true
		}
	}
	return false
}

const (
	anyVersion = 0  // of *
	noVersion  = -1 // of a tag that is none of ours: no resource has it
)

// ifVersion is the version that If-Match wants. Of several the one that the
// resource has counts.
func (c *call) ifVersion(rt *resourceType, id string) (int64, error) {
	wanted := versions(c.r.Header.Values("If-Match"))
	switch len(wanted) {
	case 0:
		return anyVersion, nil
	case 1:
		return wanted[0], nil
	}
	r, err := c.store.ReadSCIM(c.r.Context(), c.source, rt.kind, id)
	if err != nil {
		return 0, err
	}
	for _, v := range wanted {
		if v == r.Version || v == anyVersion {
			return r.Version, nil
		}
	}
	return noVersion, nil
}

// versions reads a list of entity tags, weak or strong.
func versions(headers []string) []int64 {
	var out []int64
	for _, tag := range strings.Split(strings.Join(headers, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "" {
			continue
		}
		if tag == "*" {
			out = append(out, anyVersion)
			continue
		}
		n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64)
		if err != nil || n < 1 {
			n = noVersion
		}
		out = append(out, n)
	}
	return out
}
