-- +goose Up

-- Seats and what they cost, from the contract: no vendor's API tells.
CREATE TABLE license (
    connection_id uuid PRIMARY KEY REFERENCES connection,
    seats         bigint NOT NULL CHECK (seats >= 0),
    price_minor   bigint NOT NULL CHECK (price_minor >= 0), -- of one seat for one period, in the currency's minor unit
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    period        text NOT NULL CHECK (period IN ('month', 'year')),
    renews_on     date,
    updated_at    timestamptz NOT NULL
);

CREATE INDEX account_list ON account (login_key, id);
CREATE INDEX account_list_connection ON account (connection_id, login_key, id);
CREATE INDEX account_list_status ON account (status, kind, login_key, id);
CREATE INDEX account_list_connection_status ON account (connection_id, status, kind, login_key, id);
CREATE INDEX account_list_privileged ON account (role, login_key, id) WHERE role <> 'member';
CREATE INDEX account_list_use ON account (connection_id, status, kind, last_active_at, id);
CREATE INDEX account_list_orphans ON account (connection_id, login_key, id) WHERE person_id IS NULL;
CREATE INDEX account_missing ON account (connection_id, checked_at NULLS FIRST) WHERE status = 'missing';

GRANT SELECT, INSERT, UPDATE ON license TO sendoff_app;
