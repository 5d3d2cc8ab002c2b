-- +goose Up

-- How a connection signs in. With jwt the secret is the vendor's whole
-- configuration file, private key included.
ALTER TABLE connection ADD COLUMN auth_kind text NOT NULL DEFAULT 'client_credentials'
    CHECK (auth_kind IN ('client_credentials', 'jwt'));
