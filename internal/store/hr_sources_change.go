package store

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"sendoff/schema"
)

// UpdateSource replaces what people may set of a source; its name and kind stay,
// for its employments are known by them. An API key is forgotten when the address
// it is sent to changes. CodeConflict when the source is no longer at src.Version.
// Audited with what differs.
func (s *Store) UpdateSource(ctx context.Context, src schema.Source, by schema.Principal) (schema.Source, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Source{}, err
	}
	var updated schema.Source
	err := s.inTx(ctx, "change source", func(ctx context.Context, t *tx) error {
		before, err := t.lockSource(ctx, src.Name)
		if err != nil {
			return err
		}
		if before.Version != src.Version || src.ID != "" && src.ID != before.ID {
			return conflict("source "+src.Name+" was changed meanwhile", "look at it and change it again")
		}
		src.Kind = before.Kind
		if err := checkSettings(src); err != nil {
			return err
		}
		updated, err = t.updateSource(ctx, before, src, by)
		return err
	})
	return updated, err
}

func (t *tx) updateSource(ctx context.Context, before, src schema.Source, by schema.Principal) (schema.Source, error) {
	members := sourceMembers(before, src)
	if len(members) == 0 {
		return before, nil
	}
	details := map[string]string{}
	for _, m := range members {
		details[m.name+"_from"], details[m.name+"_to"] = m.before, m.after
	}
	a := settings(src)
	a["id"], a["now"] = before.ID, t.now
	row, err := one[sourceRow](ctx, t, `update hr_source set time_zone = @time_zone, template = @template, receivers = @receivers,
			approvals = @approvals, owner = @owner, rhythm_seconds = @rhythm, limit_number = @limit_number, limit_percent = @limit_percent,
			limit_window_seconds = @limit_window, mapping = @mapping, signature = @signature, base_url = @base_url, poll_seconds = @poll::bigint,
			next_poll_at = case when @poll::bigint > 0 then least(coalesce(next_poll_at, @now::timestamptz), @now::timestamptz + @poll::bigint * interval '1 second') end,
			api_key = case when base_url = @base_url then api_key end,
			version = version + 1, updated_at = @now
		where id = @id returning `+sourceColumns, a)
	if err != nil {
		return schema.Source{}, err
	}
	t.recordSource(before, by, "source.changed", details)
	return row.source(), nil
}

// SetSourceState enables, disables or removes a source. Removing forgets its
// secrets and revokes its tokens. Whoever changes it has seen its alarms: they
// end, but for that of a held batch. The built-in source stays as it is.
func (s *Store) SetSourceState(ctx context.Context, name string, to schema.ConnectionState, reason string, by schema.Principal) (schema.Source, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Source{}, err
	}
	switch to {
	case schema.ConnectionEnabled, schema.ConnectionDisabled, schema.ConnectionRemoved:
	default:
		return schema.Source{}, &schema.Error{Code: schema.CodeInvalid, Message: "a source cannot become " + strconv.Quote(string(to))}
	}
	var src schema.Source
	err := s.inTx(ctx, "change source", func(ctx context.Context, t *tx) (err error) {
		if src, err = t.lockSource(ctx, name); err != nil || src.State == to {
			return err
		}
		if src.Kind == schema.SourceManual {
			return conflict("source "+name+" is built in: what people say by hand always counts", "")
		}
		src, err = t.moveSource(ctx, src, to, reason, by)
		return err
	})
	return src, err
}

func (t *tx) moveSource(ctx context.Context, src schema.Source, to schema.ConnectionState, reason string, by schema.Principal) (schema.Source, error) {
	row, err := one[sourceRow](ctx, t, `update hr_source set state = @to, version = version + 1, updated_at = @now,
			next_poll_at = case when @to = 'enabled' and poll_seconds > 0 then @now::timestamptz when @to <> 'removed' then next_poll_at end,
			secret = case when @to <> 'removed' then secret end,
			previous_secret = case when @to <> 'removed' then previous_secret end,
			previous_until = case when @to <> 'removed' then previous_until end,
			api_key = case when @to <> 'removed' then api_key end
		where id = @id and state = @from returning `+sourceColumns,
		args{"id": src.ID, "from": src.State, "to": to, "now": t.now})
	if err != nil {
		return src, err
	}
	err = t.run(ctx, `update alarm set cleared_at = @now where source_id = @id and cleared_at is null and code <> @held`,
		args{"id": src.ID, "now": t.now, "held": schema.AlarmBatchHeld})
	if err == nil && to == schema.ConnectionRemoved {
		err = t.run(ctx, `update hr_source_token set revoked_at = @now where source_id = @id and revoked_at is null`,
			args{"id": src.ID, "now": t.now})
	}
	t.recordSource(src, by, "source."+string(to), map[string]string{"from": string(src.State), "to": string(to), "reason": reason})
	return row.source(), err
}

// memberChange is one member of a source that differs.
type memberChange struct{ name, before, after string }

// sourceMembers are the members people may set that differ, as the audit log
// keeps them: for ever, so without addresses.
func sourceMembers(before, after schema.Source) []memberChange {
	var out []memberChange
	say := func(name, from, to string, differs bool) {
		if differs {
			out = append(out, memberChange{name, from, to})
		}
	}
	text := func(name, from, to string) { say(name, from, to, from != to) }
	text("time_zone", before.TimeZone, after.TimeZone)
	text("template", before.Template, after.Template)
	text("approvals", strconv.Itoa(before.Approvals), strconv.Itoa(after.Approvals))
	text("rhythm", before.Rhythm.String(), after.Rhythm.String())
	text("limit_number", strconv.Itoa(before.Limit.Number), strconv.Itoa(after.Limit.Number))
	text("limit_percent", strconv.Itoa(before.Limit.Percent), strconv.Itoa(after.Limit.Percent))
	text("limit_window", before.Limit.Window.String(), after.Limit.Window.String())
	text("mapping", jsonText(before.Mapping), jsonText(after.Mapping))
	text("signature", jsonText(before.Signature), jsonText(after.Signature))
	text("base_url", before.BaseURL, after.BaseURL)
	text("poll_every", before.PollEvery.String(), after.PollEvery.String())
	say("owner", withoutAddress(before.Owner), withoutAddress(after.Owner), before.Owner != after.Owner)
	from, to := strings.Join(before.Receivers, ","), strings.Join(after.Receivers, ",")
	say("receivers", withoutAddress(before.Receivers...), withoutAddress(after.Receivers...), from != to)
	return out
}

// jsonText is a member of several parts as one text; "" for none.
func jsonText[T any](v *T) string {
	if v == nil {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?" // texts and lists always encode
	}
	return string(text)
}

// withoutAddress joins words and says of addresses only that they are some.
func withoutAddress(words ...string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; strings.Contains(w, "@") {
			out[i] = "(address)"
		}
	}
	return strings.Join(out, ",")
}
