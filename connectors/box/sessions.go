package box

import (
	"context"
	"net/http"

	"sendoff/schema"
)

// terminateSessions asks Box to end a user's sessions. Box documents both lists
// as required and answers 202: the job has no id and cannot be asked after
// (https://developer.box.com/reference/post-users-terminate-sessions/).
func (c *client) terminateSessions(ctx context.Context, id schema.ExternalID) error {
	const op = "box.terminate_sessions"
	if id == "" {
		return invalid(op, "the account's id is empty")
	}
	if err := checkIDs(op, id); err != nil {
		return err
	}
	body := struct {
		UserIDs    []string `json:"user_ids"`
		UserLogins []string `json:"user_logins"`
	}{[]string{string(id)}, []string{}}
	return c.do(ctx, call{op: op, method: http.MethodPost, path: "/users/terminate_sessions", body: body, repeatable: true}, nil)
}
