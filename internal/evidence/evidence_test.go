package evidence_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/evidence"
	"sendoff/schema"
)

// TestGolden holds the formats as they are. What was exported is read for years: a
// change here is another format. SENDOFF_UPDATE_GOLDEN=1 writes the files.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, write := range formats() {
		got, path := written(t, write, rich()), filepath.Join("testdata", name)
		if os.Getenv("SENDOFF_UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, name)
	}
}

func TestTheSameCampaignIsTheSameBytes(t *testing.T) {
	t.Parallel()
	turned := rich()
	slices.Reverse(turned.Items)
	slices.Reverse(turned.Reviewers)
	slices.Reverse(turned.Campaign.Basis)
	slices.Reverse(turned.Counts.States)
	slices.Reverse(turned.Batches)
	slices.Reverse(turned.Batches[1].Decisions)
	slices.Reverse(turned.Events)
	for _, i := range turned.Items {
		slices.Reverse(i.Decisions)
		slices.Reverse(i.Shown)
		slices.Reverse(i.Assignments)
	}
	zone := time.FixedZone("elsewhere", 3600)
	turned.Campaign.SnapshotAt, turned.ExportedAt = turned.Campaign.SnapshotAt.In(zone), turned.ExportedAt.In(zone)
	first := turned.Items[0].ID
	for name, write := range formats() {
		require.Equal(t, written(t, write, rich()), written(t, write, turned), name)
	}
	require.Equal(t, first, turned.Items[0].ID, "what is exported is left as it is")
}

func TestOnlyTheTimeOfTheExportDiffers(t *testing.T) {
	t.Parallel()
	later := rich()
	later.ExportedAt = later.ExportedAt.Add(time.Hour)
	a, b := strings.Split(written(t, evidence.JSON, rich()), "\n"), strings.Split(written(t, evidence.JSON, later), "\n")
	require.Len(t, b, len(a))
	for n := range a {
		if n == 2 { // the third line: how to verify names it
			require.Contains(t, a[n], `"exported_at": "2026-11-02T09:00:00.123456Z"`)
			require.NotEqual(t, a[n], b[n])
			continue
		}
		require.Equal(t, a[n], b[n])
	}
	require.Equal(t, written(t, evidence.CSV, rich()), written(t, evidence.CSV, later))
	stamp := strings.NewReplacer("T09:00:00.123456Z", "T10:00:00.123456Z", " 09:00:00 UTC", " 10:00:00 UTC")
	require.Equal(t, stamp.Replace(written(t, evidence.HTML, rich())), written(t, evidence.HTML, later))
	hash, err := evidence.Hash(rich())
	require.NoError(t, err)
	again, err := evidence.Hash(later)
	require.NoError(t, err)
	require.Equal(t, hash, again)
	later.Items[3].Why = "other"
	other, err := evidence.Hash(later)
	require.NoError(t, err)
	require.NotEqual(t, hash, other)
}

// The rule is kept whole: its hash can be computed from the file.
func TestTheRulesHashFollowsFromTheFile(t *testing.T) {
	t.Parallel()
	e := reads(t, written(t, evidence.JSON, rich()))
	require.Equal(t, rich().Review.Rule, e.Review.Rule)
	require.Equal(t, e.Review.Hash, e.Review.Rule.Hash())
	require.Equal(t, e.Removals[0].Hash, e.Removals[0].Facts.Hash(), "as that of a plan")
}

func TestThePageSaysWhatAnAuditorAsks(t *testing.T) {
	t.Parallel()
	page, hash := written(t, evidence.HTML, rich()), ""
	hash, err := evidence.Hash(rich())
	require.NoError(t, err)
	for _, want := range []string{
		`<html lang="en">`, `<time datetime="2026-10-01T04:30:00Z">2026-10-01 04:30:00 UTC</time> to <time datetime="2026-10-15T05:30:00Z">`, "quarterly-box, version 3", rich().Review.Hash, hash, "sendoff review verify FILE",
		"SCOPE_MISSING; the vendor did not let its events be read", "NOT_COLLECTED", "ITEMS_UNDECIDED", "TOO_FAST, CONTROL_KEPT",
		"went through all of them again", "nobody of this name ever worked here", `keep <time datetime="2026-10-10T10:30:00Z">2026-10-10 10:30:00 UTC</time>, Boss (boss@example.com): because 5`, "no, corrected",
		"connection of box: 3 used, 12 wanted, 14 allowed", "of 11 accounts: checked by Eve (did not count)", "by sendoff: what it held fits the budget by now",
		"to: second@example.com", "campaign.extended</td><td>Owner", "2 were given to others, 1 stood</td><td>too fast</td><td>no, not any more", "escalation from Boss (boss@example.com) to second@example.com",
		"2026-10-16T04:30:00Z", uuid(10, 1), "the group is fed by a directory", "campaign " + uuid(2, 9), "Shown, version 2",
		`version 1, <time datetime="2026-10-06T10:30:00Z">2026-10-06 10:30:00 UTC</time>: login user1@example.com`,
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "DRAFT")
	draft := rich()
	draft.Signed = false
	require.Contains(t, written(t, evidence.HTML, draft), "DRAFT: this campaign is not signed")
	require.Equal(t, strings.Count(page, "<table"), strings.Count(page, "<caption>"))
	require.Equal(t, strings.Count(page, "<th "), strings.Count(page, `<th scope="`))
	require.Equal(t, strings.Count(page, "<thead>"), strings.Count(page, "</thead>\n<tbody>\n<tr>"), "no table is a head alone")
	require.Equal(t, strings.Count(page, "<section"), strings.Count(page, "</section>"))
	for _, no := range []string{"<script", " href=", " src=", "url(", "@import", "ZgotmplZ", "<no value>", "%!"} {
		require.NotContains(t, page, no)
	}
}

// A table whose columns have no width of their own gives nearly all of it to the
// longest text in it, such as a login of 200 characters.
func TestTablesOfTextsKeepTheirColumns(t *testing.T) {
	t.Parallel()
	page := written(t, evidence.HTML, rich())
	widths := map[string]int{}
	for _, m := range regexp.MustCompile(`\.(w\d+)\{width:(\d+)%\}`).FindAllStringSubmatch(page, -1) {
		n, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		widths[m[1]] = n
	}
	heads := regexp.MustCompile(`(?s)<table class="fixed">\n<caption>[^<]*</caption>\n<thead>(.*?)</thead>`).FindAllStringSubmatch(page, -1)
	require.Equal(t, strings.Count(page, `class="fixed"`), len(heads))
	require.Greater(t, len(heads), 7)
	for _, head := range heads {
		sum := 0
		for _, m := range regexp.MustCompile(`<th scope="col"(?: class="(w\d+)")?>`).FindAllStringSubmatch(head[1], -1) {
			require.NotZero(t, widths[m[1]], head[1])
			sum += widths[m[1]]
		}
		require.Equal(t, 100, sum, head[1])
	}
	for _, with := range []string{"Account", "Login", "Reviewer", "Reason", "Why"} {
		for _, m := range regexp.MustCompile(`<th scope="col"([^>]*)>`+with+`</th>`).FindAllStringSubmatch(page, -1) {
			require.NotEmpty(t, m[1], "a column of %s has a width", with)
		}
	}
}

// Whoever chose a name chooses neither the order of what stands beside it, nor what a
// page says of itself.
func TestNamesTurnNothingAround(t *testing.T) {
	t.Parallel()
	e := rich()
	e.Items[0].Facts.Login, e.Items[0].Facts.Group, e.Campaign.Title = "\u202emoc.elpmaxe@resu", "\u2067evil\u2069", "Quarter\x1b[2J\x00"
	page := written(t, evidence.HTML, e)
	for _, want := range []string{"[U+202E]moc.elpmaxe@resu", "[U+2067]evil[U+2069]", "Quarter[U+001B][2J"} {
		require.Contains(t, page, want)
	}
	require.Equal(t, page, schema.Visible(page))
}

// A page without anything still says what there is none of, and who held an account
// is named where it tells why somebody had an item.
func TestThePageNamesHoldersAndLeavesNoEmptyTable(t *testing.T) {
	t.Parallel()
	e := rich()
	i := &e.Items[0]
	i.Facts.HolderID, i.Context.Holder, i.Context.HolderEmail = "holder-of-it", "Ada Holder", "ada.holder@example.com"
	i.Assignments[0].Via, i.Assignments[0].Why = []schema.Via{{Why: "manager", From: "holder-of-it", To: i.Assignments[0].ReviewerID}}, ""
	page := written(t, evidence.HTML, e)
	require.Contains(t, page, "manager from Ada Holder (ada.holder@example.com) to Boss (boss@example.com)</td>")
	require.NotContains(t, page, "holder-of-it")
	for n := range e.Reviewers {
		e.Reviewers[n].Alarms, e.Reviewers[n].LookedBy, e.Reviewers[n].Looks = nil, "", nil
	}
	page = written(t, evidence.HTML, e)
	require.Contains(t, page, "Nobody's decisions were doubted.")
	require.NotContains(t, page, "<tbody>\n</tbody>")
}

func TestCSVHasOneRowForEachItem(t *testing.T) {
	t.Parallel()
	text := written(t, evidence.CSV, rich())
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(rich().Items))
	require.Equal(t, strings.Count(text, "\n"), strings.Count(text, "\r\n"))
	of := func(row int, column string) string { return rows[row][slices.Index(rows[0], column)] }
	for column, want := range map[string]string{
		"login": "user1@example.com", "held": "a member of eng-all as member", "stage": "owner", "reviewers": "Boss; second@example.com", "answer": "revoke",
		"version_seen": "2", "removal": "done", "case_id": uuid(10, 1), "proven_at": "2026-10-16T04:30:00Z", "returned_by": "directory", "control": "no", "carried": "",
	} {
		require.Equal(t, want, of(1, column), column)
	}
	require.Equal(t, "1", of(3, "carried"))
	require.Equal(t, []string{"yes", "nobody of this name ever worked here"}, []string{of(5, "control"), of(5, "control_note")})
}

func TestWhatPeopleWroteIsInert(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style></title><b>`, `=HYPERLINK("http://example.com")`, "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1",
		"\x00=1", " =1", "\u200b=1", "＝1", "a\r\nb,\"c\"", "{{.Hash}}", strings.Repeat("long ", 20000), "\xff\xfe", "\u202eevil", "]]>", "-->",
	} {
		e := rich()
		e.Campaign.Title, e.Campaign.SignReason, e.Review.Rule.Scope.Match, e.Reviewers[0].LookReason = text, text, text, text
		i := &e.Items[0]
		i.Facts.Login, i.Facts.Group, i.Reason, i.Context.Holder, i.Decisions[0].Reason, i.Assignments[0].Reviewer = text, text, text, text, text, text
		e.Batches[0].Decisions[0].Reason, e.Events[1].Details[2].Value, e.Events[1].By, e.Reviewers[0].Looks[0].Reason = text, text, text, text
		e.Items[4].Context.Decoy, e.Returns[0].Detail, e.Removals[0].Way, e.Campaign.Basis[0].Connection = text, text, text, text
		again := reads(t, written(t, evidence.JSON, e))
		require.Equal(t, string([]rune(text)), again.Items[0].Reason, "what is no UTF-8 is a character that says so")

		page := written(t, evidence.HTML, e)
		plain := written(t, evidence.HTML, rich())
		for _, tag := range []string{"<script", "<img", "<b>", "<style", "</style", "<title", "</title", "<section", "<td", "<th"} {
			require.Equal(t, strings.Count(plain, tag), strings.Count(page, tag), "%s in %.40q", tag, text)
		}
		rows, err := csv.NewReader(strings.NewReader(written(t, evidence.CSV, e))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1+len(e.Items))
		for _, row := range rows[1:] {
			for _, cell := range row {
				lead := strings.TrimLeft(cell, " \u200b")
				require.False(t, lead != "" && strings.ContainsRune("=+-@＝\t\r\n\x00", []rune(lead)[0]), "%.40q", cell)
			}
		}
	}
}

func TestEvidenceOfNothing(t *testing.T) {
	t.Parallel()
	for name, write := range formats() {
		require.NotEmpty(t, written(t, write, schema.CampaignEvidence{}), name)
	}
	text := written(t, evidence.JSON, schema.CampaignEvidence{})
	require.Equal(t, text, written(t, evidence.JSON, reads(t, text)))
	require.Contains(t, text, `"exported_at": ""`)
	require.NotContains(t, text, "null,\n", "lists are never null")
	late := rich()
	late.Campaign.DueAt = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	require.ErrorContains(t, evidence.JSON(&strings.Builder{}, late), "12000")
}

// What was said at one instant stands in the order it was taken in, whatever ids its
// sender gave it.
func TestWordsOfOneInstantStandInTheirOrder(t *testing.T) {
	t.Parallel()
	e := rich()
	var said []schema.CampaignDecision
	for n, id := range []int{30, 10, 20} {
		d := decision(id, 0, 1, schema.AnswerKeep, person(2), n == 2)
		d.Number, d.DecidedAt, d.Reason = n+1, instantOf(6, 10), strconv.Itoa(n+1)
		said = append(said, d)
	}
	said[2].DecidedAt = said[2].DecidedAt.Add(-time.Millisecond) // it began first, and waited for the others
	slices.Reverse(said)
	e.Items = e.Items[:1]
	e.Items[0].Decisions = said
	var order []string
	for _, d := range reads(t, written(t, evidence.JSON, e)).Items[0].Decisions {
		order = append(order, d.Reason)
	}
	require.Equal(t, []string{"1", "2", "3"}, order)
}
