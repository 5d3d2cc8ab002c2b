package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"sendoff/schema"
)

// acceptable tells whether a signature may accept what stands open: it is listed as
// an exception under it then. Doubted decisions need a second look instead.
func acceptable(code schema.FindingCode) bool {
	return code == schema.CampaignUndecided || code == schema.CampaignOpenRemovals || code == schema.CampaignFailedRemovals
}

// signBlocks is what stands against a sign-off of a campaign now, in a fixed order;
// empty = it may be signed.
func signBlocks(ctx context.Context, q querier, c schema.Campaign, rule schema.AccessReviewRule) ([]schema.Finding, error) {
	list := []schema.Finding{}
	add := func(n int64, code schema.FindingCode, message, fix string) {
		if n > 0 {
			list = append(list, schema.Finding{Code: code, Message: message, Fix: fix})
		}
	}
	if c.State != schema.CampaignClosed && c.State != schema.CampaignSigned && c.State != schema.CampaignEnded {
		list = append(list, schema.Finding{
			Code: schema.CampaignNotClosed, Message: "the campaign is " + string(c.State), Fix: closedBy(c),
		})
	}
	stats, err := reviewerStats(ctx, q, c.ID, rule)
	if err != nil {
		return nil, err
	}
	var alarmed int64
	for _, s := range stats {
		if !s.Cleared() {
			alarmed++
		}
	}
	add(alarmed, schema.CampaignHasAlarms, strconv.FormatInt(alarmed, 10)+" of the reviewers decided in a way that is doubted", "let somebody else take a second look at their decisions")
	n, err := one[struct{ Undecided, Open, Failed int64 }](ctx, q, `select
			count(*) filter (where i.state in ('unassigned', 'open', 'undecided')) as undecided,
			count(*) filter (where i.state = 'decided' and i.answer = 'revoke' and coalesce(m.state, 'wanted') in ('wanted', 'planned', 'ready', 'started')) as open,
			count(*) filter (where i.state = 'decided' and i.answer = 'revoke' and m.state in ('refused', 'impossible', 'withdrawn', 'undone')) as failed
		from campaign_item i left join campaign_removal m on m.id = i.removal_id where i.campaign_id = @id and i.account_id is not null`, args{"id": c.ID})
	if err != nil {
		return nil, err
	}
	add(n.Undecided, schema.CampaignUndecided, schema.UndecidedItems(n.Undecided), "have them decided, or accept that with the signature")
	add(n.Open, schema.CampaignOpenRemovals, schema.Items(n.Open, "is revoked and not proven to be gone yet", "are revoked and not proven to be gone yet"), "wait for their removals, or accept that with the signature")
	add(n.Failed, schema.CampaignFailedRemovals, schema.Items(n.Failed, "is revoked and could not be removed", "are revoked and could not be removed"), "remove them by hand, correct the decisions, or accept that with the signature")
	return list, nil
}

// closedBy is how a campaign that is not closed comes to be that.
func closedBy(c schema.Campaign) string {
	switch c.State {
	case schema.CampaignDraft:
		return "start it: sendoff review start " + string(c.ID)
	case schema.CampaignOpen:
		return "wait until it is closed, or close it: sendoff review close " + string(c.ID) + " --reason TEXT, with --early while items are open"
	case schema.CampaignHeld:
		return "two different people release its removals: sendoff batches release " + string(c.BatchID) + " --size N --reason TEXT; or one discards them"
	case schema.CampaignClosing, schema.CampaignRemoving:
		return "wait until it is closed: that needs nobody"
	}
	return "wait until it is open and its reviewers have decided"
}

// SignCampaign signs a closed campaign: CodeForbidden for whoever is not its owner,
// CodeConflict with what stands against it. In the same transaction it keeps what
// render makes of the evidence, and its hash. render may run more than once.
func (s *Store) SignCampaign(ctx context.Context, id schema.CampaignID, w schema.SignOff, render func(schema.CampaignEvidence) ([]byte, error),
	by schema.Principal,
) (schema.Campaign, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Campaign{}, err
	}
	var signed schema.Campaign
	err := s.inTx(ctx, "sign a campaign", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil {
			return err
		}
		open, err := t.maySign(ctx, c, w, by)
		if err != nil {
			return err
		}
		err = t.moveCampaign(ctx, &c, schema.CampaignSigned, `, signed_at = @now, signed_by = @by, signed_id = @token, sign_reason = @reason`,
			args{"now": t.now, "by": by.Name, "token": by.TokenID, "reason": w.Reason})
		if err != nil {
			return err
		}
		if err := t.keepEvidence(ctx, c, open, w, render, by); err != nil {
			return err
		}
		signed, err = loadCampaign(ctx, t, id)
		return err
	})
	return signed, err
}

// maySign returns what stands open and is accepted.
func (t *tx) maySign(ctx context.Context, c schema.Campaign, w schema.SignOff, by schema.Principal) ([]schema.Finding, error) {
	if err := t.requireOwner(ctx, c, by); err != nil {
		return nil, err
	}
	if c.State == schema.CampaignSigned || c.State == schema.CampaignEnded {
		return nil, conflict("the campaign is "+string(c.State)+" already", "")
	}
	rule, err := campaignRule(ctx, t, c)
	if err != nil {
		return nil, err
	}
	blocks, err := signBlocks(ctx, t, c, rule)
	if err != nil {
		return nil, err
	}
	e := &schema.Error{Code: schema.CodeConflict, Message: "the campaign cannot be signed yet"}
	for _, f := range blocks {
		if !acceptable(f.Code) || !w.AcceptOpen {
			e.Problems = append(e.Problems, schema.Problem{Code: string(f.Code), Message: f.Message, Fix: f.Fix})
		}
	}
	if len(e.Problems) > 0 {
		return nil, e
	}
	if len(blocks) > 0 && strings.TrimSpace(w.Reason) == "" {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "accepting what stands open needs a reason", Fix: "say why"}
	}
	return blocks, nil
}

// requireOwner refuses whoever is not the campaign's owner: by the address that the
// rule names, or another one of the same person.
func (t *tx) requireOwner(ctx context.Context, c schema.Campaign, by schema.Principal) error {
	own := by.Email != "" && strings.EqualFold(by.Email, c.Owner)
	if !own {
		person, err := t.personOf(ctx, by)
		if err != nil {
			return err
		}
		owner, err := t.personOf(ctx, schema.Principal{Email: c.Owner})
		if err != nil {
			return err
		}
		own = person != "" && person == owner
	}
	if own {
		return nil
	}
	return &schema.Error{Code: schema.CodeForbidden, Message: "only the campaign's owner signs it", Fix: "use a token that carries the owner's address"}
}

// keepEvidence renders the evidence of a campaign that was signed just now, and
// keeps it as it is.
func (t *tx) keepEvidence(ctx context.Context, c schema.Campaign, open []schema.Finding, w schema.SignOff,
	render func(schema.CampaignEvidence) ([]byte, error), by schema.Principal,
) error {
	e, err := campaignEvidence(ctx, t, c.ID, t.now)
	if err != nil {
		return err
	}
	e.Exceptions = open
	body, err := render(e)
	if err != nil {
		return err
	}
	packed, err := pack(body)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	err = t.run(ctx, `insert into campaign_evidence (campaign_id, body, hash, created_at) values (@id, @body, @hash, @now)`,
		args{"id": c.ID, "body": packed, "hash": hash, "now": t.now})
	if err != nil {
		return err
	}
	codes := make([]string, len(open))
	for i, f := range open {
		codes[i] = string(f.Code)
	}
	t.recordCampaign(c, principal(by), "campaign.signed", map[string]string{
		"reason": w.Reason, "evidence": hash, "bytes": strconv.Itoa(len(body)), "accepted": strings.Join(codes, " "),
	})
	if err := t.changeOne(ctx, `update campaign set evidence = @hash where id = @id`, args{"id": c.ID, "hash": hash}); err != nil {
		return err
	}
	return t.tellCampaign(ctx, c.ID)
}

func pack(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// SignedEvidence returns what was rendered when the campaign was signed; CodeNotFound
// for one that is not. What is not what was signed any more is refused.
func (s *Store) SignedEvidence(ctx context.Context, id schema.CampaignID) ([]byte, error) {
	const op = "read signed evidence"
	row, ok, err := maybe[struct {
		Body []byte
		Hash string
	}](ctx, s.pool, `select body, hash from campaign_evidence where campaign_id = @id`, args{"id": id})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "the campaign " + string(id) + " is not signed", Fix: "export what there is now, or have it signed"}
	}
	if err != nil {
		return nil, translate(op, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(row.Body))
	if err != nil {
		return nil, translate(op, err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		return nil, translate(op, err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != row.Hash {
		return nil, &schema.Error{Code: schema.CodeInternal, Message: "the evidence that is kept is not what was signed", Fix: "restore it from a backup; the audit log has its hash"}
	}
	return body, nil
}
