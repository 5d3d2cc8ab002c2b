package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const noticeRulesColumns = `version, body, source, updated_by, updated_at`

// noticeRulesRow is one version of the rules.
type noticeRulesRow struct {
	Version   int
	Body      noticeRulesBody
	Source    string
	UpdatedBy string
	UpdatedAt time.Time
}

// noticeRulesBody is what a file of rules says.
type noticeRulesBody struct {
	Routes []schema.NoticeRoute          `json:"routes"`
	Texts  map[schema.NoticeEvent]string `json:"texts"`
}

func (r noticeRulesRow) rules() schema.NoticeRules {
	return schema.NoticeRules{
		Version: r.Version, Routes: r.Body.Routes, Texts: r.Body.Texts, Source: r.Source, UpdatedBy: r.UpdatedBy, UpdatedAt: r.UpdatedAt,
	}
}

// newestNoticeRules returns the rules that count, and whether there are any.
func newestNoticeRules(ctx context.Context, q querier) (schema.NoticeRules, bool, error) {
	r, ok, err := maybe[noticeRulesRow](ctx, q, `select `+noticeRulesColumns+` from notice_rules order by version desc limit 1`, nil)
	return r.rules(), ok, err
}

// NoticeRules returns the rules that count; version 0 when none were applied.
func (s *Store) NoticeRules(ctx context.Context) (schema.NoticeRules, error) {
	r, _, err := newestNoticeRules(ctx, s.pool)
	return r, translate("read the rules of notices", err)
}

// NoticeRulesVersion returns one version of the rules; CodeNotFound.
func (s *Store) NoticeRulesVersion(ctx context.Context, version int) (schema.NoticeRules, error) {
	if version == 0 {
		return schema.NoticeRules{}, nil
	}
	r, ok, err := maybe[noticeRulesRow](ctx, s.pool, `select `+noticeRulesColumns+` from notice_rules where version = @version`, args{"version": version})
	if err == nil && !ok {
		err = notFound("version of the rules of notices", strconv.Itoa(version))
	}
	return r.rules(), translate("read the rules of notices", err)
}

// ApplyNoticeRules stores rules that were read from a file. Version is the one
// that was looked at, 0 = there were none: CodeConflict when another is there by
// now. Rules whose file says nothing new stay as they are. It returns them as they
// are now.
func (s *Store) ApplyNoticeRules(ctx context.Context, want schema.NoticeRules, by schema.Principal) (schema.NoticeRules, error) {
	if err := checkPrincipal(by); err != nil {
		return want, err
	}
	var applied schema.NoticeRules
	err := s.inTx(ctx, "apply the rules of notices", func(ctx context.Context, t *tx) error {
		if err := t.lockKey(ctx, "notice rules"); err != nil {
			return err
		}
		last, exists, err := newestNoticeRules(ctx, t)
		if err != nil {
			return err
		}
		if last.Version != want.Version {
			return conflict(fmt.Sprintf("the rules were looked at as version %d and are version %d now", want.Version, last.Version),
				"look at the difference again, then apply")
		}
		if applied = last; exists && last.Source == want.Source {
			return nil
		}
		applied = want
		applied.Version, applied.UpdatedBy, applied.UpdatedAt = last.Version+1, by.Name, t.now
		return t.insertNoticeRules(ctx, applied, by)
	})
	return applied, err
}

// insertNoticeRules writes a version. The audit record has its hash and no
// address: the log is for ever.
func (t *tx) insertNoticeRules(ctx context.Context, r schema.NoticeRules, by schema.Principal) error {
	sum := sha256.Sum256([]byte(r.Source))
	t.record(audit.SystemStream, principal(by), "notice_rules.applied", audit.Subject{}, map[string]string{
		"version": strconv.Itoa(r.Version), "routes": strconv.Itoa(len(r.Routes)), "texts": strconv.Itoa(len(r.Texts)), "source_sha256": hex.EncodeToString(sum[:]),
	})
	return t.run(ctx, `insert into notice_rules (version, body, source, updated_by, updated_at) values (@version, @body, @source, @by, @now)`, args{
		"version": r.Version, "body": noticeRulesBody{Routes: r.Routes, Texts: r.Texts}, "source": r.Source, "by": by.Name, "now": t.now,
	})
}
