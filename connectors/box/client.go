package box

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// client speaks Box's API, version 2.0.
type client struct {
	http *httpx.Client
}

// call is one request in Box's terms.
type call struct {
	op     string
	method string // "" = GET
	path   string // below /2.0
	query  url.Values
	body   any
	asUser schema.ExternalID // "" = the token's own user
	// repeatable marks a POST that may be repeated with a fresh token.
	repeatable bool
	// maxPages ends a listing by marker early, where a look suffices; 0 = read it all.
	maxPages int
}

func (c call) request() httpx.Request {
	r := httpx.Request{
		Op: c.op, Method: c.method, Path: "/2.0" + c.path, Query: c.query, Body: c.body,
		ActsAs: c.asUser, Idempotent: c.repeatable,
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if c.asUser != "" {
		// https://developer.box.com/guides/authentication/jwt/as-user/
		r.Header = http.Header{"As-User": {string(c.asUser)}}
	}
	return r
}

func (c *client) do(ctx context.Context, k call, out any) error {
	if err := checkIDs(k.op, k.asUser); err != nil {
		return err
	}
	return c.http.Do(ctx, k.request(), out)
}

// fields asks for exactly these fields: what Box answers without the parameter
// lacks role and enterprise, and with it lacks whatever is not named.
func fields(names ...string) url.Values {
	return url.Values{"fields": {strings.Join(names, ",")}}
}

// text is a JSON string, also where Box writes a number instead (some of its
// ids and markers), or null.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if plainText(b) {
		*t = text(b[1 : len(b)-1])
		return nil
	}
	if len(b) > 0 && (b[0] == '"' || b[0] == 'n') {
		var s string
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if strings.ContainsAny(n.String(), ".eE") {
		return &json.UnmarshalTypeError{Value: "number", Field: "id"}
	}
	*t = text(n)
	return nil
}

// plainText tells whether a JSON value is a text that stands for itself, as ids
// do. Listings hold so many of them that the detour through the decoder shows.
func plainText(b []byte) bool {
	if len(b) < 2 || b[0] != '"' {
		return false
	}
	for _, c := range b[1 : len(b)-1] {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// number is a JSON integer, also where Box writes a string instead (the limit of
// folder locks), or null.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil || t == "" {
		return err
	}
	v, err := strconv.ParseInt(string(t), 10, 64)
	*n = number(v)
	return err
}

// capacity is a number of bytes that may stand for no limit: what Box writes for
// unlimited accounts is not documented, so that one that is too large for us is
// the largest there is.
type capacity int64

// UnmarshalJSON implements json.Unmarshaler.
func (c *capacity) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(string(b), 10, 64)
	if errors.Is(err, strconv.ErrRange) && b[0] != '-' {
		v, err = math.MaxInt64, nil
	}
	*c = capacity(v)
	return err
}

// instant is a time that tells, and decides nothing: one that cannot be read is
// unknown, and no reason to refuse what it stands in.
type instant time.Time

// UnmarshalJSON implements json.Unmarshaler.
func (i *instant) UnmarshalJSON(b []byte) error {
	if !plainText(b) {
		return nil
	}
	if t, err := time.Parse(time.RFC3339, string(b[1:len(b)-1])); err == nil {
		*i = instant(t)
	}
	return nil
}

func (t text) id() schema.ExternalID { return schema.ExternalID(t) }

// ref is a nested object of which only the id matters.
type ref struct {
	ID text `json:"id"`
}

func (r *ref) id() schema.ExternalID {
	if r == nil {
		return ""
	}
	return r.ID.id()
}

// checkIDs refuses ids that could change the meaning of a path or a header. An
// empty one is allowed where the caller means none.
func checkIDs(op string, ids ...schema.ExternalID) error {
	for _, id := range ids {
		for _, r := range id {
			if r > 'z' || !('a' <= r || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-') {
				return invalid(op, "the id holds characters that no Box id has")
			}
		}
	}
	return nil
}

// userPath is the path of an account, with rest behind it.
func userPath(op string, id schema.ExternalID, rest string) (string, error) {
	if id == "" {
		return "", invalid(op, "the account's id is empty")
	}
	if err := checkIDs(op, id); err != nil {
		return "", err
	}
	return "/users/" + string(id) + rest, nil
}

// itemPath is the path of a file, folder or web link, with rest behind it.
func itemPath(op string, item schema.Witness, rest string) (string, error) {
	var collection string
	switch item.Type {
	case "file", "folder", "web_link":
		collection = item.Type + "s"
	default:
		return "", invalid(op, "the item is neither file, folder nor web link")
	}
	if item.ID == "" {
		return "", invalid(op, "the item's id is empty")
	}
	if err := checkIDs(op, item.ID); err != nil {
		return "", err
	}
	return "/" + collection + "/" + string(item.ID) + rest, nil
}

func invalid(op, detail string) error {
	return &connectors.Error{Kind: connectors.Invalid, Op: op, Detail: detail}
}

func malformed(op, detail string) error {
	return &connectors.Error{Kind: connectors.Malformed, Op: op, Sent: true, Detail: detail}
}
