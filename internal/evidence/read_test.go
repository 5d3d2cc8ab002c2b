package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/evidence"
	"sendoff/schema"
)

func TestReadTakesWhatJSONWrote(t *testing.T) {
	t.Parallel()
	e := reads(t, written(t, evidence.JSON, rich()))
	for name, write := range formats() {
		require.Equal(t, written(t, write, rich()), written(t, write, e), name)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	text := written(t, evidence.JSON, rich())
	for name, c := range map[string]struct{ text, says string }{
		"nothing":           {"", "the file ends before"},
		"no JSON":           {"PK\x03\x04", "not JSON at byte"},
		"no object":         {"[]", "no JSON object"},
		"another format":    {strings.Replace(text, "evidence/2", "evidence/3", 1), "not of the format sendoff.evidence/2"},
		"of a later format": {strings.Replace(text, "evidence/2", "evidence/1", 1), `the member "reviewers" is missing`},
		"another program":   {`{"name": "x"}`, `the member "format" is missing`},
		"unknown first":     {strings.Replace(text, `  "signed"`, `  "x": 1,`+"\n"+`  "signed"`, 1), `the member "signed" is missing`},
		"unknown inside":    {strings.Replace(text, `"campaign": {`, `"campaign": {"x":1,`, 1), `unknown field "x"`},
		"unknown of item":   {strings.Replace(text, `"risk":"high"`, `"risk":"high","y":2`, 1), `unknown field "y"`},
		"unknown last":      {strings.Replace(text, "]\n}\n", "],\n  \"x\": 1\n}\n", 1), "unknown member at the end"},
		"repeated":          {strings.Replace(text, `"answer":"keep"`, `"answer":"revoke","answer":"keep"`, 1), "repeated"},
		"another case":      {strings.Replace(text, `"answer":"keep"`, `"Answer":"keep"`, 1), "repeated"},
		"missing":           {strings.Replace(text, `"answer":"keep",`, ``, 1), "missing"},
		"formatted anew":    {strings.Replace(text, "  \"signed\": true", "\"signed\":true", 1), "formatted anew"},
		"more after":        {text + " ", "formatted anew"},
		"two":               {text + text, "formatted anew"},
		"wrong type":        {strings.Replace(text, `"signed": true`, `"signed": "yes"`, 1), "wrong type"},
		"no instant":        {strings.Replace(text, `"snapshot_at":"2026`, `"snapshot_at":"x2026`, 1), "an instant is RFC 3339"},
		"instant of zone":   {strings.Replace(text, `"snapshot_at":"2026-10-01T03:30:00Z"`, `"snapshot_at":"2026-10-01T04:30:00+01:00"`, 1), "formatted anew"},
		"no day":            {strings.Replace(text, `"from":"2026-12-20"`, `"from":"2026-13-20"`, 1), "a day is YYYY-MM-DD"},
		"null as list":      {strings.Replace(text, `"accounts":[]`, `"accounts":null`, 1), "formatted anew"},
		"items are no lis":  {strings.Replace(text, `"exceptions": [`, `"exceptions": {`, 1), `"exceptions" is no list`},
	} {
		require.NotEqual(t, text, c.text, name)
		_, err := evidence.Read(strings.NewReader(c.text))
		require.ErrorContains(t, err, c.says, name)
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), name)
	}
	for _, n := range []int{1, 10, 100, len(text) / 3, len(text) / 2, len(text) - 3} {
		_, err := evidence.Read(strings.NewReader(text[:n]))
		require.ErrorContains(t, err, "ends before", n)
	}
	_, err := evidence.Read(strings.NewReader(text[:len(text)-1]))
	require.Error(t, err, "without its last byte")
	broken := errors.New("the disk is gone")
	_, err = evidence.Read(io.MultiReader(strings.NewReader(text[:500]), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
}

// What was signed before there was a second format reads, verifies and is exported
// again as it was.
func TestTheFirstFormatStaysAsItIs(t *testing.T) {
	t.Parallel()
	old, err := os.ReadFile(filepath.Join("testdata", "evidence-first.json"))
	require.NoError(t, err)
	e := reads(t, string(old))
	require.Equal(t, string(old), written(t, evidence.JSON, e))
	stored := bytes.Replace(old, []byte(`"exported_at": "2026-11-02T09:00:00.123456Z"`), []byte(`"exported_at": ""`), 1)
	hash, err := evidence.Hash(e)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256(stored)), hash)

	page := written(t, evidence.HTML, e)
	require.Equal(t, 2, strings.Count(page, "The format that this was signed in does not tell of it."))
	require.Contains(t, page, "went through all of them again")
	more := rich()
	more.Format = schema.EvidenceFormatFirst
	for _, no := range []string{`  "batches": [`, `  "events": [`, `"looks":`, `"number":`, `"weighed":`} {
		require.NotContains(t, written(t, evidence.JSON, more), no)
	}
}

// A decision stands beside what was shown with it, not beside what is so by now.
func TestRowsAndPageShowWhatWasSeen(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(strings.NewReader(written(t, evidence.CSV, rich()))).ReadAll()
	require.NoError(t, err)
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		if column(row, "login") == "user2@example.com" {
			require.Equal(t, []string{"low", "MEMBER", "revoke", "1"},
				[]string{column(row, "risk"), column(row, "risk_for"), column(row, "recommended"), column(row, "version_seen")})
		}
	}
	page := written(t, evidence.HTML, rich())
	require.NotContains(t, page, "PRIVILEGED_ROLE")
	require.NotContains(t, page, "coadmin")
	require.NotContains(t, page, ", board")
}

// endless is a file that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestReadEndsAtItsLimit(t *testing.T) {
	t.Parallel()
	_, err := evidence.Read(io.MultiReader(strings.NewReader(written(t, evidence.JSON, rich())), endless{}))
	require.ErrorContains(t, err, "larger than 256 MiB")
}

// source draws what a made up evidence is filled with.
type source func(n int) int

// fill fills a value with what the source draws; zero draws give one of everything.
func fill(v reflect.Value, draw source) {
	texts := []string{"x", "", "=1+1", "<b>&\"'", "a\nb\r\tc", "\x00\u2028\u202e", "\xff", "{{.}}", "ü漢🙂"}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		times := []time.Time{
			time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC), {}, time.Date(1999, 12, 31, 23, 59, 59, 999999999, time.FixedZone("", -7200)), time.Unix(0, 0),
		}
		v.Set(reflect.ValueOf(times[draw(len(times))]))
		return
	case reflect.TypeFor[schema.Date]():
		days := []schema.Date{{Year: 2026, Month: 2, Day: 28}, {}}
		v.Set(reflect.ValueOf(days[draw(len(days))]))
		return
	case reflect.TypeFor[time.Duration]():
		v.SetInt(int64(time.Duration(1+draw(1000000)) * time.Second))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[draw(len(texts))])
	case reflect.Bool:
		v.SetBool(draw(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{1, 0, -5, 1 << 40}[draw(4)])
	case reflect.Pointer:
		if draw(3) < 2 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), draw)
		}
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), []int{1, 0, 2}[draw(3)], 2)
		for i := range list.Len() {
			fill(list.Index(i), draw)
		}
		v.Set(list)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[schema.Removal]() || v.Type().Field(i).Name != "Items" {
				fill(v.Field(i), draw)
			}
		}
	case reflect.Map: // attributes of an account: no evidence
	default:
		panic(fmt.Sprint("nothing fills a ", v.Type()))
	}
}

// Whatever a campaign holds, reading what was written and writing it again gives the
// same bytes, in all formats.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var e schema.CampaignEvidence
		fill(reflect.ValueOf(&e).Elem(), func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "d") })
		text := written(rt, evidence.JSON, e)
		again := reads(rt, text)
		page := rapid.IntRange(0, 3).Draw(rt, "page") == 0 // it takes the most time
		for name, write := range formats() {
			if strings.HasSuffix(name, "html") && !page {
				continue
			}
			valid := string([]rune(written(rt, write, e)))
			require.Equal(rt, valid, written(rt, write, again), name)
		}
		hash, err := evidence.Hash(e)
		require.NoError(rt, err)
		same, err := evidence.Hash(again)
		require.NoError(rt, err)
		require.Equal(rt, hash, same)
	})
}

// Every member of the evidence stands in the file, so that a new one is not left out:
// what is read is what was written, but for what an item's place in it says.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	var e schema.CampaignEvidence
	fill(reflect.ValueOf(&e).Elem(), func(int) int { return 0 })
	e.Format = schema.EvidenceFormat
	e.Items[0].CampaignID, e.Items[0].Decisions[0].CampaignID, e.Items[0].Decisions[0].ItemID = e.Campaign.ID, e.Campaign.ID, e.Items[0].ID
	e.Removals[0].Account = schema.Account{
		ID: e.Removals[0].AccountID, ExternalID: e.Removals[0].Account.ExternalID, Login: e.Removals[0].Account.Login, Name: e.Removals[0].Account.Name,
	}
	require.Equal(t, e, reads(t, written(t, evidence.JSON, e)))
}

func FuzzRead(f *testing.F) {
	text := written(f, evidence.JSON, rich())
	for _, seed := range []string{"", "{", text, text[:len(text)/2], strings.Replace(text, "keep", "\\ud800", 1), strings.Replace(text, "[]", "null", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := evidence.Read(strings.NewReader(text))
		if err != nil {
			require.Less(t, len(err.Error()), 1000)
			return
		}
		require.Equal(t, text, written(t, evidence.JSON, e), "only what it writes is read")
	})
}
