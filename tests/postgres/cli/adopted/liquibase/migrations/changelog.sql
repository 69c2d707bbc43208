--liquibase formatted sql

--changeset ann:1
--comment: users
CREATE TABLE users (id int PRIMARY KEY, name text);
--rollback DROP TABLE users;

--changeset "bob b":idx runInTransaction:false
CREATE INDEX CONCURRENTLY users_name ON users (name);
--rollback DROP INDEX users_name;

--changeset ann:fn splitStatements:false endDelimiter:/
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
/
--changeset ann:ora dbms:oracle
CREATE TABLE o (id number);
