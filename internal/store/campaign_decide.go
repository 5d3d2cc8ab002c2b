package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sendoff/schema"
)

// wordsAtOnce is how many words share a transaction. Each is judged on its own.
const wordsAtOnce = 100

// DecideItems takes words on items, each on its own: what is refused says why and
// changes nothing. CodeForbidden for whoever is no reviewer of the campaign,
// CodeClosed when it takes none of the answers any more. All words of a call are
// said at one instant, and those that say the same of several items are decided
// together, whatever their sender calls them.
func (s *Store) DecideItems(ctx context.Context, id schema.CampaignID, words []schema.Decide, by schema.Principal) ([]schema.Decided, error) {
	if err := checkPrincipal(by); err != nil {
		return nil, err
	}
	out := make([]schema.Decided, len(words))
	words = together(words)
	var at time.Time
	for from := 0; from < len(words); {
		to := from + chunkOf(words[from:])
		err := s.inTx(ctx, "decide about items", func(ctx context.Context, t *tx) error {
			if from == 0 {
				at = t.now
			}
			j, err := t.judgeFor(ctx, id, words[from:to], by, at)
			if err != nil {
				return err
			}
			clear(out[from:to])
			for n, w := range words[from:to] {
				if out[from+n], err = j.word(ctx, w); err != nil {
					return err
				}
			}
			return j.write(ctx)
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return out, closedForAll(out)
}

// together marks words that give one answer for one reason to several items: whoever
// looked at each would have something to say of it. Spaces and capitals make no other
// reason.
func together(words []schema.Decide) []schema.Decide {
	type saying struct {
		answer schema.ItemAnswer
		reason string
	}
	of := func(w schema.Decide) saying {
		return saying{w.Answer, strings.ToLower(strings.Join(strings.Fields(w.Reason), " "))}
	}
	first, several := map[saying]schema.ItemID{}, map[saying]bool{}
	for _, w := range words {
		if item, ok := first[of(w)]; !ok {
			first[of(w)] = w.ItemID
		} else if item != w.ItemID {
			several[of(w)] = true
		}
	}
	words = slices.Clone(words)
	for n := range words {
		words[n].Bulk = words[n].Bulk || several[of(words[n])]
	}
	return words
}

// closedForAll is CodeClosed when every word is refused for that.
func closedForAll(list []schema.Decided) error {
	if len(list) == 0 || slices.ContainsFunc(list, func(d schema.Decided) bool { return d.Code != string(schema.CodeClosed) }) {
		return nil
	}
	return &schema.Error{Code: schema.CodeClosed, Message: list[0].Message, Fix: list[0].Fix}
}

// chunkOf is how many of the words, from the first on, share a transaction: none of
// them is about the same item, or has the same id, as another.
func chunkOf(words []schema.Decide) int {
	items, ids := map[schema.ItemID]bool{}, map[schema.DecisionID]bool{}
	for n, w := range words {
		if n == wordsAtOnce || n > 0 && (items[w.ItemID] || ids[w.ID]) {
			return n
		}
		items[w.ItemID], ids[w.ID] = true, true
	}
	return len(words)
}

// judgedCampaign is a campaign as judging words needs it.
type judgedCampaign struct {
	ID       schema.CampaignID
	ReviewID schema.AccessReviewID
	Review   string
	Version  int
	State    schema.CampaignState
	Rule     schema.AccessReviewRule
	Reviewer bool // whoever asks had an item of it
}

// saidRow is a decision that was taken, by the person as they are known by now.
type saidRow struct {
	ID         schema.DecisionID
	CampaignID schema.CampaignID
	ItemID     schema.ItemID
	Stage      int
	Version    int
	Answer     schema.ItemAnswer
	Reason     string
	Bulk       bool
	ReviewerID schema.PersonID
	Current    bool
}

const saidColumns = `d.id, d.campaign_id, d.item_id, d.stage, d.version, d.answer, d.reason, d.bulk, coalesce(p.merged_into, p.id) as reviewer_id, d.current`

// judge judges the words of one transaction, and keeps what they come to.
type judge struct {
	*tx
	c       judgedCampaign
	me      schema.PersonID
	persons []schema.PersonID // me, and who was merged into me
	by      schema.Principal
	at      time.Time
	items   map[schema.ItemID]liveItem
	before  map[schema.DecisionID]saidRow
	said    map[schema.ItemID][]saidRow
	old     map[itemVersion]schema.ItemFacts
	fresh   map[schema.ItemID]newFacts // of items that are other than their version

	taken []takenWord
	stale []newFacts
	tell  bool
}

type itemVersion struct {
	ID      schema.ItemID
	Version int
}

// personsOf are the ids of the person of a principal: the one that counts first,
// then those that were merged into it. Empty: they are not known.
const personsOf = `with me as (select coalesce(p.merged_into, p.id) as id from person_email e join person p on p.id = e.person_id where e.email = lower(@email))
	select p.id from me join person p on p.id = me.id or p.merged_into = me.id order by p.id <> me.id, p.id`

// keptPlans makes Postgres plan the statements of deciding once for each
// connection: all of them find few rows by their ids, whatever the values, and
// planning the joins anew takes longer than they do.
const keptPlans = `select set_config('plan_cache_mode', 'force_generic_plan', true)`

// judgeFor reads what words are judged by, with the campaign kept in its state and
// the items locked.
func (t *tx) judgeFor(ctx context.Context, id schema.CampaignID, words []schema.Decide, by schema.Principal, at time.Time) (*judge, error) {
	j := &judge{
		tx: t, by: by, at: at, items: map[schema.ItemID]liveItem{}, before: map[schema.DecisionID]saidRow{}, said: map[schema.ItemID][]saidRow{},
		fresh: map[schema.ItemID]newFacts{},
	}
	var campaigns []judgedCampaign
	var persons []struct{ ID schema.PersonID }
	b := &pgx.Batch{}
	b.Queue(keptPlans)
	queueAll(b, &persons, personsOf, args{"email": by.Email})
	queueAll(b, &campaigns, `select c.id, c.review_id, d.name as review, c.version, c.state, v.rule,
			exists (select 1 from campaign_assignment s where s.campaign_id = c.id and s.reviewer_id in (`+personIDs+`)) as reviewer
		from campaign c join access_review d on d.id = c.review_id
		join access_review_version v on v.review_id = c.review_id and v.version = c.version where c.id = @id for share of c`, args{"id": id, "email": by.Email})
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	switch {
	case len(campaigns) == 0:
		_, err := loadCampaign(ctx, t, id)
		return nil, err
	case len(persons) == 0 || !campaigns[0].Reviewer:
		return nil, &schema.Error{Code: schema.CodeForbidden, Message: "you are no reviewer of this campaign", Fix: "use a token that carries the reviewer's address"}
	}
	j.c, j.me = campaigns[0], persons[0].ID
	for _, p := range persons {
		j.persons = append(j.persons, p.ID)
	}
	return j, j.readItems(ctx, words)
}

// personIDs is personsOf as a subquery.
const personIDs = `select x.id from person_email e join person p on p.id = e.person_id
	join person x on x.id = coalesce(p.merged_into, p.id) or x.merged_into = coalesce(p.merged_into, p.id) where e.email = lower(@email)`

// readItems locks the items of words, and reads them after that.
func (j *judge) readItems(ctx context.Context, words []schema.Decide) error {
	items, ids := []schema.ItemID{}, []schema.DecisionID{}
	for _, w := range words {
		if uuid.Validate(string(w.ItemID)) == nil {
			items = append(items, w.ItemID)
		}
		if uuid.Validate(string(w.ID)) == nil {
			ids = append(ids, w.ID)
		}
	}
	var live []liveItem
	var said []saidRow
	b := &pgx.Batch{}
	b.Queue(lockItems, args{"campaign": j.c.ID, "items": items})
	queueAll(b, &live, selectLiveItems+`where i.campaign_id = @campaign and i.id = any(@items)`, liveArgs(j.persons, j.now, args{"campaign": j.c.ID, "items": items}))
	queueAll(b, &said, `select `+saidColumns+` from campaign_decision d join person p on p.id = d.reviewer_id where d.item_id = any(@items) or d.id = any(@ids)`,
		args{"items": items, "ids": ids})
	if err := j.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	var other []newFacts
	for _, i := range live {
		j.items[i.ID] = i
		if now := i.now(j.c.Rule.Threshold(), j.now); now != i.Facts {
			other = append(other, newFacts{item: i, facts: now})
		}
	}
	if err := j.weighAnew(ctx, other); err != nil {
		return err
	}
	controls, err := j.controlsNow(ctx)
	if err != nil {
		return err
	}
	for _, f := range append(other, controls...) {
		j.fresh[f.item.ID] = f
	}
	for _, d := range said {
		j.before[d.ID] = d
		j.said[d.ItemID] = append(j.said[d.ItemID], d)
	}
	return j.readOld(ctx, words)
}

// controlsNow are the control items that would be others by now: a word about one is
// refused as one about the items beside it is.
func (j *judge) controlsNow(ctx context.Context) ([]newFacts, error) {
	var ids []schema.ItemID
	for id, i := range j.items {
		if i.AccountID == "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := j.otherControls(ctx, j.c.Rule, ids)
	for n := range list {
		live := j.items[list[n].item.ID]
		live.Removed = list[n].item.Removed
		list[n].item = live
	}
	return list, err
}

// readOld reads the facts of versions that words name and items do not have any
// more.
func (j *judge) readOld(ctx context.Context, words []schema.Decide) error {
	ids, versions := []schema.ItemID{}, []int{}
	for _, w := range words {
		if i, ok := j.items[w.ItemID]; ok && w.Version != i.Version {
			ids, versions = append(ids, w.ItemID), append(versions, w.Version)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := all[struct {
		ItemID  schema.ItemID
		Version int
		Facts   schema.ItemFacts
	}](ctx, j, `select v.item_id, v.version, v.facts from unnest(@ids::uuid[], @versions::int[]) as w(id, version)
		join campaign_item_version v on v.item_id = w.id and v.version = w.version`, args{"ids": ids, "versions": versions})
	j.old = make(map[itemVersion]schema.ItemFacts, len(rows))
	for _, r := range rows {
		j.old[itemVersion{r.ItemID, r.Version}] = r.Facts
	}
	return err
}

// raced makes a transaction run again that wrote a decision's id while another one
// did: it finds that one then, and knows the word as a repeat or as a conflict.
func raced(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == codeUniqueViolation && e.ConstraintName == "campaign_decision_pkey" {
		return &pgconn.PgError{Code: codeSerializationFailure}
	}
	return err
}
