package audit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"unicode/utf8"
)

// The export file is newline-delimited JSON: one header, then the records in the order of their leaves with each
// checkpoint right behind the last record it covers, then the records that are not sealed yet, then one end line
// with the digest of everything before it. Checkpoints need no proofs: the file holds every leaf, so the reader
// recomputes the root at each of them. Every line has exactly one spelling, so any changed byte is noticed.

// formatVersion is the layout of the export file.
const formatVersion = 1

// maxLineBytes bounds what the reader holds of a damaged or hostile file.
const maxLineBytes = 16 << 20

const (
	typeHeader     = "header"
	typeRecord     = "record"
	typeCheckpoint = "checkpoint"
	typeEnd        = "end"
)

type headerLine struct {
	Type       string `json:"type"`
	V          int    `json:"v"`
	Origin     string `json:"origin"`
	Key        string `json:"key"`
	ExportedAt string `json:"exported_at"`
}

type recordLine struct {
	Type     string `json:"type"`
	Leaf     *int64 `json:"leaf"` // null: committed but not sealed yet
	Stream   string `json:"stream"`
	Seq      int64  `json:"seq"`
	PrevHash Hash   `json:"prev_hash"`
	Hash     Hash   `json:"hash"`
	Body     string `json:"body"` // the body's bytes; canonical JSON is valid UTF-8, so text carries them unchanged
}

type checkpointLine struct {
	Type string `json:"type"`
	Note string `json:"note"`
}

type endLine struct {
	Type   string `json:"type"`
	Lines  int64  `json:"lines"` // before this one
	SHA256 Hash   `json:"sha256"`
}

func newRecordLine(r Record, leaf *int64) (recordLine, error) {
	if !utf8.Valid(r.Body) {
		return recordLine{}, fmt.Errorf("audit: export: body of %s record %d is not UTF-8 text", r.Stream, r.Seq)
	}
	return recordLine{
		Type: typeRecord, Leaf: leaf, Stream: r.Stream, Seq: r.Seq, PrevHash: r.PrevHash, Hash: r.Hash, Body: string(r.Body),
	}, nil
}

func (l recordLine) record() Record {
	return Record{Stream: l.Stream, Seq: l.Seq, PrevHash: l.PrevHash, Hash: l.Hash, Body: []byte(l.Body)}
}

// lineWriter writes lines and keeps the digest of all of them.
type lineWriter struct {
	w      io.Writer
	digest hash.Hash
	lines  int64
}

func newLineWriter(w io.Writer) *lineWriter { return &lineWriter{w: w, digest: sha256.New()} }

func (lw *lineWriter) write(line any) error {
	data, err := marshalCanonical(line)
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if len(data) > maxLineBytes {
		return fmt.Errorf("audit: export: line %d is longer than %d bytes", lw.lines+1, maxLineBytes)
	}
	lw.digest.Write(data)
	lw.lines++
	_, err = lw.w.Write(data)
	return err
}

func (lw *lineWriter) end() error {
	return lw.write(endLine{Type: typeEnd, Lines: lw.lines, SHA256: Hash(lw.digest.Sum(nil))})
}

// lineType reads the type of a line from its first bytes, where the canonical form has it.
func lineType(line []byte) (string, error) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`))
	if !ok {
		return "", errNotCanonical
	}
	name, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return "", errNotCanonical
	}
	switch t := string(name); t {
	case typeHeader, typeRecord, typeCheckpoint, typeEnd:
		return t, nil
	}
	return "", errors.New("unknown type of line")
}
