package store_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// since verifies the log against a checkpoint kept from earlier.
func (b *bundle) since(kept audit.Checkpoint) []audit.ProblemKind {
	b.t.Helper()
	var file bytes.Buffer
	require.NoError(b.t, b.ExportAudit(b.t.Context(), &file))
	report, err := audit.Verify(&file, b.signer.VerifierKey(), &kept)
	require.NoError(b.t, err)
	var kinds []audit.ProblemKind
	for _, p := range report.Problems {
		kinds = append(kinds, p.Kind)
	}
	return kinds
}

// restoreAudit brings the log's tables back to what they were at a checkpoint.
func (b *bundle) restoreAudit(at audit.Checkpoint) {
	b.t.Helper()
	b.exec(`delete from audit_checkpoint where size > $1`, at.Size)
	b.exec(`delete from audit_node where index >= $1`, tlog.StoredHashIndex(0, at.Size))
	b.exec(`delete from audit_leaf where index >= $1`, at.Size)
	b.exec(`delete from audit_pending`)
	b.exec(`delete from audit_record r where not exists (select 1 from audit_leaf l where l.stream = r.stream and l.seq = r.seq)`)
}

// work makes records.
func (b *bundle) work(reason string) {
	b.t.Helper()
	for _, paused := range []bool{true, false} {
		_, err := b.SetSwitch(b.t.Context(), schema.Switch{Paused: paused, Reason: reason}, b.admin)
		require.NoError(b.t, err)
	}
}

func TestARestoredBackupOfTheLogIsFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.work("before the backup")
	b.seal()
	backup := *b.verify().Latest
	b.work("after the backup")
	b.seal()
	kept := *b.verify().Latest
	require.Greater(t, kept.Size, backup.Size)
	require.Empty(t, b.since(kept))

	b.restoreAudit(backup)
	require.Empty(t, b.verify().Problems, "alone it looks like a shorter log")
	require.Equal(t, []audit.ProblemKind{audit.ProblemSince}, b.since(kept), "shorter than the checkpoint")
	require.Empty(t, b.since(backup))

	b.recover()
	for range 3 {
		b.work("history that forked")
	}
	b.seal()
	require.Greater(t, b.verify().Latest.Size, kept.Size)
	require.Empty(t, b.verify().Problems, "alone it looks like a whole log")
	require.Equal(t, []audit.ProblemKind{audit.ProblemSince}, b.since(kept), "longer, and another history")
	require.Empty(t, b.since(backup))
}

// Somebody who owns the database, and not the key, edits a record and computes
// anew whatever can be computed: the chain, the leaves, the tree.
func TestALogComputedAnewInTheDatabaseIsFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.work("what was")
	b.seal()
	require.Empty(t, b.verify().Problems)
	b.forgeSystem("what was", "what is")

	var kinds []audit.ProblemKind
	for _, p := range b.verify().Problems {
		kinds = append(kinds, p.Kind)
	}
	require.Contains(t, kinds, audit.ProblemCheckpoint)
	require.Contains(t, kinds, audit.ProblemUnproven)
	require.NotContains(t, kinds, audit.ProblemRecord)
	require.NotContains(t, kinds, audit.ProblemChain)

	b.work("later")
	sealer, err := audit.NewSealer(audit.SealerConfig{Store: b.Store, Signer: b.signer})
	require.NoError(t, err)
	_, err = sealer.SealPending(t.Context())
	require.ErrorIs(t, err, audit.ErrDiverged, "the engine signs nothing on top of it")
}

// forgeSystem replaces a text in the system's stream and rebuilds chain, leaves
// and tree nodes.
func (b *bundle) forgeSystem(old, forged string) {
	b.t.Helper()
	ctx, conn := b.t.Context(), b.sql()
	type row struct {
		Stream string
		Seq    int64
		Body   []byte
	}
	var rows []row
	found, err := conn.Query(ctx, `select r.stream, r.seq, r.body from audit_leaf l join audit_record r using (stream, seq) order by l.index`)
	require.NoError(b.t, err)
	for found.Next() {
		var r row
		require.NoError(b.t, found.Scan(&r.Stream, &r.Seq, &r.Body))
		rows = append(rows, r)
	}
	require.NoError(b.t, found.Err())
	heads := map[string]audit.Head{}
	var nodes []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			out[i] = nodes[n]
		}
		return out, nil
	})
	for i, r := range rows {
		record := audit.Next(heads[r.Stream], r.Stream, bytes.Replace(r.Body, []byte(old), []byte(forged), 1))
		heads[r.Stream] = record.Head()
		b.exec(`update audit_record set prev_hash = $3, hash = $4, body = $5 where stream = $1 and seq = $2`,
			r.Stream, r.Seq, record.PrevHash[:], record.Hash[:], record.Body)
		b.exec(`update audit_leaf set hash = $2 where index = $1`, i, record.Hash[:])
		more, err := tlog.StoredHashes(int64(i), record.Hash[:], read)
		require.NoError(b.t, err)
		nodes = append(nodes, more...)
	}
	for i, n := range nodes {
		b.exec(`update audit_node set hash = $2 where index = $1`, i, n[:])
	}
}
