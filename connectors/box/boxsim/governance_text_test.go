package boxsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func TestPoliciesKeepTheirDescriptions(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	for path, body := range map[string]obj{
		"/legal_hold_policies": {"policy_name": "Hold", "description": "first"},
		"/retention_policies": {
			"policy_name": "Retention", "description": "first", "policy_type": "finite", "retention_length": "30", "disposition_action": "remove_retention",
		},
	} {
		made := b.do(http.StatusCreated, http.MethodPost, path, body).body
		require.Equal(t, "first", made["description"], path)
		changed := path + "/" + made["id"].(string)
		require.Equal(t, "second", b.do(http.StatusOK, http.MethodPut, changed, obj{"description": "second"}).body["description"], path)
		require.Equal(t, "second", b.get(changed)["description"], path)
	}
}
