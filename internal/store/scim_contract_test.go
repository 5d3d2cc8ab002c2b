package store_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/scim/scimtest"
	"sendoff/schema"
)

func TestSCIMContract(t *testing.T) {
	t.Parallel()
	scimtest.TestStore(t, func(t *testing.T) scimtest.Bed {
		b := setup(t)
		bed := scimtest.Bed{
			Store: b.Store, Source: b.source("okta", schema.SourceSCIM).ID, Other: b.source("entra", schema.SourceSCIM).ID, TokenHash: sha256.Sum256([]byte("t")),
		}
		_, err := b.CreateSourceToken(t.Context(), "okta", bed.TokenHash, time.Time{}, b.admin)
		require.NoError(t, err)
		return bed
	})
}
