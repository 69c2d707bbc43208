#include "migrations/lint/live_facts.hpp"

#include <charconv>
#include <map>

namespace athanor {
namespace {

// Rows are the planner's estimate; a table that was never analysed has none. Columns are separated by line feeds, so that no
// name needs quoting.
constexpr std::string_view kQuery = R"(
WITH user_schema AS (
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\_toast%' AND nspname NOT LIKE 'pg\_temp%'
), relation AS (
  SELECT c.oid, s.nspname, c.relname, c.relkind, c.reltuples
  FROM pg_catalog.pg_class c JOIN user_schema s ON s.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm')
)
SELECT 'server', pg_catalog.current_setting('server_version_num'), '', '', '', ''
UNION ALL
SELECT 'table', nspname, relname, relkind::text, CASE WHEN reltuples >= 0 THEN reltuples::bigint::text ELSE '' END, ''
FROM relation
UNION ALL
SELECT 'column', r.nspname, r.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull::text
FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', r.nspname, r.relname, k.conname, k.contype::text || CASE WHEN k.convalidated THEN 'v' ELSE 'n' END ||
         CASE WHEN k.contype = 'c' AND pg_catalog.array_length(k.conkey, 1) = 1 AND
                   pg_catalog.pg_get_expr(k.conbin, k.conrelid) ~ '^\([^()]* IS NOT NULL\)$' THEN 'N' ELSE '' END,
       COALESCE((SELECT pg_catalog.string_agg(a.attname, E'\n' ORDER BY o.place)
                 FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY o(number, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.number), '')
FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid WHERE k.contype IN ('p', 'u', 'c', 'f')
UNION ALL
SELECT 'reference', r.nspname, r.relname, k.conname, s.nspname, p.relname
FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f'
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace s ON s.oid = p.relnamespace
UNION ALL
SELECT 'index', r.nspname, r.relname, i.relname,
       CASE WHEN x.indisunique THEN 'u' ELSE '-' END || CASE WHEN x.indpred IS NULL THEN '-' ELSE 'p' END ||
         CASE WHEN x.indpred IS NULL AND x.indexprs IS NULL THEN '' ELSE
           (SELECT E'\n' || pg_catalog.string_agg(DISTINCT a.attname, E'\n')
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.oid
              AND d.refclassid = d.classid AND d.refobjid = r.oid AND d.refobjsubid > 0) END,
       (SELECT pg_catalog.string_agg(COALESCE(a.attname, ''), E'\n' ORDER BY o.place)
        FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY o(number, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = o.number AND o.number > 0)
FROM relation r JOIN pg_catalog.pg_index x ON x.indrelid = r.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT 'domain', s.nspname, t.typname,
       (t.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))::text,
       pg_catalog.format_type(t.typbasetype, t.typtypmod), ''
FROM pg_catalog.pg_type t JOIN user_schema s ON s.oid = t.typnamespace WHERE t.typtype = 'd'
)";

QualifiedName named(std::string schema, std::string name) {
  return {schema == "public" ? std::string() : std::move(schema), std::move(name)};
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return lines;
    }
    text.remove_prefix(end + 1);
  }
}

template <typename Number>
std::optional<Number> number_of(const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

class LiveReader {
 public:
  explicit LiveReader(LiveDatabase& live) : live_(live) {}

  void take(const Rows& rows, std::size_t row) {
    const auto text = [&](std::size_t column) { return rows.text(row, column); };
    const std::string kind = text(0);
    if (kind == "server") {
      live_.postgres = number_of<int>(text(1)).value_or(0) / 10'000;
      return;
    }
    const QualifiedName name = named(text(1), text(2));
    if (kind == "domain") {
      live_.facts.add_domain(name, {text(3) == "true", type_named(text(4))});
      return;
    }
    KnownTable& table = live_.facts.table(name);
    if (kind == "table") {
      table.partitioned = text(3) == "p";
      table.rows = number_of<std::int64_t>(text(4));
    } else if (kind == "column") {
      table.columns[text(3)] = {type_named(text(4)), text(5) == "true"};
    } else if (kind == "constraint") {
      table.constraints[text(3)] = constraint(text(4), lines_of(text(5)));
    } else if (kind == "reference") {
      table.constraints[text(3)].references = named(text(4), text(5));
    } else if (kind == "index") {
      live_.facts.add_index(named(text(1), text(3)), index(name, lines_of(text(4)), lines_of(text(5))));
    }
  }

 private:
  // The type as the parser names it: the server has several spellings for one type.
  std::optional<TypeWords> type_named(const std::string& text) {
    const auto known = types_.find(text);
    if (known != types_.end()) {
      return known->second;
    }
    std::optional<TypeWords> type;
    if (const auto tree = StatementTree::of_sql("SELECT NULL::" + text)) {
      const TreeNode select = tree->root()["stmts"].first()["stmt"]["SelectStmt"];
      type = type_in(select["targetList"].first()["ResTarget"]["val"]["TypeCast"]["typeName"]);
    }
    types_.emplace(text, type);
    return type;
  }

  // `traits`: "u" and "p" for a unique and a partial index, then the columns of one with an expression or a condition.
  static KnownIndex index(const QualifiedName& table, const std::vector<std::string>& traits,
                          std::vector<std::string> columns) {
    KnownIndex facts{table, std::move(columns), traits.front().starts_with('u'), traits.front().ends_with('p')};
    facts.rebuilt_with.insert(traits.begin() + 1, traits.end());
    return facts;
  }

  static KnownConstraint constraint(const std::string& kind, std::vector<std::string> columns) {
    KnownConstraint facts;
    facts.kind = kind[0] == 'p'   ? "CONSTR_PRIMARY"
                 : kind[0] == 'u' ? "CONSTR_UNIQUE"
                 : kind[0] == 'f' ? "CONSTR_FOREIGN"
                                  : "CONSTR_CHECK";
    facts.columns = std::move(columns);
    facts.validated = kind[1] == 'v';
    if (kind.ends_with('N')) {
      facts.not_null_column = facts.columns.front();
    }
    return facts;
  }

  LiveDatabase& live_;
  std::map<std::string, std::optional<TypeWords>> types_;
};

}  // namespace

Result<LiveDatabase> read_live_database(ReadSession& session) {
  TRY_ASSIGN(const Rows rows, session.query(kQuery));
  LiveDatabase live;
  LiveReader reader(live);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    reader.take(rows, row);
  }
  return live;
}

void complete(KnownSchema& known, const KnownSchema& live) {
  for (const auto& [name, facts] : live.tables()) {
    const bool was_known = known.find(name) != nullptr;
    KnownTable& table = known.table(name);
    table.rows = facts.rows;
    table.partitioned = table.partitioned || facts.partitioned;
    if (!was_known) {
      table.columns = facts.columns;
      table.constraints = facts.constraints;
    }
  }
  for (const auto& [name, facts] : live.indexes()) {
    if (known.index(name) == nullptr) {
      known.add_index(name, facts);
    }
  }
  for (const auto& [name, domain] : live.domains()) {
    if (!known.domains().contains(name)) {
      known.add_domain(name, domain);
    }
  }
}

}  // namespace athanor
