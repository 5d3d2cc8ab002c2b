-- +goose Up

-- Seats and what they cost, from the contract: no vendor's API tells.
CREATE TABLE license (
    connection_id uuid PRIMARY KEY REFERENCES connection,
    seats         bigint NOT NULL CHECK (seats BETWEEN 0 AND 10000000),
    price_minor   bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 100000000000), -- of one seat for one period, in the currency's minor unit
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    period        text NOT NULL CHECK (period IN ('month', 'year')),
    renews_on     date,
    updated_by    text NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- What lists filter and sort by, as columns, so that an index alone answers.
ALTER TABLE account
    ADD COLUMN privileged   boolean NOT NULL GENERATED ALWAYS AS (role <> 'member') STORED,
    ADD COLUMN unmatched    boolean NOT NULL GENERATED ALWAYS AS (person_id IS NULL) STORED,
    -- Never seen in use, seen in use, or seen in use before the vendor says it was made.
    ADD COLUMN use_class    text COLLATE "C" NOT NULL GENERATED ALWAYS AS (CASE WHEN last_active_at IS NULL THEN 'unused'
        WHEN created_at > last_active_at THEN 'odd' ELSE 'used' END) STORED,
    -- The last use; of an account never seen in use its creation.
    ADD COLUMN silent_since timestamptz NOT NULL
        GENERATED ALWAYS AS (coalesce(last_active_at, created_at, '-infinity'::timestamptz)) STORED;

CREATE INDEX account_list ON account (login_key, id);
CREATE INDEX account_list_connection ON account (connection_id, login_key, id);
-- One index serves every filter: what a filter leaves open is enumerated, and the
-- ranges are merged.
CREATE INDEX account_list_filter ON account (connection_id, status, kind, privileged, unmatched, login_key, id);
-- For a threshold and a coverage, a grade is ranges of silent_since.
CREATE INDEX account_list_use ON account (connection_id, status, kind, use_class, silent_since, id);
CREATE INDEX account_missing ON account (connection_id, checked_at NULLS FIRST) WHERE status = 'missing';
CREATE INDEX vendor_group_name ON vendor_group (connection_id, (lower(name)) COLLATE "C", external_id);
CREATE INDEX inventory_change_list ON inventory_change (connection_id, kind, seen_at DESC, id DESC);
CREATE INDEX correlation_issue_kind ON correlation_issue (kind, account_id);

GRANT SELECT, INSERT, UPDATE ON license TO sendoff_app;
