-- +goose Up

-- Who the account's items are shared with, read before a dated case is due: the
-- snapshot then asks only for what is new.
ALTER TABLE plan ADD COLUMN deep jsonb;
