-- +goose Up

ALTER TABLE connection
    ADD COLUMN owner       text NOT NULL DEFAULT '',
    ADD COLUMN health      text NOT NULL DEFAULT 'pending' CHECK (health IN ('pending', 'active', 'degraded', 'failed')),
    ADD COLUMN health_code text NOT NULL DEFAULT '',
    ADD COLUMN health_at   timestamptz,
    DROP CONSTRAINT connection_auth_kind_check,
    ADD CONSTRAINT connection_auth_kind_check CHECK (auth_kind IN ('client_credentials', 'jwt', 'authorization_code'));

-- What the doctor last found, whole.
CREATE TABLE diagnosis (
    connection_id uuid PRIMARY KEY REFERENCES connection,
    at            timestamptz NOT NULL,
    since         timestamptz NOT NULL, -- when the health became what it is
    body          jsonb NOT NULL
);

CREATE TABLE alarm (
    id            uuid PRIMARY KEY,
    connection_id uuid REFERENCES connection,
    code          text NOT NULL,
    message       text NOT NULL,
    fix           text NOT NULL,
    raised_at     timestamptz NOT NULL,
    told_at       timestamptz,
    cleared_at    timestamptz
);
CREATE UNIQUE INDEX alarm_open ON alarm (connection_id, code) NULLS NOT DISTINCT WHERE cleared_at IS NULL;
CREATE INDEX alarm_list ON alarm (raised_at DESC, id DESC);

-- What an authorization code was traded for. Refresh tokens are single use: only
-- who holds the claim uses the present one.
CREATE TABLE connection_grant (
    connection_id uuid PRIMARY KEY REFERENCES connection,
    generation    bigint NOT NULL,
    sealed        bytea, -- access and refresh token; null once removed
    expires_at    timestamptz NOT NULL,
    claimed_until timestamptz, -- a refresh is under way
    unanswered    boolean NOT NULL DEFAULT false, -- a claim ran out without an answer: the refresh token may be used
    lost          text NOT NULL DEFAULT '' CHECK (lost IN ('', 'expired', 'revoked', 'unanswered')),
    updated_at    timestamptz NOT NULL
);
-- Sign-ins in the browser that have begun.
CREATE TABLE consent (
    state_hash bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    sealed     bytea, -- the connection to make, secret included; null once used
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CHECK ((sealed IS NULL) = (used_at IS NOT NULL))
);
CREATE INDEX consent_expiry ON consent (expires_at);

GRANT SELECT, INSERT, UPDATE ON diagnosis, alarm, connection_grant TO sendoff_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON consent TO sendoff_app;
