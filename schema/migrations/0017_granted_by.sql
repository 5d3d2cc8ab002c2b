-- +goose Up

-- Who gave a group its access, as the vendor says: login and name; empty = it does
-- not say, or has not been asked since.
ALTER TABLE staged_collaboration
    ADD COLUMN granted_by      text NOT NULL DEFAULT '',
    ADD COLUMN granted_by_name text NOT NULL DEFAULT '';
ALTER TABLE group_collaboration
    ADD COLUMN granted_by      text NOT NULL DEFAULT '',
    ADD COLUMN granted_by_name text NOT NULL DEFAULT '';
