package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// sourcePurpose separates secrets of sources from everything else that is sealed.
const sourcePurpose = "hr-source"

// longestOverlap is the longest that a replaced secret may go on verifying.
const longestOverlap = 30 * 24 * time.Hour

// The columns of secrets, each sealed for itself.
const (
	secretColumn   = "secret"
	previousColumn = "previous_secret"
	apiKeyColumn   = "api_key"
)

// sourceAAD binds a sealed secret to its column and row, and an API key to the
// URL that it is sent to. Secrets of webhooks are sent nowhere.
func sourceAAD(src schema.Source, column string) []byte {
	if column == apiKeyColumn {
		return columnAAD("hr_source", string(src.ID), column, src.BaseURL)
	}
	return columnAAD("hr_source", string(src.ID), column)
}

// sealedSecrets are secrets as they are stored; nil = none.
type sealedSecrets struct{ current, apiKey []byte }

func (s *Store) sealSecrets(src schema.Source, secrets schema.SourceSecrets) (sealed sealedSecrets, err error) {
	if sealed.current, err = s.sealSecret(src, secretColumn, secrets.Current); err != nil {
		return sealed, err
	}
	sealed.apiKey, err = s.sealSecret(src, apiKeyColumn, secrets.APIKey)
	return sealed, err
}

func (s *Store) sealSecret(src schema.Source, column, plain string) ([]byte, error) {
	if plain == "" {
		return nil, nil
	}
	return s.sealer.Seal(sourcePurpose, sourceAAD(src, column), []byte(plain))
}

func (s *Store) openSecret(src schema.Source, column string, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.sealer.Open(sourcePurpose, sourceAAD(src, column), sealed)
	return string(plain), err
}

// secretsRow is what is needed to open a source's secrets.
type secretsRow struct {
	ID                             schema.SourceID
	Name                           string
	Kind                           schema.SourceKind
	Version                        int64
	BaseURL                        string
	Secret, PreviousSecret, APIKey []byte
}

const secretsColumns = `id, name, kind, version, base_url, secret, api_key,
	case when previous_until > now() then previous_secret end as previous_secret`

func (r secretsRow) source() schema.Source {
	return schema.Source{ID: r.ID, Name: r.Name, Kind: r.Kind, Version: r.Version, BaseURL: r.BaseURL}
}

// SourceSecrets returns a source's secrets, the previous one while it is good.
// CodeNotFound when it was removed; the sealer's own error when key or base URL
// are not those they were sealed with.
func (s *Store) SourceSecrets(ctx context.Context, id schema.SourceID) (schema.SourceSecrets, error) {
	const op = "open the source's secrets"
	var secrets schema.SourceSecrets
	if err := s.requireSealer(); err != nil {
		return secrets, err
	}
	row, ok, err := maybe[secretsRow](ctx, s.pool, `select `+secretsColumns+` from hr_source where id = @id and state <> 'removed'`, args{"id": id})
	if err == nil && !ok {
		err = noSource(string(id))
	}
	if err != nil {
		return secrets, translate(op, err)
	}
	src := row.source()
	if secrets.Current, err = s.openSecret(src, secretColumn, row.Secret); err != nil {
		return schema.SourceSecrets{}, translate(op, err)
	}
	if secrets.Previous, err = s.openSecret(src, previousColumn, row.PreviousSecret); err != nil {
		return schema.SourceSecrets{}, translate(op, err)
	}
	if secrets.APIKey, err = s.openSecret(src, apiKeyColumn, row.APIKey); err != nil {
		return schema.SourceSecrets{}, translate(op, err)
	}
	return secrets, nil
}

// RotateSource replaces the secrets that are given. The secret before goes on
// verifying webhooks for the overlap; one before that is forgotten at once.
func (s *Store) RotateSource(
	ctx context.Context, name string, secrets schema.SourceSecrets, overlap time.Duration, by schema.Principal,
) (schema.Source, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Source{}, err
	}
	if err := s.requireSealer(); err != nil {
		return schema.Source{}, err
	}
	if secrets.Current == "" && secrets.APIKey == "" {
		return schema.Source{}, &schema.Error{Code: schema.CodeInvalid, Message: "a rotation needs a secret", Fix: "give the new secret, the new API key, or both"}
	}
	if overlap < 0 || overlap > longestOverlap {
		return schema.Source{}, &schema.Error{Code: schema.CodeInvalid, Message: "an overlap of " + overlap.String() + " is not possible", Fix: "give 0 to 720h"}
	}
	var rotated schema.Source
	err := s.inTx(ctx, "rotate the source's secrets", func(ctx context.Context, t *tx) error {
		row, ok, err := maybe[secretsRow](ctx, t, `select `+secretsColumns+` from hr_source
			where name = @name and state <> 'removed' for no key update`, args{"name": name})
		if err == nil && !ok {
			err = noSource(name)
		}
		if err != nil {
			return err
		}
		rotated, err = s.rotateSource(ctx, t, row, secrets, overlap, by)
		return err
	})
	return rotated, err
}

func (s *Store) rotateSource(
	ctx context.Context, t *tx, row secretsRow, secrets schema.SourceSecrets, overlap time.Duration, by schema.Principal,
) (schema.Source, error) {
	src := row.source()
	if src.Kind == schema.SourceSCIM || src.Kind == schema.SourceCSV || src.Kind == schema.SourceManual {
		return schema.Source{}, conflict("source "+src.Name+" has no secrets", "sources of the kind scim have tokens")
	}
	sealed, err := s.sealSecrets(src, secrets)
	if err != nil {
		return schema.Source{}, err
	}
	var previous []byte // sealed for its own column, so that the two cannot be swapped
	var until time.Time
	details := map[string]string{}
	if sealed.current != nil {
		details["secret"] = "replaced"
		if row.Secret != nil && overlap > 0 {
			before, err := s.openSecret(src, secretColumn, row.Secret)
			if err != nil {
				return schema.Source{}, err
			}
			if previous, err = s.sealSecret(src, previousColumn, before); err != nil {
				return schema.Source{}, err
			}
			until = t.now.Add(overlap)
			details["previous_until"] = schema.FormatInstant(until)
		}
	}
	if sealed.apiKey != nil {
		details["api_key"] = "replaced"
	}
	updated, err := one[sourceRow](ctx, t, `update hr_source set version = version + 1, updated_at = @now,
			previous_secret = case when @secret::bytea is null then previous_secret else @previous::bytea end,
			previous_until = case when @secret::bytea is null then previous_until else @until::timestamptz end,
			secret = coalesce(@secret::bytea, secret), api_key = coalesce(@api_key::bytea, api_key)
		where id = @id returning `+sourceColumns,
		args{"id": row.ID, "now": t.now, "secret": sealed.current, "previous": previous, "until": until, "api_key": sealed.apiKey})
	if err != nil {
		return schema.Source{}, err
	}
	t.recordSource(src, by, "source.rotated", details)
	return updated.source(), nil
}
