-- +goose Up
ALTER TABLE users ADD COLUMN mail text;
-- +goose Down
ALTER TABLE users DROP COLUMN mail;
