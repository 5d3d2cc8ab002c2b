package notices

import (
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// campaignLines stand in every text to a reviewer. No account is named in a mail:
// whose access it is, the reviewer reads where they sign in.
const campaignLines = "Review: {{campaign}}\nWaiting for you: {{open}}, {{high}} of high risk\nAnswer until: {{due}}\n\n" +
	"For each, say whether it is still needed: keep it or revoke it. What is revoked is taken away.\n\nTo decide: {{link}}\n\nQuestions about it: {{owner}}\n"

// campaignText is the text of an event of a campaign.
func campaignText(e schema.NoticeEvent) string {
	switch e {
	case schema.NoticeReviewAsk:
		return "Please review access: {{campaign}}\n\nYou are asked because you know best who needs what.\n\n" + campaignLines
	case schema.NoticeReviewRemind:
		return "Still to review: {{campaign}}\n\nYou have not decided about all that you were asked.\n\n" + campaignLines
	case schema.NoticeReviewEscalated:
		return "Access to review has come to you: {{campaign}}\n\nSomebody else did not decide in time, so that you are asked.\n\n" + campaignLines
	case schema.NoticeReviewOwner:
		return "{{campaign}} needs you\n\nWhat it needs: {{needs}}\nWhat to do: {{fix}}\n\nReview: {{campaign}}\nDeadline: {{due}}\n\nTo look at it: {{link}}\n"
	}
	return ""
}

// campaignPlaceholders lists what may stand in the text of an event of a campaign.
func campaignPlaceholders(e schema.NoticeEvent) []string {
	if e == schema.NoticeReviewOwner {
		return []string{"{{campaign}}", "{{needs}}", "{{fix}}", "{{due}}", "{{link}}"}
	}
	return []string{"{{campaign}}", "{{open}}", "{{high}}", "{{due}}", "{{link}}", "{{owner}}"}
}

func campaignValues(f schema.NoticeFacts) map[string]string {
	c := f.Campaign
	if c == nil {
		return nil
	}
	due := "no deadline yet"
	if !c.DueAt.IsZero() {
		due = instant(c.DueAt, f.TimeZone, schema.ZoneNone)
	}
	needs, fixes := []string{}, []string{}
	for _, n := range c.Needs {
		needs, fixes = append(needs, string(n.Code)+": "+n.What), append(fixes, n.Fix)
	}
	if len(needs) == 0 {
		needs, fixes = append(needs, "its signature: nothing stands against it"), append(fixes, "look at it and sign it (sendoff review sign)")
	}
	return map[string]string{
		"{{campaign}}": c.Title, "{{open}}": count(c.Open, "access", "accesses"), "{{high}}": strconv.Itoa(c.High), "{{due}}": due,
		"{{link}}": campaignLink(f), "{{owner}}": or(c.Owner, "whoever runs sendoff"), "{{needs}}": strings.Join(needs, "; "), "{{fix}}": strings.Join(fixes, "; "),
	}
}

// campaignLink is where a campaign is decided: the page, or the command where no
// page is reached.
func campaignLink(f schema.NoticeFacts) string {
	switch {
	case f.PublicURL != "":
		return strings.TrimRight(f.PublicURL, "/") + "/review/" + string(f.Campaign.ID)
	case f.Event == schema.NoticeReviewOwner:
		return "sendoff review show " + string(f.Campaign.ID)
	}
	return "sendoff review queue"
}

// demoCampaign is a campaign about nobody.
func demoCampaign(e schema.NoticeEvent) *schema.NoticeCampaignFacts {
	c := &schema.NoticeCampaignFacts{
		ID: "0197c0de-0000-7000-8000-000000000004", Title: "Box, every quarter", Owner: "security@example.com",
		DueAt: time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC), Open: 12, High: 3,
	}
	if e == schema.NoticeReviewOwner {
		c.Open, c.High = 0, 0
		c.Needs = []schema.NoticeNeed{
			{Code: schema.CampaignHasAlarms, What: "1 of the reviewers decided in a way that is doubted", Fix: "let somebody else take a second look at their decisions"},
			{Code: schema.CampaignUndecided, What: "2 items are not decided", Fix: "have them decided, or accept that with the signature"},
		}
	}
	return c
}
