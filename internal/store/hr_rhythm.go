package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// heardSQL is when a source s was last heard. Its newest event counts besides: of
// many events at once only some note that the source was heard.
const heardSQL = `greatest(s.created_at, s.last_heard_at, (select e.received_at from hr_event e where e.source_id = s.id order by e.seq desc limit 1))`

// CheckRhythms raises AlarmFeedSilent for each enabled source that told nothing
// for longer than its rhythm, tells of it once per silence, and ends the alarms of
// those that were heard since. It returns how many fell silent. Secrets whose
// overlap is over are forgotten with it.
func (s *Store) CheckRhythms(ctx context.Context) (int, error) {
	n := 0
	err := s.inTx(ctx, "check the rhythm of sources", func(ctx context.Context, t *tx) error {
		silent, err := all[silentSource](ctx, t, `select s.id, s.name, s.rhythm_seconds, h.heard from hr_source s
			cross join lateral (select `+heardSQL+` as heard) as h
			where s.state = 'enabled' and s.rhythm_seconds > 0 and h.heard < @now::timestamptz - s.rhythm_seconds * interval '1 second'
				and not exists (select 1 from alarm a where a.source_id = s.id and a.code = @code and a.cleared_at is null)
			order by s.id for no key update of s skip locked`, args{"now": t.now, "code": schema.AlarmFeedSilent})
		if err != nil {
			return err
		}
		n = 0
		for _, src := range silent {
			raised, err := t.raiseAlarmOnce(ctx, src.alarm(t.now))
			if err != nil {
				return err
			}
			if !raised {
				continue
			}
			n++
			if err := t.notice(ctx, schema.NoticeFeedSilent, noticeAbout{sourceID: src.ID}); err != nil {
				return err
			}
		}
		return t.endSilences(ctx)
	})
	return n, err
}

func (t *tx) endSilences(ctx context.Context) error {
	err := t.run(ctx, `update alarm a set cleared_at = @now from hr_source s
		where a.source_id = s.id and a.code = @code and a.cleared_at is null and (s.state <> 'enabled' or s.rhythm_seconds = 0
			or `+heardSQL+` >= @now::timestamptz - s.rhythm_seconds * interval '1 second')`, args{"now": t.now, "code": schema.AlarmFeedSilent})
	if err != nil {
		return err
	}
	return t.run(ctx, `update hr_source set previous_secret = null, previous_until = null where previous_until <= @now`, args{"now": t.now})
}

type silentSource struct {
	ID            schema.SourceID
	Name          string
	RhythmSeconds int64
	Heard         time.Time
}

func (s silentSource) alarm(now time.Time) schema.Alarm {
	return schema.Alarm{
		SourceID: s.ID, Code: schema.AlarmFeedSilent,
		Message: "source " + s.Name + " told nothing for " + now.Sub(s.Heard).Truncate(time.Minute).String() +
			"; it is expected every " + (time.Duration(s.RhythmSeconds) * time.Second).String() + ": people may have left unheard",
		Fix: "see whether " + s.Name + " still sends and its secret or token is still valid; or give it another rhythm",
	}
}
