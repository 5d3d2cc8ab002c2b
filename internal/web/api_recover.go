package web

import (
	"context"
	"net/http"
	"strings"

	"sendoff/schema"
)

// registerRecover lists what brings an installation back after a restore.
func (s *server) registerRecover() {
	handle(s, route{
		id: "allow-connection-writes", method: http.MethodPost, path: "/v1/connections/{name}/allow-writes", roles: adminsOnly(),
		summary: "Let a read-only connection write, as after a recovery; needs a reason",
	}, func(ctx context.Context, by schema.Principal, in *reasonInput) (*connectionOutput, error) {
		if err := reasonFault(in.Body.Reason); err != nil {
			return nil, err
		}
		c, err := s.store.AllowConnectionWrites(ctx, in.Name, strings.TrimSpace(in.Body.Reason), by)
		return &connectionOutput{Body: connectionOf(c)}, err
	})
}
