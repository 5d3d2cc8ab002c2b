package scim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// treeOf is a resource as the operations of a PATCH see it: its body, with the
// members of a group.
func treeOf(r schema.SCIMResource) (map[string]any, error) {
	tree := map[string]any{}
	if len(r.Body) > 0 {
		dec := json.NewDecoder(bytes.NewReader(r.Body))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			return nil, fmt.Errorf("a kept resource cannot be read") //nolint:err113 // its text would quote the resource
		}
	}
	delete(tree, "members")
	if r.Type != schema.SCIMGroup || len(r.Members) == 0 {
		return tree, nil
	}
	members := make([]any, 0, len(r.Members))
	for _, m := range r.Members {
		one := map[string]any{"value": m.Value}
		if m.Display != "" {
			one["display"] = m.Display
		}
		members = append(members, one)
	}
	tree["members"] = members
	return tree, nil
}

// view is a resource as clients see it.
func (c *call) view(rt *resourceType, r schema.SCIMResource) (map[string]any, error) {
	tree, err := treeOf(r)
	if err != nil {
		return nil, err
	}
	schemas := []any{rt.core.ID}
	for _, key := range sorted(tree) {
		if isURN(key) {
			schemas = append(schemas, key)
		}
	}
	if members, ok := tree["members"].([]any); ok {
		for _, m := range members {
			one, _ := m.(map[string]any)
			id, _ := one["value"].(string)
			one["type"], one["$ref"] = string(schema.SCIMUser), c.location(c.user, id)
		}
	}
	tree["schemas"], tree["id"] = schemas, r.ID
	tree["meta"] = map[string]any{
		"resourceType": string(rt.kind), "location": c.location(rt, r.ID), "version": etag(r.Version),
		"created": instant(r.CreatedAt), "lastModified": instant(r.ModifiedAt),
	}
	return tree, nil
}

func (c *call) location(rt *resourceType, id string) string {
	return c.base + "/" + rt.endpoint + "/" + id
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// settle makes a resource of a tree, or says what is wrong with it. What comes to
// the same as before is before.
func (rt *resourceType) settle(before schema.SCIMResource, tree map[string]any) (schema.SCIMResource, error) {
	after := before
	after.Type = rt.kind
	var err error
	if after.Name, err = lookedUp(tree, rt.nameAttr); err != nil {
		return before, err
	}
	if strings.TrimSpace(after.Name) == "" {
		return before, bad(invalidValue, rt.nameAttr+" is needed")
	}
	if strings.ContainsFunc(after.Name, unicode.IsControl) {
		return before, bad(invalidValue, rt.nameAttr+" holds control characters")
	}
	if after.ExternalID, err = lookedUp(tree, "externalId"); err != nil {
		return before, err
	}
	if err := bounded(tree); err != nil {
		return before, err
	}
	after.Active = true
	if rt.isGroup() {
		if after.Members, err = membersOf(tree); err != nil {
			return before, err
		}
		delete(tree, "members")
	} else {
		after.Active, _ = tree["active"].(bool)
		after.Email = workEmail(tree)
	}
	after.Body = encode(tree)
	if len(after.Body) > maxBody {
		return before, bad(invalidValue, "the resource would be larger than 1 MiB")
	}
	if before.ID != "" && sameBody(before, tree) && sameMembers(before.Members, after.Members) {
		return before, nil
	}
	return after, nil
}

// lookedUp is a text that resources are found by.
func lookedUp(tree map[string]any, name string) (string, error) {
	s, _ := tree[name].(string)
	if utf8.RuneCountInString(s) > maxKey {
		return "", bad(invalidValue, name+" is longer than "+strconv.Itoa(maxKey)+" characters")
	}
	return s, nil
}

// bounded checks the lists of a tree: how long they are, and that one value at
// most is primary (RFC 7643 section 2.4).
func bounded(tree map[string]any) error {
	for _, key := range sorted(tree) {
		list, ok := tree[key].([]any)
		if !ok {
			continue
		}
		most := maxValues
		if key == "members" {
			most = maxMembers
		}
		if len(list) > most {
			return bad(invalidValue, "an attribute has more than "+strconv.Itoa(most)+" values")
		}
		primaries := 0
		for _, x := range list {
			if subValue(x, "primary") == true {
				primaries++
			}
		}
		if primaries > 1 {
			return bad(invalidValue, "an attribute has more than one primary value")
		}
	}
	return nil
}

// membersOf reads the members of a group, each once, in the order of their ids.
func membersOf(tree map[string]any) ([]schema.SCIMMember, error) {
	list, _ := tree["members"].([]any)
	seen := make(map[string]bool, len(list))
	out := make([]schema.SCIMMember, 0, len(list))
	for _, x := range list {
		id, _ := subValue(x, "value").(string)
		display, _ := subValue(x, "display").(string)
		if id == "" || len(id) > maxKey || utf8.RuneCountInString(display) > maxKey {
			return nil, bad(invalidValue, "a member needs the id of a user as value")
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, schema.SCIMMember{Value: id, Display: display})
		}
	}
	slices.SortFunc(out, func(a, b schema.SCIMMember) int { return cmp.Compare(a.Value, b.Value) })
	return out, nil
}

func sameMembers(before, after []schema.SCIMMember) bool {
	before = slices.Clone(before)
	slices.SortFunc(before, func(a, b schema.SCIMMember) int { return cmp.Compare(a.Value, b.Value) })
	return slices.Equal(before, after)
}

// sameBody compares what is kept with a tree; a database may write JSON anew.
func sameBody(before schema.SCIMResource, tree map[string]any) bool {
	before.Members = nil
	kept, err := treeOf(before)
	return err == nil && reflect.DeepEqual(kept, tree)
}

// workEmail is the primary work address in lower case, else any work address.
// Addresses of other types are private, or nobody said what for.
func workEmail(tree map[string]any) string {
	list, _ := tree["emails"].([]any)
	found := ""
	for _, x := range list {
		kind, _ := subValue(x, "type").(string)
		value, _ := subValue(x, "value").(string)
		address, err := intake.ParseAddress(value)
		if err != nil || !isWork(kind) {
			continue
		}
		if subValue(x, "primary") == true {
			return address
		}
		if found == "" {
			found = address
		}
	}
	return found
}
