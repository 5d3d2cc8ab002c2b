package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestDraftLeavesOutShadows: a read-only connection beside one that may write to
// the same enterprise neither makes a second plan nor refuses the first.
func TestDraftLeavesOutShadows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alone := b.draft(request("suspend"))[0]
	writer := alone.Accounts[0].Connection
	_, err := b.CreateConnection(t.Context(), schema.Connection{
		Name: "reports", Vendor: writer.Vendor, BaseURL: writer.BaseURL, TokenURL: writer.TokenURL,
		ClientID: "ro", EnterpriseID: writer.EnterpriseID, ReadOnly: true,
	}, "hunter2", b.admin)
	require.NoError(t, err)
	beside := b.draft(request("suspend"))[0]
	require.Len(t, beside.Accounts, 1)
	require.Empty(t, beside.AllFindings())
	require.Equal(t, alone.Hash, beside.Hash)
}
