// SQL that creates a malicious schema. Tests put it in front of pg_catalog in search_path to prove that our SQL qualifies every
// name.
//
// Threads: constants.
#pragma once

namespace athanor::test {

// Creates schema `evil` with a function, an operator, a view and a type for each one of pg_catalog's that can be imitated. An
// unqualified name then fails with "hijacked" or finds the wrong table or type.
inline constexpr const char* kHijack = R"(
CREATE SCHEMA evil;
DO $do$
DECLARE f record; o record;
BEGIN
  FOR f IN SELECT p.oid, p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, p.prorettype::regtype AS result, p.proretset
           FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
           AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a JOIN pg_type t ON t.oid = a WHERE t.typtype = 'p')
           AND p.prorettype::regtype::text NOT IN ('internal', 'trigger', 'event_trigger', 'cstring', 'record', 'any', 'language_handler')
           AND p.proargnames IS NULL LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''hijacked''; END $f$',
                     f.proname, f.arguments, CASE WHEN f.proretset THEN 'SETOF' ELSE '' END, f.result);
    EXCEPTION WHEN others THEN NULL; END;
  END LOOP;
  FOR o IN SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS result FROM pg_operator
           WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0 AND oprright <> 0 LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION evil.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''hijacked''; END $f$',
                     'op ' || o.oprname, o.l, o.r, o.result);
      EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.%I, LEFTARG = %s, RIGHTARG = %s)', o.oprname, 'op ' || o.oprname, o.l, o.r);
    EXCEPTION WHEN others THEN NULL; END;
  END LOOP;
  FOR f IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') LOOP
    EXECUTE format('CREATE VIEW evil.%I AS SELECT 1 AS hijacked', f.relname);
  END LOOP;
  FOR f IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname !~ '^_' LOOP
    BEGIN
      EXECUTE format('CREATE TYPE evil.%I AS ENUM (''hijacked'')', f.typname);
    EXCEPTION WHEN others THEN NULL; END;
  END LOOP;
END $do$;
CREATE FUNCTION evil.count() RETURNS bigint LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked'; END $f$;
CREATE FUNCTION evil.max(bigint) RETURNS bigint LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked'; END $f$;
CREATE FUNCTION evil.max(text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked'; END $f$;
CREATE FUNCTION evil.array_agg(text) RETURNS text[] LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked'; END $f$;
)";

}  // namespace athanor::test
