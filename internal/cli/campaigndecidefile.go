package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/schema"

	"github.com/google/uuid"
)

const (
	maxSheet     = 32 << 20
	maxSheetRows = 50_000
)

// decideFile decides by a file. All of its faults are told at once, and with any
// nothing is decided.
func (c *decideItemsCommand) decideFile(in *invocation, api *apiclient.Client) error {
	source, err := readSheet(c.File)
	if err != nil {
		return err
	}
	words, skipped, problems := parseSheet(source)
	if len(problems) > 0 {
		return &apiclient.Error{Code: apiclient.CodeUsage, Message: "the file cannot be used; nothing was decided", Problems: problems}
	}
	if len(words) == 0 {
		return usage("no row of the file has an answer; nothing was decided", "write keep, revoke or abstain into the column answer")
	}
	me, err := api.Whoami(in.ctx)
	if err != nil {
		return err
	}
	for i := range words {
		words[i].ID = rowID(me.TokenID, c.Campaign, words[i])
	}
	if !c.Yes {
		if in.json {
			return usage("this asks before it decides, and JSON output cannot", "look at the file, then repeat with --yes")
		}
		if !in.confirms(countAnswers(words, skipped)) {
			return usage("nothing was decided", "answer y, or give --yes")
		}
	}
	return in.sayWords(api, c.Campaign, words, skipped)
}

func countAnswers(words []apiclient.ItemWord, skipped int) string {
	n := map[string]int{}
	for _, w := range words {
		n[w.Answer]++
	}
	return fmt.Sprintf("Keep %d, revoke %d, abstain from %d; %d rows have no answer. Decide so? [y/N] ",
		n[string(schema.AnswerKeep)], n[string(schema.AnswerRevoke)], n[string(schema.AnswerAbstain)], skipped)
}

// rowID is the id of a row's word: the same whenever the same person sends the same
// row, so that a file that is sent twice is taken once. Each part has its length
// before it, so that no two rows run together to one.
func rowID(token, campaign string, w apiclient.ItemWord) string {
	var b strings.Builder
	for _, part := range []string{token, campaign, w.Item, strconv.Itoa(w.Version), w.Answer, w.Reason} {
		fmt.Fprintf(&b, "%d:%s", len(part), part)
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("sendoff/decide-file/"+b.String())).String()
}

func readSheet(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usage("the file "+path+" cannot be read", "check the path and its permissions")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSheet+1))
	if err != nil {
		return nil, usage("the file "+path+" cannot be read", "check the path and its permissions")
	}
	if len(b) > maxSheet {
		return nil, usage("the file "+path+" is larger than 32 MiB", "split it")
	}
	return b, nil
}

// sheetReader reads a sheet of decisions.
type sheetReader struct {
	columns  map[string]int
	first    map[string]int // line by item
	problems []apiclient.Problem
}

func (r *sheetReader) fault(line int, column, message, fix string) {
	where := "line " + strconv.Itoa(line)
	if column != "" {
		where += ", column " + column
	}
	r.problems = append(r.problems, apiclient.Problem{Where: where, Message: message, Fix: fix})
}

// parseSheet reads the rows that have an answer, and counts the others.
func parseSheet(source []byte) (words []apiclient.ItemWord, skipped int, problems []apiclient.Problem) {
	r := sheetReader{columns: map[string]int{}, first: map[string]int{}}
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))))
	head, err := c.Read()
	if err != nil {
		r.fault(1, "", "there is no header", "begin with: item,version,answer,reason")
		return nil, 0, r.problems
	}
	if r.header(head); len(r.problems) > 0 {
		return nil, 0, r.problems
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return words, skipped, r.problems
		}
		var e *csv.ParseError
		if errors.As(err, &e) {
			r.fault(e.Line, "", "not CSV: "+e.Err.Error(), "write as many cells as the header has, with quotes around cells that hold commas or quotes")
			if !errors.Is(err, csv.ErrFieldCount) {
				return words, skipped, r.problems
			}
			continue
		}
		line, _ := c.FieldPos(0)
		w, ok := r.row(line, row)
		switch {
		case !ok:
			skipped++
		case len(words) == maxSheetRows:
			r.fault(line, "", "more than 50000 rows have an answer", "split the file")
			return words, skipped, r.problems
		default:
			words = append(words, w)
		}
	}
}

func (r *sheetReader) header(head []string) {
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		switch _, twice := r.columns[name]; {
		case twice:
			r.fault(1, name, "the column is there twice", "remove one of them")
		case !slices.Contains(sheetHead(), name):
			r.fault(1, name, "the column is unknown", "use item, version, answer and reason; those that review items --csv writes besides are not read")
		}
		r.columns[name] = i
	}
	for _, name := range []string{"item", "version", "answer"} {
		if _, ok := r.columns[name]; !ok {
			r.fault(1, name, "the column is missing", "add it")
		}
	}
}

func (r *sheetReader) cell(row []string, name string) string {
	i, ok := r.columns[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// row reads one row; false when it has no answer.
func (r *sheetReader) row(line int, row []string) (apiclient.ItemWord, bool) {
	w := apiclient.ItemWord{Item: strings.ToLower(r.cell(row, "item")), Answer: strings.ToLower(r.cell(row, "answer")), Reason: r.cell(row, "reason")}
	if w.Answer == "" {
		if w.Reason != "" {
			r.fault(line, "answer", "there is a reason, and no answer", "write keep, revoke or abstain, or remove the reason")
		}
		return w, false
	}
	if !slices.Contains(schema.ItemAnswers(), schema.ItemAnswer(w.Answer)) {
		r.fault(line, "answer", "this is no answer", "write keep, revoke or abstain, or nothing")
	}
	if !campaignID.MatchString(w.Item) {
		r.fault(line, "item", "this is not the id of an item", "take it from review items")
	} else if other, twice := r.first[w.Item]; twice {
		r.fault(line, "item", "the item is in line "+strconv.Itoa(other)+" too", "decide about it once")
	}
	if _, twice := r.first[w.Item]; !twice {
		r.first[w.Item] = line
	}
	version, err := strconv.Atoi(r.cell(row, "version"))
	if err != nil || version < 1 {
		r.fault(line, "version", "this is not the version of an item", "take it from review items: a decision is about what was shown")
	}
	w.Version = version
	return w, true
}
