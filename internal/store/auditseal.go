package store

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"sendoff/internal/audit"
	"sendoff/schema"
)

var (
	_ audit.SealStore    = (*Store)(nil)
	_ audit.SealTx       = sealTx{}
	_ audit.ExportSource = exportSource{}
)

// Seal runs fn in a transaction that holds the sealer's lock; it returns
// audit.ErrSealerBusy without waiting when another process holds it.
func (s *Store) Seal(ctx context.Context, fn func(ctx context.Context, tx audit.SealTx) error) error {
	return s.inTx(ctx, "seal the audit log", func(ctx context.Context, t *tx) error {
		locked, err := scalar[bool](ctx, t, `select pg_try_advisory_xact_lock(hashtextextended('audit sealer', 0))`, nil)
		if err != nil {
			return err
		}
		if !locked {
			return audit.ErrSealerBusy
		}
		return fn(ctx, sealTx{t})
	})
}

// sealTx is the sealer's view of a transaction.
type sealTx struct{ t *tx }

func (s sealTx) Latest(ctx context.Context) ([]byte, error) {
	notes, err := scalars[string](ctx, s.t, `select note from audit_checkpoint order by size desc limit 1`, nil)
	if err != nil || len(notes) == 0 {
		return nil, err
	}
	return []byte(notes[0]), nil
}

// hashedRow is a record without its body, as read and written in bulk.
type hashedRow struct {
	Stream string
	Seq    int64
	Hash   []byte
}

func (s sealTx) Unsealed(ctx context.Context, limit int) ([]audit.Pending, error) {
	rows, err := all[hashedRow](ctx, s.t, `select p.stream, p.seq, r.hash
		from audit_pending p join audit_record r on r.stream = p.stream and r.seq = p.seq
		order by p.stream, p.seq limit @limit`, args{"limit": limit})
	if err != nil {
		return nil, err
	}
	pending := make([]audit.Pending, len(rows))
	for i, r := range rows {
		pending[i] = audit.Pending{Stream: r.Stream, Seq: r.Seq, Hash: audit.Hash(r.Hash)}
	}
	return pending, nil
}

func (s sealTx) ReadHashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	rows, err := scalars[[]byte](ctx, s.t, `select n.hash
		from unnest(@indexes::bigint[]) with ordinality as i(index, place)
		join audit_node n on n.index = i.index order by i.place`, args{"indexes": indexes})
	if err != nil {
		return nil, err
	}
	hashes := make([]tlog.Hash, len(rows))
	for i, r := range rows {
		hashes[i] = tlog.Hash(r)
	}
	return hashes, nil
}

func (s sealTx) AppendLeaves(ctx context.Context, leaves []audit.Leaf) error {
	n := len(leaves)
	indexes, streams, seqs, hashes := make([]int64, n), make([]string, n), make([]int64, n), make([][]byte, n)
	for i, l := range leaves {
		indexes[i], streams[i], seqs[i], hashes[i] = l.Index, l.Stream, l.Seq, l.Hash[:]
	}
	return s.t.run(ctx, `with added as (
			insert into audit_leaf (index, stream, seq, hash)
			select index, stream, seq, hash
			from unnest(@indexes::bigint[], @streams::text[], @seqs::bigint[], @hashes::bytea[]) as l(index, stream, seq, hash)
			returning stream, seq)
		delete from audit_pending p using added a where p.stream = a.stream and p.seq = a.seq`,
		args{"indexes": indexes, "streams": streams, "seqs": seqs, "hashes": hashes})
}

func (s sealTx) AppendHashes(ctx context.Context, first int64, hashes []tlog.Hash) error {
	bytes := make([][]byte, len(hashes))
	for i := range hashes {
		bytes[i] = hashes[i][:]
	}
	return s.t.run(ctx, `insert into audit_node (index, hash)
		select @first::bigint + place - 1, hash from unnest(@hashes::bytea[]) with ordinality as n(hash, place)`,
		args{"first": first, "hashes": bytes})
}

func (s sealTx) PutCheckpoint(ctx context.Context, c audit.Checkpoint, signed []byte) error {
	return s.t.run(ctx, `insert into audit_checkpoint (size, note, created_at) values (@size, @note, @at)`,
		args{"size": c.Size, "note": string(signed), "at": c.Time})
}

// auditLog names the log for exports.
type auditLog struct{ origin, key string }

// auditSeedPurpose separates the audit key's seed from everything else that is sealed.
const auditSeedPurpose = "audit seed"

// EnsureAuditSeed returns the seed of the key that signs the audit log. It is
// stored sealed; a database without one gets fresh. Of several processes that
// start at once all get the same.
func (s *Store) EnsureAuditSeed(ctx context.Context, fresh []byte) ([]byte, error) {
	const op = "open the audit key"
	if err := s.requireSealer(); err != nil {
		return nil, err
	}
	aad := columnAAD("audit_key", "one", "sealed")
	sealed, err := s.sealer.Seal(auditSeedPurpose, aad, fresh)
	if err != nil {
		return nil, translate(op, err)
	}
	var stored []byte
	err = s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
		if err := t.run(ctx, `insert into audit_key (sealed) values (@sealed) on conflict (one) do nothing`, args{"sealed": sealed}); err != nil {
			return err
		}
		stored, err = scalar[[]byte](ctx, t, `select sealed from audit_key`, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	seed, err := s.sealer.Open(auditSeedPurpose, aad, stored)
	return seed, translate(op, err)
}

// SetAuditKey names the audit log and its public key, as audit.Signer has them.
// ExportAudit needs both.
func (s *Store) SetAuditKey(origin, verifierKey string) {
	s.auditLog.Store(&auditLog{origin: origin, key: verifierKey})
}

// ExportAudit writes the whole audit log to w, as of one instant, in the form
// that audit.Verify reads.
func (s *Store) ExportAudit(ctx context.Context, w io.Writer) error {
	log := s.auditLog.Load()
	if log == nil {
		return &schema.Error{Code: schema.CodeUnavailable, Message: "this process has no audit key, so it cannot export the audit log"}
	}
	return s.readTx(ctx, "export the audit log", func(ctx context.Context, q querier) error {
		now, err := scalar[time.Time](ctx, q, `select now()`, nil)
		if err != nil {
			return err
		}
		info := audit.ExportInfo{Origin: log.origin, VerifierKey: log.key, At: now}
		return audit.Export(ctx, info, exportSource{q}, w)
	})
}

// exportSource reads the history from one snapshot.
type exportSource struct{ q querier }

func (e exportSource) Checkpoints(ctx context.Context, afterSize int64, limit int) ([][]byte, error) {
	notes, err := scalars[string](ctx, e.q, `select note from audit_checkpoint
		where size > @after order by size limit @limit`, args{"after": afterSize, "limit": limit})
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(notes))
	for i, n := range notes {
		out[i] = []byte(n)
	}
	return out, nil
}

// recordRow is a whole record; Leaf is its index, or 0 when it has none.
type recordRow struct {
	Stream   string
	Seq      int64
	PrevHash []byte
	Hash     []byte
	Body     []byte
	Leaf     int64
}

func (r recordRow) record() (audit.Record, error) {
	out := audit.Record{Stream: r.Stream, Seq: r.Seq, Body: r.Body}
	if copy(out.PrevHash[:], r.PrevHash) != audit.HashSize || copy(out.Hash[:], r.Hash) != audit.HashSize {
		return out, fmt.Errorf("the hashes of %s record %d do not have %d bytes", r.Stream, r.Seq, audit.HashSize)
	}
	return out, nil
}

// Sealed reads the records by their leaves. The hash is the record's own: a
// record that no longer fits its leaf must show.
func (e exportSource) Sealed(ctx context.Context, fromLeaf int64, limit int) ([]audit.SealedRecord, error) {
	rows, err := all[recordRow](ctx, e.q, `select r.stream, r.seq, r.prev_hash, r.hash, r.body, l.index as leaf
		from audit_leaf l join audit_record r on r.stream = l.stream and r.seq = l.seq
		where l.index >= @from order by l.index limit @limit`, args{"from": fromLeaf, "limit": limit})
	if err != nil {
		return nil, err
	}
	out := make([]audit.SealedRecord, len(rows))
	for i, r := range rows {
		record, err := r.record()
		if err != nil {
			return nil, err
		}
		out[i] = audit.SealedRecord{Record: record, Leaf: r.Leaf}
	}
	return out, nil
}

// Unsealed finds records by the absence of a leaf and not by the work list: a
// record that somebody took off the list must not vanish from the export.
func (e exportSource) Unsealed(ctx context.Context, afterStream string, afterSeq int64, limit int) ([]audit.Record, error) {
	rows, err := all[recordRow](ctx, e.q, `select r.stream, r.seq, r.prev_hash, r.hash, r.body, 0::bigint as leaf
		from audit_record r
		where (r.stream, r.seq) > (@stream::text, @seq::bigint)
		and not exists (select 1 from audit_leaf l where l.stream = r.stream and l.seq = r.seq)
		order by r.stream, r.seq limit @limit`, args{"stream": afterStream, "seq": afterSeq, "limit": limit})
	if err != nil {
		return nil, err
	}
	out := make([]audit.Record, len(rows))
	for i, r := range rows {
		if out[i], err = r.record(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
