-- +goose Up

-- One row: the database that this installation last worked with. A restored,
-- copied or promoted one is another, and nothing may go on in it before somebody
-- has said what became of the time between (sendoff recover).
CREATE TABLE database_identity (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity    text NOT NULL CHECK (identity <> ''),
    recorded_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON database_identity TO sendoff_app;
