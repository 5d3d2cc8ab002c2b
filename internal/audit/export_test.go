package audit_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
)

func TestExport(t *testing.T) {
	t.Parallel()
	info := audit.ExportInfo{Origin: "audit.example.com", VerifierKey: newSigner(t, 1).VerifierKey(), At: start()}

	t.Run("pages through more than its source gives at once", func(t *testing.T) {
		t.Parallel()
		h := newHistory(t)
		h.add("case/long", 1203)
		h.seal()
		h.add("case/long", 700)
		h.add("case/other", 600)
		report := h.verify(h.export(), nil)
		require.Empty(t, report.Problems)
		require.Equal(t, int64(1203), report.Sealed)
		require.Equal(t, int64(1300), report.Unsealed)
	})

	t.Run("refuses a body that would not survive as text", func(t *testing.T) {
		t.Parallel()
		store := &memStore{}
		store.commit(audit.Next(audit.Head{}, audit.SystemStream, []byte{0xff}))
		require.ErrorContains(t, audit.Export(t.Context(), info, store, io.Discard), "not UTF-8")
	})

	t.Run("needs to say whose log it is", func(t *testing.T) {
		t.Parallel()
		require.ErrorContains(t, audit.Export(t.Context(), audit.ExportInfo{}, &memStore{}, io.Discard), "origin")
	})

	t.Run("says when the file cannot be written", func(t *testing.T) {
		t.Parallel()
		full := errors.New("disk full")
		h := sample(t)
		require.ErrorIs(t, audit.Export(t.Context(), info, h.store, &failing{after: 10, err: full}), full)
	})

	t.Run("gives the same bytes for the same history", func(t *testing.T) {
		t.Parallel()
		h := sample(t)
		first := h.export()
		require.Equal(t, first, h.export())
		report, err := audit.Verify(iotest.OneByteReader(bytes.NewReader(first)), h.signer.VerifierKey(), nil)
		require.NoError(t, err)
		require.True(t, report.OK())
	})
}

// failing is a writer that fails after some writes.
type failing struct {
	after int
	err   error
}

func (f *failing) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return len(b), nil
}
