-- +goose Up

-- What the facts of an earlier version spoke for, how risky they were and what helped to
-- decide, as whoever decided by that version saw it. risk '' = of a version before this
-- was kept.
ALTER TABLE campaign_item_version
    ADD COLUMN context         jsonb,
    ADD COLUMN recommended     text NOT NULL DEFAULT '' CHECK (recommended IN ('', 'keep', 'revoke')),
    ADD COLUMN recommended_for jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN risk            text NOT NULL DEFAULT '' CHECK (risk IN ('', 'low', 'medium', 'high')),
    ADD COLUMN score           int NOT NULL DEFAULT 0,
    ADD COLUMN risk_for        jsonb NOT NULL DEFAULT '[]';
