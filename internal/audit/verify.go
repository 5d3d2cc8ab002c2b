package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/mod/sumdb/note"
)

// Verify reads an export and checks, offline, everything it claims: each record's hash, each stream's chain, the
// order of the leaves, each checkpoint's signature by key (a verifier key the caller trusts; the one in the file is
// only compared) and each checkpoint's root, recomputed from the leaves. With since, a checkpoint kept from
// earlier, the log must be a continuation of it. What is wrong with the file is listed in the report; an error means
// that the file could not be read or the key is no key. Memory grows with the number of streams, not of records.
//
// Records that no checkpoint covers yet are counted as unsealed: their chain is checked, but nothing signed says
// that none was dropped from the end. A file without any checkpoint that key signed proves nothing and is reported
// as [ProblemUnproven]. A tail cut back to an earlier checkpoint shows only with since.
func Verify(r io.Reader, key string, since *Checkpoint) (Report, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return Report{}, fmt.Errorf("audit: verifier key: %w", err)
	}
	v := &verification{
		key: key, verifier: verifier, since: since, digest: sha256.New(), heads: map[string]streamHead{},
		report: Report{Problems: []Problem{}},
	}
	if since != nil && since.Origin != verifier.Name() {
		v.problem(ProblemSince, "the checkpoint you hold is of another log than the key")
	}
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return v.report, fmt.Errorf("audit: export line %d: %w", v.report.Lines+1, err)
		}
		v.line(line)
	}
	v.finish()
	return v.report, nil
}

// readLine returns the next line with its newline, or what is left of the file without one.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLineBytes:
			return nil, fmt.Errorf("longer than %d bytes: this is no audit export", maxLineBytes)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return line, err
		}
	}
}

type streamHead struct {
	Head
	unsealed bool // an unsealed record was seen; sealed ones cannot follow
}

type verification struct {
	key      string
	verifier note.Verifier
	since    *Checkpoint
	digest   hash.Hash
	heads    map[string]streamHead
	report   Report

	tree       tree
	treeBroken bool  // a leaf is missing or wrong, so every later root differs
	rootsSaid  bool  // one problem is enough for all of those roots
	covered    int64 // leaves under the last checkpoint that was seen
	sinceDone  bool
	last       *Checkpoint
	ended      bool
}

func (v *verification) problem(kind ProblemKind, format string, args ...any) {
	v.report.add(Problem{Kind: kind, Line: v.report.Lines, Text: fmt.Sprintf(format, args...)})
}

func (v *verification) recordProblem(kind ProblemKind, l recordLine, format string, args ...any) {
	v.report.add(Problem{Kind: kind, Line: v.report.Lines, Stream: l.Stream, Seq: l.Seq, Text: fmt.Sprintf(format, args...)})
}

func (v *verification) line(raw []byte) {
	v.report.Lines++
	if v.ended {
		v.problem(ProblemFormat, "line after the end line")
		return
	}
	line, whole := bytes.CutSuffix(raw, []byte("\n"))
	if !whole {
		v.problem(ProblemFile, "the last line is cut")
	}
	kind, err := lineType(line)
	if err != nil {
		v.problem(ProblemFormat, "%v", err)
	}
	if (v.report.Lines == 1) != (kind == typeHeader) {
		v.problem(ProblemFormat, "the header must be the first line, and only that")
	}
	switch kind {
	case typeHeader:
		v.header(line)
	case typeRecord:
		v.record(line)
	case typeCheckpoint:
		v.checkpoint(line)
	case typeEnd:
		v.end(line)
	}
	v.digest.Write(raw)
}

func (v *verification) header(line []byte) {
	var l headerLine
	if err := unmarshalCanonical(line, &l); err != nil {
		v.problem(ProblemFormat, "header: %v", err)
		return
	}
	v.report.Origin = l.Origin
	if l.V != formatVersion {
		v.problem(ProblemFormat, "format version %d, this program reads %d", l.V, formatVersion)
	}
	if l.Key != v.key || l.Origin != v.verifier.Name() {
		v.problem(ProblemKey, "the file names another key or origin than the key it is verified with")
	}
}

func (v *verification) record(line []byte) {
	var l recordLine
	if err := unmarshalCanonical(line, &l); err != nil {
		v.problem(ProblemFormat, "record: %v", err)
		return
	}
	v.report.Records++
	if l.Leaf == nil {
		v.report.Unsealed++
	} else {
		v.report.Sealed++
		v.leaf(l)
	}
	if err := ValidateStream(l.Stream); err != nil {
		v.problem(ProblemRecord, "%v", err)
	}
	if l.record().ComputeHash() != l.Hash {
		v.recordProblem(ProblemRecord, l, "content does not give the record's hash: it was changed")
	}
	v.chain(l)
}

// chain checks l against the record before it in its stream.
func (v *verification) chain(l recordLine) {
	head, known := v.heads[l.Stream]
	if !known {
		v.report.Streams++
	}
	switch {
	case l.Seq != head.Seq+1:
		v.recordProblem(ProblemChain, l, "expected record %d of this stream: records are missing, repeated or out of order", head.Seq+1)
	case l.PrevHash != head.Hash:
		v.recordProblem(ProblemChain, l, "previous hash is not the hash of record %d", head.Seq)
	}
	if head.unsealed && l.Leaf != nil {
		v.recordProblem(ProblemChain, l, "sealed although an earlier record of this stream is not")
	}
	v.heads[l.Stream] = streamHead{Head: l.record().Head(), unsealed: head.unsealed || l.Leaf == nil}
}

// leaf adds a sealed record to the tree.
func (v *verification) leaf(l recordLine) {
	if *l.Leaf != v.tree.size {
		v.recordProblem(ProblemLeaf, l, "leaf %d where leaf %d belongs: rows are missing, repeated or swapped", *l.Leaf, v.tree.size)
		v.treeBroken = true
		if *l.Leaf < v.tree.size {
			return // a leaf we passed already; going back would let one row hide the rest
		}
		v.tree.size = *l.Leaf
	}
	if v.treeBroken {
		v.tree.size++ // peaks no longer mean anything; only the count goes on
		return
	}
	v.tree.add(leafHash(l.Hash))
	v.checkSince()
}

// checkSince compares the root when the tree has the size of the checkpoint the caller holds.
func (v *verification) checkSince() {
	if v.since == nil || v.sinceDone || v.treeBroken || v.tree.size != v.since.Size {
		return
	}
	v.sinceDone = true
	if v.tree.root() != v.since.Root {
		v.problem(ProblemSince, "the first %d leaves are not those of the checkpoint you hold: history was rewritten", v.since.Size)
	}
}

func (v *verification) checkpoint(line []byte) {
	var l checkpointLine
	if err := unmarshalCanonical(line, &l); err != nil {
		v.problem(ProblemFormat, "checkpoint: %v", err)
		return
	}
	c, err := openCheckpoint([]byte(l.Note), v.verifier)
	if err != nil {
		v.problem(ProblemCheckpoint, "%v", err)
		return
	}
	v.report.Checkpoints++
	if v.last != nil && (c.Size <= v.last.Size || c.Time.Before(v.last.Time)) {
		v.problem(ProblemCheckpoint, "checkpoint of %d leaves does not come after the one of %d", c.Size, v.last.Size)
	}
	v.last = &c
	v.covered = max(v.covered, c.Size)
	switch {
	case c.Size != v.tree.size:
		v.problem(ProblemCheckpoint, "checkpoint of %d leaves stands behind %d leaves: rows are missing", c.Size, v.tree.size)
	case v.treeBroken && !v.rootsSaid:
		v.rootsSaid = true
		v.problem(ProblemCheckpoint, "roots from %d leaves on cannot be recomputed because of the missing or swapped leaves", c.Size)
	case v.treeBroken:
	case v.tree.root() != c.Root:
		v.treeBroken, v.rootsSaid = true, true
		v.problem(ProblemCheckpoint, "root of %d leaves is not the signed one, nor is any later one: a leaf was changed", c.Size)
	default:
		v.report.Latest, v.report.LatestNote = &c, l.Note
	}
}

func (v *verification) end(line []byte) {
	v.ended = true
	var l endLine
	if err := unmarshalCanonical(line, &l); err != nil {
		v.problem(ProblemFormat, "end: %v", err)
		return
	}
	if before := v.report.Lines - 1; l.Lines != before {
		v.problem(ProblemFile, "the end line counts %d lines before it, the file has %d", l.Lines, before)
	}
	if l.SHA256 != Hash(v.digest.Sum(nil)) {
		v.problem(ProblemFile, "the digest in the end line is not that of the lines before it: the file was changed")
	}
}

// finish checks what can be said only when the whole file was read.
func (v *verification) finish() {
	whole := func(kind ProblemKind, format string, args ...any) {
		v.report.add(Problem{Kind: kind, Text: fmt.Sprintf(format, args...)})
	}
	if !v.ended {
		whole(ProblemFile, "no end line: the file is cut or not an audit export")
	}
	if v.tree.size > v.covered {
		whole(ProblemLeaf, "leaves %d to %d are covered by no signed checkpoint", v.covered, v.tree.size-1)
	}
	if problem := v.unproven(); problem != "" {
		whole(ProblemUnproven, "%s", problem)
	}
	if v.since == nil || v.sinceDone {
		return
	}
	switch {
	case v.since.Size == 0:
		whole(ProblemSince, "a checkpoint of 0 leaves proves nothing")
	case v.tree.size < v.since.Size:
		whole(ProblemSince, "the file ends at %d leaves, the checkpoint you hold has %d: its tail was cut", v.tree.size, v.since.Size)
	default:
		whole(ProblemSince, "the checkpoint of %d leaves you hold cannot be compared because leaves are missing, swapped or changed", v.since.Size)
	}
}

// unproven says why the file proves nothing, "" when it proves something. Header, chains and end line need no key:
// whoever empties or rewrites a log makes those anew. A checkpoint signed over the file's leaves is what they cannot
// make.
func (v *verification) unproven() string {
	switch {
	case v.report.Latest != nil:
		return ""
	case v.report.Records == 0 && v.report.Checkpoints == 0:
		return "nothing to verify: no record and no checkpoint signed by the key; a log that was emptied looks the same"
	default:
		return fmt.Sprintf("no checkpoint signed by the key fits the file: nothing shows that its %d records are what was written", v.report.Records)
	}
}
