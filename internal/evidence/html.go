package evidence

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// HTML writes one page to print. It stands alone: no script, nothing that is
// fetched, and whatever people wrote is text. One item at a time is held in memory.
func HTML(w io.Writer, e schema.CampaignEvidence) error {
	hash, err := Hash(e)
	if err != nil {
		return err
	}
	p := newPages(e)
	p.Hash = hash
	t, err := template.New("page").Funcs(p.words()).Parse(pageHTML)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(w, 64<<10)
	out := visible{buffer}
	if err := t.ExecuteTemplate(out, "head", p); err != nil {
		return err
	}
	for _, i := range p.e.Items {
		if err := t.ExecuteTemplate(out, "item", p.view(orderedItem(i))); err != nil {
			return err
		}
	}
	if err := t.ExecuteTemplate(out, "tail", p); err != nil {
		return err
	}
	return buffer.Flush()
}

// visible shows what acts instead of being seen, so that no name turns around what
// stands beside it. A template writes each value as a whole.
type visible struct{ to io.Writer }

func (v visible) Write(p []byte) (int, error) {
	if _, err := io.WriteString(v.to, schema.Visible(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// pages is the evidence with what its rows are looked up by.
type pages struct {
	e        schema.CampaignEvidence
	Hash     string
	removals map[schema.RemovalID]schema.Removal
	returns  map[schema.ItemID][]schema.Return
	people   map[schema.PersonID]string
	logins   map[schema.ItemID]string
}

func newPages(e schema.CampaignEvidence) *pages {
	p := &pages{
		e: ordered(e), removals: make(map[schema.RemovalID]schema.Removal, len(e.Removals)), returns: map[schema.ItemID][]schema.Return{},
		people: map[schema.PersonID]string{}, logins: make(map[schema.ItemID]string, len(e.Items)),
	}
	for _, r := range p.e.Removals {
		p.removals[r.ID] = r
	}
	for _, r := range p.e.Returns {
		p.returns[r.ItemID] = append(p.returns[r.ItemID], r)
	}
	for _, i := range p.e.Items {
		p.logins[i.ID] = i.Facts.Login
		if i.Facts.HolderID != "" {
			p.people[i.Facts.HolderID] = personName(i.Context.Holder, i.Context.HolderEmail)
		}
	}
	for _, i := range p.e.Items {
		for _, a := range orderedItem(i).Assignments {
			p.people[a.ReviewerID] = a.Reviewer
		}
	}
	for _, r := range p.e.Reviewers {
		p.people[r.ReviewerID] = reviewerName(r)
	}
	return p
}

func reviewerName(r schema.ReviewerStats) string { return personName(r.Name, r.Email) }

func personName(name, email string) string {
	switch {
	case name == "":
		return email
	case email == "":
		return name
	}
	return name + " (" + email + ")"
}

// E is the evidence.
func (p *pages) E() schema.CampaignEvidence { return p.e }

// Style is ours: it holds nothing of the evidence.
func (p *pages) Style() template.CSS { return template.CSS(pageCSS) }

// Title is the title of the review, or its name.
func (p *pages) Title() string {
	if p.e.Campaign.Title != "" {
		return p.e.Campaign.Title
	}
	return p.e.Campaign.Review
}

// OtherHash is the hash of what was signed, of evidence that is not as it was then.
func (p *pages) OtherHash() string {
	if p.e.Campaign.Evidence == p.Hash {
		return ""
	}
	return p.e.Campaign.Evidence
}

// Controls are the items that were made up.
func (p *pages) Controls() []itemView {
	return p.only(func(i schema.EvidenceItem) bool { return i.Control })
}

// OpenEnds are the items that nobody decided.
func (p *pages) OpenEnds() []itemView {
	return p.only(func(i schema.EvidenceItem) bool {
		return !i.Control && (i.State == schema.ItemUnassigned || i.State == schema.ItemOpen || i.State == schema.ItemUndecided)
	})
}

func (p *pages) only(want func(schema.EvidenceItem) bool) []itemView {
	var out []itemView
	for _, i := range p.e.Items {
		if want(i) {
			out = append(out, p.view(orderedItem(i)))
		}
	}
	return out
}

func (p *pages) lastReturn(id schema.ItemID) schema.Return {
	list := p.returns[id]
	if len(list) == 0 {
		return schema.Return{}
	}
	return list[len(list)-1]
}

// stage is the name of a stage.
func (p *pages) stage(n int) string {
	if n >= 0 && n < len(p.e.Review.Rule.Stages) {
		return p.e.Review.Rule.Stages[n].Name
	}
	return strconv.Itoa(n + 1)
}

func (p *pages) who(id schema.PersonID) string {
	if name := p.people[id]; name != "" {
		return name
	}
	return string(id)
}

// itemView is an item as the page shows it: in the version that was decided on, or in
// the present one.
type itemView struct {
	schema.EvidenceItem
	Held    string
	Removal schema.Removal
	Returns []schema.Return
	Carried string
}

func (p *pages) view(i schema.EvidenceItem) itemView {
	i = seen(i)
	return itemView{EvidenceItem: i, Held: held(i.Facts), Removal: p.removals[i.RemovalID], Returns: p.returns[i.ID], Carried: carried(i)}
}

// words are what the page's text is made with.
func (p *pages) words() template.FuncMap {
	return template.FuncMap{
		"at": moment,
		"or": or, "yes": yes, "stage": p.stage, "who": p.who, "span": span, "held": held, "name": reviewerName, "money": money, "size": size,
		"join": joined, "over": p.over, "words": wordsOn, "details": p.details,
		"login":  func(id schema.ItemID) string { return p.logins[id] },
		"millis": func(n int64) string { return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + " s" },
	}
}

// moment is an instant as people read it, with the exact one beside it.
func moment(t time.Time) template.HTML {
	if t.IsZero() {
		return "-"
	}
	u := t.UTC()
	return template.HTML(`<time datetime="` + at(t).text() + `">` + u.Format("2006-01-02 15:04:05") + ` UTC</time>`) //nolint:gosec // digits alone
}

func or(what any, otherwise string) string {
	if s := fmt.Sprint(what); s != "" {
		return s
	}
	return otherwise
}

// joined is a list in words; "-" of an empty one.
func joined(list any) string {
	v := reflect.ValueOf(list)
	words := make([]string, v.Len())
	for i := range words {
		words[i] = v.Index(i).String()
	}
	return or(strings.Join(words, ", "), "-")
}

// span is a length of time in words.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return "-"
	case d == day:
		return "1 day"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + " days"
	}
	return d.String()
}

func money(m *schema.Money) string {
	if m == nil {
		return "-"
	}
	return m.String()
}

func size(n int64) string { return strconv.FormatInt(n, 10) + " bytes" }
