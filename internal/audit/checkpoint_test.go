package audit_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"sendoff/internal/audit"
)

func TestOpenCheckpoint(t *testing.T) {
	t.Parallel()
	signer, other := newSigner(t, 1), newSigner(t, 2)
	want := audit.Checkpoint{Origin: signer.Origin(), Size: 15, Root: [32]byte{7}, Time: start()}
	signed, err := signer.Sign(want)
	require.NoError(t, err)
	got, err := audit.OpenCheckpoint(signed, signer.VerifierKey())
	require.NoError(t, err)
	require.Equal(t, want, got)

	t.Run("refuses any changed, missing or added byte", func(t *testing.T) {
		t.Parallel()
		for i := range signed {
			for bit := range 8 {
				bad := slices.Clone(signed)
				bad[i] ^= 1 << bit
				_, err := audit.OpenCheckpoint(bad, signer.VerifierKey())
				require.Error(t, err, "byte %d, bit %d", i, bit)
			}
			_, err := audit.OpenCheckpoint(slices.Delete(slices.Clone(signed), i, i+1), signer.VerifierKey())
			require.Error(t, err, "without byte %d", i)
			_, err = audit.OpenCheckpoint(slices.Insert(slices.Clone(signed), i, ' '), signer.VerifierKey())
			require.Error(t, err, "a space before byte %d", i)
		}
	})

	t.Run("refuses the signature of another key under the same name", func(t *testing.T) {
		t.Parallel()
		forged, err := other.Sign(want)
		require.NoError(t, err)
		_, err = audit.OpenCheckpoint(forged, signer.VerifierKey())
		require.Error(t, err)
		_, err = audit.OpenCheckpoint(signed, other.VerifierKey())
		require.Error(t, err)
	})

	t.Run("refuses a second signature beside the good one", func(t *testing.T) {
		t.Parallel()
		forged, err := other.Sign(want)
		require.NoError(t, err)
		_, second, ok := strings.Cut(string(forged), "\n\n")
		require.True(t, ok)
		both := append(slices.Clone(signed), second...)
		verifier, err := note.NewVerifier(signer.VerifierKey())
		require.NoError(t, err)
		_, err = note.Open(both, note.VerifierList(verifier))
		require.NoError(t, err, "as a note it is good")
		_, err = audit.OpenCheckpoint(both, signer.VerifierKey())
		require.ErrorContains(t, err, "exactly one signature")
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	h := sample(f)
	signed := h.store.checkpoints[len(h.store.checkpoints)-1]
	key := h.signer.VerifierKey()
	f.Add(signed)
	f.Add(signed[:len(signed)/2])
	f.Add([]byte("audit.example.com\n0\n\n\n\n"))
	f.Add(append(slices.Clone(signed), '\n'))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := audit.OpenCheckpoint(data, key)
		if err == nil && !bytes.Equal(data, signed) {
			t.Fatalf("a checkpoint that was never signed is accepted: %q", data)
		}
	})
}

// BenchmarkVerify verifies 20,000 records, about 10 MB, made while they are read:
// bytes allocated for each record must not depend on how many there are.
func BenchmarkVerify(b *testing.B) {
	const records = 20_000
	b.ReportAllocs()
	for b.Loop() {
		src := &generated{signer: newSigner(b, 1), records: records}
		pr, pw := io.Pipe()
		go func() {
			info := audit.ExportInfo{Origin: src.signer.Origin(), VerifierKey: src.signer.VerifierKey(), At: start()}
			pw.CloseWithError(audit.Export(b.Context(), info, src, pw))
		}()
		report, err := audit.Verify(pr, src.signer.VerifierKey(), nil)
		require.NoError(b, err)
		require.True(b, report.OK())
	}
}
