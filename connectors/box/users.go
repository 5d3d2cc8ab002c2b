package box

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// user is Box's User, as far as it is read
// (https://developer.box.com/reference/resources/user--full/).
type user struct {
	ID          text      `json:"id"`
	Login       string    `json:"login"`
	Name        string    `json:"name"`
	Role        string    `json:"role"`
	Status      string    `json:"status"`
	SpaceUsed   *int64    `json:"space_used"`
	SpaceAmount *capacity `json:"space_amount"` // -1 = unlimited
	Enterprise  *ref      `json:"enterprise"`
	AppUser     bool      `json:"is_platform_access_only"`
	CreatedAt   instant   `json:"created_at"`
	Tracking    tracking  `json:"tracking_codes"`
}

func userFields() url.Values {
	return fields("id", "name", "login", "role", "status", "space_used", "space_amount",
		"enterprise", "is_platform_access_only", "created_at", "tracking_codes")
}

// tracking are the tracking codes of a user, by name. They tell and decide
// nothing: what is not a pair of texts is left out
// (https://developer.box.com/reference/resources/tracking-code/).
type tracking map[string]string

type trackingCode struct {
	Name  text `json:"name"`
	Value text `json:"value"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *tracking) UnmarshalJSON(b []byte) error {
	if b[0] != '[' || len(b) == len("[]") {
		return nil
	}
	var codes []trackingCode
	if json.Unmarshal(b, &codes) != nil {
		codes = legibleCodes(b)
	}
	for _, code := range codes {
		if code.Name == "" || code.Value == "" {
			continue
		}
		if *t == nil {
			*t = make(tracking, len(codes))
		}
		(*t)[string(code.Name)] = string(code.Value)
	}
	return nil
}

// legibleCodes are those of a list that can be read.
func legibleCodes(list []byte) []trackingCode {
	var all []json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return nil
	}
	var legible []trackingCode
	for _, raw := range all {
		var code trackingCode
		if json.Unmarshal(raw, &code) == nil {
			legible = append(legible, code)
		}
	}
	return legible
}

// service tells whether the user is an application's automation user, as against
// one of its app users, whose logins end in the same way
// (https://developer.box.com/platform/user-types/).
func (u user) service() bool {
	login := strings.ToLower(u.Login)
	return strings.HasPrefix(login, "automationuser_") || strings.HasSuffix(login, "@boxdevedition.com") && !u.AppUser
}

const opListUsers = "box.list_users"

// eachUser lists managed users, those of other enterprises aside.
func (c *client) eachUser(ctx context.Context, fn func(user) error) error {
	q := with(with(userFields(), "usemarker", "true"), "user_type", "managed")
	return eachByMarker(ctx, c, call{op: opListUsers, path: "/users", query: q}, fn)
}

const opFindUsers = "box.find_users"

// findUsers returns the users with exactly that login. Box's filter_term is a
// prefix of login or name, so every hit is compared. External users are found
// too, so that one can be refused by name.
func (c *client) findUsers(ctx context.Context, login string) ([]user, error) {
	if strings.TrimSpace(login) == "" {
		return nil, invalid(opFindUsers, "the login is empty")
	}
	q := with(with(with(userFields(), "usemarker", "true"), "user_type", "all"), "filter_term", login)
	var found []user
	seen := map[text]bool{} // a listing that changes under way repeats entries
	err := eachByMarker(ctx, c, call{op: opFindUsers, path: "/users", query: q}, func(u user) error {
		if strings.EqualFold(u.Login, login) && (u.ID == "" || !seen[u.ID]) {
			seen[u.ID] = true
			found = append(found, u)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

const opReadUser = "box.read_user"

func (c *client) readUser(ctx context.Context, id schema.ExternalID) (user, error) {
	path, err := userPath(opReadUser, id, "")
	if err != nil {
		return user{}, err
	}
	var u user
	if err := c.do(ctx, call{op: opReadUser, path: path, query: userFields()}, &u); err != nil {
		return user{}, err
	}
	if u.ID.id() != id {
		return user{}, malformed(opReadUser, "the answer is about another account")
	}
	return u, nil
}

// setStatus changes a user's status (PUT: Box has no PATCH for users).
func (c *client) setStatus(ctx context.Context, id schema.ExternalID, status string) error {
	const op = "box.set_status"
	path, err := userPath(op, id, "")
	if err != nil {
		return err
	}
	if status == "" {
		return invalid(op, "the status is empty")
	}
	body := struct {
		Status string `json:"status"`
	}{status}
	return c.do(ctx, call{op: op, method: http.MethodPut, path: path, query: fields("id", "status"), body: body}, nil)
}

// setRole makes a user a co-admin or a plain user. Nobody is made the primary
// admin by the API (https://developer.box.com/reference/put-users-id/).
func (c *client) setRole(ctx context.Context, id schema.ExternalID, role schema.AccountRole) error {
	const op = "box.set_role"
	path, err := userPath(op, id, "")
	if err != nil {
		return err
	}
	word := map[schema.AccountRole]string{schema.RoleMember: "user", schema.RoleCoadmin: "coadmin"}[role]
	if word == "" {
		return invalid(op, "Box's API gives the roles user and coadmin alone")
	}
	body := struct {
		Role string `json:"role"`
	}{word}
	return c.do(ctx, call{op: op, method: http.MethodPut, path: path, query: fields("id", "role"), body: body}, nil)
}

const opDeleteUser = "box.delete_user"

// deleteUser deletes a user who owns nothing; Box refuses otherwise, which is
// the last guard of content and is never overridden
// (https://developer.box.com/reference/delete-users-id/).
func (c *client) deleteUser(ctx context.Context, id schema.ExternalID) error {
	k, err := deleteCall(id)
	if err != nil {
		return err
	}
	return c.do(ctx, k, nil)
}

// prepareDelete is deleteUser up to its send.
func (c *client) prepareDelete(ctx context.Context, id schema.ExternalID) (*httpx.OneShot, error) {
	k, err := deleteCall(id)
	if err != nil {
		return nil, err
	}
	return c.http.Prepare(ctx, k.request())
}

func deleteCall(id schema.ExternalID) (call, error) {
	path, err := userPath(opDeleteUser, id, "")
	return call{op: opDeleteUser, method: http.MethodDelete, path: path, query: url.Values{"notify": {"false"}}}, err
}
