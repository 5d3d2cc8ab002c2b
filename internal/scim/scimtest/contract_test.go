package scimtest_test

import (
	"crypto/sha256"
	"testing"

	"sendoff/internal/scim/scimtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	scimtest.TestStore(t, func(*testing.T) scimtest.Bed {
		m := scimtest.NewMemory()
		a, b := m.AddSource("a", "token-a"), m.AddSource("b", "token-b")
		return scimtest.Bed{Store: m, Source: a.ID, Other: b.ID, TokenHash: sha256.Sum256([]byte("token-a"))}
	})
}
