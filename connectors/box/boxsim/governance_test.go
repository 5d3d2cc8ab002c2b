package boxsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func TestPoliciesNeedTheirScope(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	require.Empty(t, entries(b.get("/legal_hold_policies")))
	hold := b.sim.AddLegalHoldPolicy("Litigation")
	b.sim.AddRetentionPolicy("Seven years")
	require.Len(t, entries(b.get("/legal_hold_policies")), 1)
	require.Len(t, entries(b.get("/retention_policies")), 1)
	require.Empty(t, entries(b.get("/legal_hold_policy_assignments?policy_id="+hold)))

	require.NoError(t, b.sim.SetSwitches(boxsim.Switches{NoGovernanceScope: true}))
	for _, path := range []string{"/legal_hold_policies", "/legal_hold_policy_assignments?policy_id=" + hold, "/retention_policies"} {
		refused := b.do(http.StatusForbidden, http.MethodGet, path, nil)
		require.Equal(t, "insufficient_scope", refused.body["code"])
	}
}

func TestLegalHoldsAreAppliedReadAndReleased(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 400})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	policy := b.do(http.StatusCreated, http.MethodPost, "/legal_hold_policies", obj{"policy_name": "Litigation"}).body["id"].(string)
	b.do(http.StatusConflict, http.MethodPost, "/legal_hold_policies", obj{"policy_name": "litigation"})
	require.Equal(t, "applying", b.get("/legal_hold_policies/" + policy)["status"])
	b.eventually(func() bool { return b.get("/legal_hold_policies/" + policy)["status"] == "active" })

	hold := obj{"policy_id": policy, "assign_to": obj{"type": "ownership", "id": ann}}
	id := b.do(http.StatusCreated, http.MethodPost, "/legal_hold_policy_assignments", hold).body["id"].(string)
	b.do(http.StatusConflict, http.MethodPost, "/legal_hold_policy_assignments", hold)
	b.do(http.StatusBadRequest, http.MethodPost, "/legal_hold_policy_assignments", obj{"policy_id": policy, "assign_to": obj{"type": "user", "id": "1"}})
	for _, kind := range []string{"user", "interactions"} {
		b.do(http.StatusCreated, http.MethodPost, "/legal_hold_policy_assignments", obj{"policy_id": policy, "assign_to": obj{"type": kind, "id": bob}})
	}
	require.EqualValues(t, 1, b.get("/legal_hold_policies/" + policy)["assignment_counts"].(obj)["ownership"])

	list := "/legal_hold_policy_assignments?policy_id=" + policy
	found := entries(b.get(list + "&assign_to_type=ownership&assign_to_id=" + ann))
	require.Len(t, found, 1)
	require.Equal(t, obj{"type": "ownership", "id": ann}, found[0]["assigned_to"])
	require.Empty(t, entries(b.get(list+"&assign_to_type=user&assign_to_id="+ann)))
	first := b.get(list + "&limit=1")
	require.NotContains(t, first, "total_count", "holds page by marker alone")
	require.Len(t, entries(b.get(list+"&limit=2&marker="+first["next_marker"].(string))), 2)
	b.do(http.StatusBadRequest, http.MethodGet, "/legal_hold_policy_assignments", nil)
	b.do(http.StatusBadRequest, http.MethodGet, list+"&assign_to_type=people", nil)
	require.Len(t, entries(b.get("/legal_hold_policy_assignments/"+id+"/files_on_hold")), 4)

	b.do(http.StatusAccepted, http.MethodDelete, "/legal_hold_policy_assignments/"+id, nil)
	require.Len(t, entries(b.get(list+"&assign_to_type=ownership")), 1, "a release takes time")
	b.eventually(func() bool { return len(entries(b.get(list+"&assign_to_type=ownership"))) == 0 })
	b.do(http.StatusAccepted, http.MethodDelete, "/legal_hold_policies/"+policy, nil)
	require.Equal(t, "releasing", b.get("/legal_hold_policies/" + policy)["status"])
	b.eventually(func() bool { return b.get("/legal_hold_policies/" + policy)["status"] == "released" })
}

func TestRetentionPoliciesAndTheirAssignments(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann := b.user("Ann")
	work := b.folder(ann, "", "Work")
	b.file(ann, work, "a.docx", 10)
	file := b.file(ann, work, "b.docx", 10)
	policy := b.do(http.StatusCreated, http.MethodPost, "/retention_policies", obj{
		"policy_name": "Seven years", "policy_type": "finite", "disposition_action": "permanently_delete", "retention_length": 2555,
	}).body["id"].(string)
	id := b.do(http.StatusCreated, http.MethodPost, "/retention_policy_assignments", obj{
		"policy_id": policy, "assign_to": obj{"type": "folder", "id": work},
	}).body["id"].(string)
	require.Len(t, entries(b.get("/retention_policies/"+policy+"/assignments?type=folder")), 1)
	require.Len(t, entries(b.get("/retention_policy_assignments/"+id+"/files_under_retention")), 2)

	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, asUser(ann))
	b.do(http.StatusForbidden, http.MethodDelete, "/files/"+file+"/trash", nil, asUser(ann))
	b.do(http.StatusForbidden, http.MethodDelete, "/retention_policies/"+policy, nil)
	require.Equal(t, "retired", b.do(http.StatusOK, http.MethodPut, "/retention_policies/"+policy, obj{"status": "retired"}).body["status"])
	b.do(http.StatusForbidden, http.MethodDelete, "/files/"+file+"/trash", nil, asUser(ann))
	b.do(http.StatusNoContent, http.MethodDelete, "/retention_policy_assignments/"+id, nil)
	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file+"/trash", nil, asUser(ann))
	b.do(http.StatusNoContent, http.MethodDelete, "/retention_policies/"+policy, nil)
}

// Any policy that still binds turns a forced delete of content into a refusal,
// even one that has nothing to do with the account.
func TestForcedDeleteAgainstPolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, status string
		want         int
	}{
		{"legal_hold_policy", "active", http.StatusForbidden},
		{"legal_hold_policy", "releasing", http.StatusForbidden},
		{"legal_hold_policy", "released", http.StatusNoContent},
		{"retention_policy", "active", http.StatusForbidden},
		{"retention_policy", "retired", http.StatusForbidden},
	} {
		t.Run(c.kind+" "+c.status, func(t *testing.T) {
			t.Parallel()
			b := setup(t, boxsim.Config{})
			ann := b.leaver("Ann")
			b.control(200, http.MethodPost, "/policies", obj{"kind": c.kind, "name": "Any", "status": c.status})
			b.do(c.want, http.MethodDelete, "/users/"+ann+"?force=true", nil)
		})
	}
}
