package schema

import "time"

// StumblingAlarm says what a campaign failed with. It ends when the campaign goes on or
// ends.
func StumblingAlarm(c Campaign, why string) Alarm {
	return Alarm{
		AccessReviewID: c.ReviewID, CampaignID: c.ID, Code: AlarmCampaignFailed, Message: "campaign " + string(c.ID) + " cannot go on: " + why,
		Fix: "mend the cause; it tries again each hour",
	}
}

// NotBegunAlarm says that the campaign of a scheduled time did not begin. It ends when
// another one begins.
func NotBegunAlarm(review AccessReviewID, at time.Time) Alarm {
	return Alarm{
		AccessReviewID: review, Code: AlarmCampaignNotBegun, Message: "the campaign of " + FormatInstant(at) + " did not begin: the one before is not signed yet",
		Fix: "sign or cancel that one, then start a campaign",
	}
}
