-- +goose Up
CREATE TABLE users (id int PRIMARY KEY, name text);
-- +goose StatementBegin
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  -- down
  RETURN 1;
END;
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION f();
DROP TABLE users;
