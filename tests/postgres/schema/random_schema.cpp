#include "tests/postgres/schema/random_schema.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace athanor::test {
namespace {

constexpr unsigned kPercent = 100;
constexpr int kTables = 4;
constexpr int kColumns = 6;

std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

std::uint64_t hash(std::uint64_t seed, const std::string& name, std::uint64_t salt) {
  std::uint64_t value = mix(seed ^ mix(salt));
  for (const char letter : name) {
    value = mix(value ^ static_cast<unsigned char>(letter));
  }
  return value;
}

struct TypeChoice {
  const char* name;
  std::vector<const char*> defaults;
};

const std::vector<TypeChoice>& types() {
  static const std::vector<TypeChoice> kTypes{
      {"integer", {"7", "-1", "1 + 2"}},
      {"bigint", {"7", "0"}},
      {"text", {"'x'", "lower('X')", "app.norm('a')"}},
      {"varchar(20)", {"'x'", "''"}},
      {"varchar(40)", {"'x'"}},
      {"numeric(10,2)", {"0", "1.5"}},
      {"boolean", {"true", "false"}},
      {"date", {"CURRENT_DATE", "'2020-01-01'"}},
      {"timestamptz", {"now()"}},
      {"jsonb", {"'{}'"}},
      {"app.status", {"'a'", "'b'"}},
      {"app.status[]", {"'{a}'"}},
      {"app.email", {"'x@y'"}},
      {"app.pair", {}},
      {"uuid", {}},
      {"int4range", {}},
  };
  return kTypes;
}

}  // namespace

// What sql() is put together from.
class SchemaText {
 public:
  SchemaText(const RandomSchema& schema, int server_version) : schema_(schema), server_version_(server_version) {}

  std::string make() {
    say("CREATE SCHEMA app; CREATE SCHEMA aux");
    make_types();
    make_functions();
    for (int table = 0; table < kTables; ++table) {
      if (draw("t" + std::to_string(table), 5) != 0) {
        make_table(table);
      }
    }
    make_foreign_keys();
    make_partitions();
    make_inheritance();
    make_views();
    make_small_kinds();
    make_comments_and_grants();
    return text_;
  }

 private:
  struct Column {
    std::string name, type;
    bool generated = false;
  };

  unsigned draw(const std::string& name, unsigned count) const { return schema_.draw(name, count); }
  bool often(const std::string& name) const { return draw(name, 3) != 0; }
  bool rarely(const std::string& name) const { return draw(name, 5) == 0; }
  template <std::size_t Size>
  const char* pick(const std::string& name, const std::array<const char*, Size>& from) const {
    return from.at(draw(name, Size));
  }
  void say(const std::string& sql) { text_ += sql + ";\n"; }

  void make_types() {
    say(std::string("CREATE TYPE app.status AS ENUM (") +
        pick<6>("status", {"'a', 'b', 'c'", "'a', 'b'", "'a', 'b', 'c', 'd'", "'z', 'a', 'b', 'c'", "'b', 'a', 'c'",
                           "'a', 'x', 'b', 'c'"}) +
        ')');
    say(std::string("CREATE DOMAIN app.email AS ") + pick<3>("email", {"text", "varchar(80)", "text COLLATE \"C\""}) +
        pick<3>("email.default", {"", " DEFAULT 'a@b'", " DEFAULT 'c@d'"}));
    if (often("email.check")) {
      say(std::string("ALTER DOMAIN app.email ADD CONSTRAINT has_at CHECK (VALUE ") +
          pick<2>("email.check.text", {"LIKE '%@%')", "~ '@')"}) + (rarely("email.check.valid") ? " NOT VALID" : ""));
    }
    say(std::string("CREATE TYPE app.pair AS (") +
        pick<4>("pair", {"x integer, y text", "x integer", "x bigint, y text", "x integer, y text, z date"}) + ')');
    if (often("span")) {
      say(std::string("CREATE TYPE app.span AS RANGE (subtype = ") + pick<2>("span.type", {"integer)", "bigint)"}));
    }
    if (often("counter")) {
      constexpr int kUnloggedSequences = 150000;
      const bool unlogged = rarely("counter.unlogged") && server_version_ >= kUnloggedSequences;
      say("CREATE " + std::string(unlogged ? "UNLOGGED " : "") + "SEQUENCE app.counter" +
          pick<5>("counter.options",
                  {"", " MINVALUE 1000 START 1000", " INCREMENT 5 CACHE 20", " AS integer CYCLE", " INCREMENT -1"}));
    }
  }

  void make_functions() {
    const std::string argument = pick<2>("norm.argument", {"value", "given"});
    say("CREATE FUNCTION app.norm(" + argument + " text" + (rarely("norm.default") ? " DEFAULT 'n'" : "") +
        ") RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT " + pick<2>("norm.body", {"lower(", "btrim("}) + argument + ") $$");
    say(std::string("CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ") +
        pick<2>("touch.body", {"RETURN NEW;", "RETURN NULL;"}) + " END $$");
    if (often("rank")) {
      say(std::string("CREATE FUNCTION app.rank(s app.status) RETURNS ") + pick<2>("rank.result", {"integer", "bigint"}) +
          " LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$");
      has_rank_ = true;
    }
    if (rarely("proc")) {
      say(std::string("CREATE PROCEDURE app.clear(") + pick<2>("proc.args", {"INOUT n integer", "n integer"}) +
          ") LANGUAGE plpgsql AS $$ BEGIN NULL; END $$");
    }
    if (often("total")) {
      say(std::string("CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '") +
          pick<2>("total.start", {"0", "10"}) + "')");
    }
  }

  Column make_column(const std::string& table, int number, std::string& definition) {
    const std::string key = table + ".c" + std::to_string(number);
    Column column{"c" + std::to_string(number), ""};
    const TypeChoice& type = types()[draw(key + ".type", static_cast<unsigned>(types().size()))];
    column.type = type.name;
    definition = column.name + ' ' + type.name;
    if (column.type == "text" && rarely(key + ".collation")) {
      definition += " COLLATE \"C\"";
    }
    if (number == 5 && often(key + ".generated")) {
      column.type = "bigint";
      column.generated = true;
      definition = column.name + " bigint GENERATED ALWAYS AS (id * " + pick<2>(key + ".expression", {"2", "3"}) + ") STORED";
      return column;
    }
    if (!type.defaults.empty() && often(key + ".default")) {
      definition +=
          std::string(" DEFAULT ") + type.defaults[draw(key + ".default.value", static_cast<unsigned>(type.defaults.size()))];
    }
    if (rarely(key + ".not_null")) {
      definition += " NOT NULL";
    }
    return column;
  }

  void make_table(int number) {
    const std::string name = "t" + std::to_string(number);
    const std::string key_type = pick<5>(name + ".id", {"integer", "bigint", "serial", "integer GENERATED ALWAYS AS IDENTITY",
                                                        "integer GENERATED BY DEFAULT AS IDENTITY (START 10 INCREMENT 2)"});
    std::string body = "id " + key_type + (key_type == "integer" || key_type == "bigint" ? " NOT NULL" : "");
    std::vector<Column> columns;
    for (int index = 0; index < kColumns; ++index) {
      if (draw(name + ".c" + std::to_string(index), 3) != 0) {
        std::string definition;
        columns.push_back(make_column(name, index, definition));
        body += ", " + definition;
      }
    }
    const bool has_key = often(name + ".key");
    say("CREATE " + std::string(rarely(name + ".unlogged") ? "UNLOGGED " : "") + "TABLE app." + name + " (" + body + ')' +
        (rarely(name + ".fill") ? " WITH (fillfactor = 70)" : ""));
    tables_[number] = columns;
    if (has_key) {
      say("ALTER TABLE app." + name + " ADD CONSTRAINT " + name + (rarely(name + ".key.name") ? "_key" : "_pkey") +
          " PRIMARY KEY (id)" + (rarely(name + ".key.defer") ? " DEFERRABLE" : ""));
      keyed_.insert(number);
      is_bigint_[number] = key_type == "bigint";
    }
    make_parts(name, columns, has_key);
  }

  void make_parts(const std::string& name, const std::vector<Column>& columns, bool has_key) {
    for (const Column& column : columns) {
      const std::string key = name + '.' + column.name;
      if (rarely(key + ".index")) {
        const bool status = column.type == "app.status" && often(key + ".partial");
        const bool text = column.type == "text" && often(key + ".expression");
        const std::string expression = column.type == "jsonb" ? "(" + column.name + "::text)"
                                       : text                 ? "app.norm(" + column.name + ")"
                                                              : column.name;
        say("CREATE " + std::string(rarely(key + ".unique") ? "UNIQUE " : "") + "INDEX " + name + '_' + column.name +
            (rarely(key + ".index.name") ? "_index" : "_idx") + " ON app." + name + " (" + expression + ')' +
            (status ? " WHERE " + column.name + " = 'a'" : ""));
        indexes_.push_back(name);
      }
      if (column.type == "integer" && often(key + ".check")) {
        say("ALTER TABLE app." + name + " ADD CONSTRAINT " + name + '_' + column.name + "_check CHECK (" + column.name +
            pick<2>(key + ".check.text", {" > 0)", " <> 5)"}) + (rarely(key + ".check.valid") ? " NOT VALID" : ""));
      }
      if (column.type == "app.status" && often(key + ".check")) {
        say("ALTER TABLE app." + name + " ADD CONSTRAINT " + name + '_' + column.name + "_is CHECK (" + column.name +
            " <> 'b')");
      }
      if (column.type == "text" && rarely(key + ".storage")) {
        say("ALTER TABLE app." + name + " ALTER " + column.name + " SET STORAGE EXTERNAL");
      }
      if (!column.generated && rarely(key + ".statistics")) {
        say("ALTER TABLE app." + name + " ALTER " + column.name + " SET STATISTICS 50");
      }
    }
    if (rarely(name + ".trigger")) {
      say("CREATE TRIGGER touch " + std::string(pick<2>(name + ".trigger.when", {"BEFORE INSERT", "BEFORE INSERT OR UPDATE"})) +
          " ON app." + name + " FOR EACH ROW EXECUTE FUNCTION app.touch()");
      if (rarely(name + ".trigger.off")) {
        say("ALTER TABLE app." + name + " DISABLE TRIGGER touch");
      }
    }
    if (rarely(name + ".policy")) {
      say("ALTER TABLE app." + name + " ENABLE ROW LEVEL SECURITY");
      say("CREATE POLICY mine ON app." + name + pick<3>(name + ".policy.for", {"", " FOR SELECT", " AS RESTRICTIVE"}) +
          " USING (" + policy_condition(name, columns) + ')');
    }
    if (rarely(name + ".rule")) {
      say("CREATE RULE keep AS ON DELETE TO app." + name + " DO INSTEAD NOTHING");
    }
    if (rarely(name + ".identity")) {
      say("ALTER TABLE app." + name + " REPLICA IDENTITY " + (has_key && often(name + ".identity.how") ? "FULL" : "NOTHING"));
    }
    if (columns.size() > 1 && columns[0].type != "jsonb" && columns[1].type != "jsonb" && rarely(name + ".extended") &&
        columns[0].type != "app.pair" && columns[1].type != "app.pair") {
      say("CREATE STATISTICS app." + name + "_stat ON " + columns[0].name + ", " + columns[1].name + " FROM app." + name);
    }
  }

  std::string policy_condition(const std::string& name, const std::vector<Column>& columns) const {
    for (const Column& column : columns) {
      if (column.type == "app.status") {
        return column.name + " = 'a'";
      }
    }
    return pick<2>(name + ".policy.text", {"id > 0", "id > 1"});
  }

  bool is_logged(int table) const { return !rarely("t" + std::to_string(table) + ".unlogged"); }

  void make_foreign_keys() {
    for (const auto& [number, columns] : tables_) {
      for (const Column& column : columns) {
        const std::string key = "fk" + std::to_string(number) + column.name;
        const int target = static_cast<int>(draw(key + ".target", kTables));
        if ((column.type == "integer" || column.type == "bigint") && !column.generated && keyed_.contains(target) &&
            rarely(key) && is_logged(target) && is_logged(number) &&
            draw("t" + std::to_string(target) + ".key.defer", 5) != 0) {
          say("ALTER TABLE app.t" + std::to_string(number) + " ADD CONSTRAINT t" + std::to_string(number) + '_' + column.name +
              "_fkey FOREIGN KEY (" + column.name + ") REFERENCES app.t" + std::to_string(target) + "(id)" +
              pick<3>(key + ".action", {"", " ON DELETE CASCADE", " DEFERRABLE INITIALLY DEFERRED"}) +
              (rarely(key + ".valid") ? " NOT VALID" : ""));
        }
      }
    }
  }

  void make_partitions() {
    if (draw("p", 3) == 0) {
      return;
    }
    say(std::string("CREATE TABLE app.p (id ") + pick<2>("p.id", {"integer", "bigint"}) +
        " NOT NULL, made date NOT NULL, note text" + (often("p.default") ? " DEFAULT 'n'" : "") +
        ") PARTITION BY RANGE (made)");
    for (int year = 0; year < 3; ++year) {
      const std::string name = "p" + std::to_string(year);
      if (often(name)) {
        say("CREATE TABLE app." + name + " PARTITION OF app.p FOR VALUES FROM ('202" + std::to_string(year) +
            "-01-01') TO ('202" + std::to_string(year + 1) + "-01-01')");
        if (rarely(name + ".default")) {
          say("ALTER TABLE app." + name + " ALTER note SET DEFAULT 'own'");
        }
        if (rarely(name + ".index")) {
          say("CREATE INDEX " + name + "_own ON app." + name + " (note)");
        }
      }
    }
    if (often("p.key")) {
      say("ALTER TABLE app.p ADD PRIMARY KEY (id, made)");
    }
    if (often("p.index")) {
      say("CREATE INDEX p_made ON app.p (made" + std::string(rarely("p.index.note") ? ", note" : "") + ')');
    }
    if (rarely("p.extra")) {
      say("ALTER TABLE app.p ADD extra integer");
    }
  }

  void make_inheritance() {
    if (!rarely("h")) {
      return;
    }
    say(std::string("CREATE TABLE app.h (id integer, note ") + pick<2>("h.note", {"text", "varchar(30)"}) +
        (rarely("h.default") ? " DEFAULT 'h'" : "") + ')');
    say("CREATE TABLE app.hc (more integer) INHERITS (app.h)");
    if (rarely("hc.default")) {
      say("ALTER TABLE app.hc ALTER note SET DEFAULT 'child'");
    }
  }

  void make_views() {
    if (tables_.empty()) {
      return;
    }
    const auto& [number, columns] = *tables_.begin();
    std::string list = "id";
    for (const Column& column : columns) {
      if (often("v0." + column.name)) {
        list += ", " + column.name;
      }
    }
    if (often("v0")) {
      say("CREATE VIEW app.v0" + std::string(rarely("v0.invoker") ? " WITH (security_barrier = true)" : "") + " AS SELECT " +
          list + " FROM app.t" + std::to_string(number) + pick<2>("v0.where", {"", " WHERE id > 0"}));
      has_view_ = true;
      if (often("v1")) {
        say("CREATE VIEW app.v1 AS SELECT id, app.norm('x') AS n FROM app.v0");
      }
      if (rarely("v0.trigger")) {
        say("CREATE TRIGGER instead INSTEAD OF INSERT ON app.v0 FOR EACH ROW EXECUTE FUNCTION app.touch()");
      }
    }
    const auto& [last, last_columns] = *tables_.rbegin();
    if (often("m0")) {
      say("CREATE MATERIALIZED VIEW app.m0 AS SELECT id, " + (last_columns.empty() ? std::string("1") : last_columns[0].name) +
          " AS first FROM app.t" + std::to_string(last));
      say("CREATE INDEX m0_id ON app.m0 (id)");
    }
    if (keyed_.contains(number) && rarely("v2") && draw("t" + std::to_string(number) + ".key.defer", 5) != 0) {
      say("CREATE VIEW app.v2 AS SELECT " + list + ", count(*) AS n FROM app.t" + std::to_string(number) + " GROUP BY id");
    }
  }

  void make_small_kinds() {
    if (rarely("operator")) {
      say(std::string("CREATE OPERATOR app.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = ") +
          pick<2>("operator.f", {"int4eq)", "int4ne)"}));
    }
    if (rarely("cast")) {
      say(std::string("CREATE CAST (app.pair AS text) WITH INOUT") + pick<2>("cast.as", {"", " AS ASSIGNMENT"}));
    }
    if (rarely("search")) {
      say(std::string("CREATE TEXT SEARCH DICTIONARY app.words (TEMPLATE = simple, accept = ") +
          pick<2>("search.accept", {"true)", "false)"}));
      say("CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = default)");
      say(std::string("ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR ") +
          pick<2>("search.map", {"asciiword", "word"}) + " WITH app.words");
    }
    if (rarely("foreign")) {
      say("CREATE FOREIGN DATA WRAPPER app_wrapper");
      say(std::string("CREATE SERVER app_server FOREIGN DATA WRAPPER app_wrapper") +
          pick<2>("foreign.options", {"", " OPTIONS (host 'h', port '1')"}));
      say(std::string("CREATE FOREIGN TABLE app.f (id integer, note ") + pick<2>("foreign.type", {"text", "integer"}) +
          ") SERVER app_server" + pick<2>("foreign.table", {"", " OPTIONS (file 'x')"}));
    }
    if (rarely("collation")) {
      say(std::string("CREATE COLLATION app.ordered (LOCALE = '") + pick<2>("collation.locale", {"C')", "POSIX')"}));
    }
    if (rarely("publication")) {
      const bool logged = !tables_.empty() && !rarely("t" + std::to_string(tables_.begin()->first) + ".unlogged");
      say("CREATE PUBLICATION app_publication" +
          (logged ? " FOR TABLE app.t" + std::to_string(tables_.begin()->first) : std::string()));
    }
    if (rarely("event")) {
      say("CREATE FUNCTION app.seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$");
      say("CREATE EVENT TRIGGER app_event ON ddl_command_end EXECUTE FUNCTION app.seen()");
    }
    if (rarely("aux")) {
      say(std::string("CREATE TABLE aux.log (at ") + pick<2>("aux.type", {"timestamptz", "timestamp"}) +
          ", status app.status)");
    }
  }

  void make_comments_and_grants() {
    for (const auto& [number, columns] : tables_) {
      const std::string name = "t" + std::to_string(number);
      if (rarely(name + ".comment")) {
        say("COMMENT ON TABLE app." + name + " IS '" + pick<2>(name + ".comment.text", {"one", "it''s two"}) + "'");
      }
      if (!columns.empty() && rarely(name + ".comment.column")) {
        say("COMMENT ON COLUMN app." + name + '.' + columns[0].name + " IS 'first'");
      }
      if (rarely(name + ".grant")) {
        say(std::string("GRANT ") + pick<3>(name + ".grant.what", {"SELECT", "SELECT, INSERT", "SELECT (id)"}) + " ON app." +
            name + " TO app_reader" + (rarely(name + ".grant.option") ? " WITH GRANT OPTION" : ""));
      }
    }
    if (has_view_ && rarely("v0.comment")) {
      say("COMMENT ON VIEW app.v0 IS 'seen'; COMMENT ON COLUMN app.v0.id IS 'its id'; GRANT SELECT ON app.v0 TO app_reader");
    }
    if (rarely("norm.revoke")) {
      say("REVOKE EXECUTE ON FUNCTION app.norm(text) FROM PUBLIC");
    }
    if (rarely("status.comment")) {
      say("COMMENT ON TYPE app.status IS 'states'");
    }
    if (rarely("defaults")) {
      say("ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_reader");
    }
    if (rarely("owner") && !tables_.empty()) {
      say("GRANT CREATE ON SCHEMA app TO app_reader; ALTER TABLE app.t" + std::to_string(tables_.begin()->first) +
          " OWNER TO app_reader");
    }
  }

  const RandomSchema& schema_;
  int server_version_;
  std::string text_;
  std::map<int, std::vector<Column>> tables_;
  std::set<int> keyed_;
  std::map<int, bool> is_bigint_;
  std::vector<std::string> indexes_;
  bool has_view_ = false;
  bool has_rank_ = false;
};

RandomSchema RandomSchema::mutate(std::uint64_t seed, unsigned percent) const {
  RandomSchema next = *this;
  next.layers_.push_back({seed, percent});
  return next;
}

unsigned RandomSchema::draw(const std::string& name, unsigned count) const {
  std::uint64_t seed = seed_;
  for (const Layer& layer : layers_) {
    if (hash(layer.seed, name, 1) % kPercent < layer.percent) {
      seed = layer.seed;
    }
  }
  return static_cast<unsigned>(hash(seed, name, 2) % count);
}

std::string RandomSchema::sql(int server_version) const {
  return SchemaText(*this, server_version).make();
}

std::string RandomSchema::clean_up() {
  return "SET client_min_messages = warning; DROP EVENT TRIGGER IF EXISTS app_event; DROP PUBLICATION IF EXISTS "
         "app_publication; "
         "DROP FOREIGN DATA WRAPPER IF EXISTS app_wrapper CASCADE; DROP SCHEMA IF EXISTS app CASCADE; "
         "DROP SCHEMA IF EXISTS aux CASCADE";
}

}  // namespace athanor::test
