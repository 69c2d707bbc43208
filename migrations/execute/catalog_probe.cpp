#include "migrations/execute/catalog_probe.hpp"

#include <algorithm>

#include "migrations/execute/index_model.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

using Kind = RecoveryProbe::Kind;
using Scope = RecoveryProbe::Scope;

// Relations of the index's name in the table's schema, and whether each may be the index that the statement describes. $1
// table, $2 index name ('' when the server chooses it), $3 OIDs of earlier indexes, $4 unique, $5 access method, $6 columns,
// one per line (an expression is an empty line), $7 number of columns, $8 partial.
constexpr std::string_view kIndexes =
    "SELECT c.oid, i.indisvalid, pg_catalog.format('%I.%I', n.nspname, c.relname),"
    " i.indrelid OPERATOR(pg_catalog.=) t.oid AND i.indisunique OPERATOR(pg_catalog.=) $4::pg_catalog.bool"
    " AND am.amname OPERATOR(pg_catalog.=) $5::pg_catalog.name AND i.indnatts OPERATOR(pg_catalog.=) $7::pg_catalog.int4"
    " AND ($8::pg_catalog.bool OR i.indpred IS NULL)"
    " AND NOT EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.string_to_array($6::pg_catalog.text, pg_catalog.chr(10), ''))"
    " WITH ORDINALITY AS want(name, place) WHERE want.name IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a"
    " WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attname OPERATOR(pg_catalog.=) want.name::pg_catalog.name"
    " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[(want.place OPERATOR(pg_catalog.-) 1)::pg_catalog.int4]))"
    " FROM pg_catalog.pg_class t"
    " JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) t.relnamespace"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
    " LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid"
    " LEFT JOIN pg_catalog.pg_am am ON am.oid OPERATOR(pg_catalog.=) c.relam"
    " WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text) AND"
    " CASE WHEN $2::pg_catalog.text OPERATOR(pg_catalog.=) '' THEN i.indrelid OPERATOR(pg_catalog.=) t.oid"
    " AND NOT c.oid OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.oid[])"
    " ELSE c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name END";
enum IndexColumn { IndexOid, IndexIsValid, IndexName, IndexMayBeOurs };

// The relations that a REINDEX covers: $1 is a relation (with its partitions) or the name of a schema.
std::string reached(Scope scope) {
  switch (scope) {
    case Scope::Index:
    case Scope::Table:
      return "SELECT pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid AS oid UNION"
             " SELECT p.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1::pg_catalog.text)) p";
    case Scope::Schema:
      return "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=)"
             " c.relnamespace WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name";
    case Scope::Database:
      break;
  }
  return "SELECT c.oid FROM pg_catalog.pg_class c WHERE $1::pg_catalog.text IS NOT NULL";
}

// A failed REINDEX CONCURRENTLY leaves INVALID copies of the indexes it rebuilds. They belong to the same table and have the
// same definition. Their name is that of the original plus _ccnew or _ccold; the original is truncated if the result would
// exceed 63 bytes, and a number is appended if the name is taken. $2: OIDs of indexes that existed before.
std::string leftovers(Scope scope) {
  const std::string stem = "pg_catalog.regexp_replace(l.relname::pg_catalog.text, '_cc(new|old)[0-9]*$', '')";
  return "WITH named AS (" + reached(scope) +
         "), reached AS (SELECT named.oid FROM named UNION SELECT c.reltoastrelid FROM pg_catalog.pg_class c"
         " JOIN named ON named.oid OPERATOR(pg_catalog.=) c.oid)"
         " SELECT l.oid, pg_catalog.format('%I.%I', n.nspname, l.relname),"
         " pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_index li"
         " JOIN pg_catalog.pg_class l ON l.oid OPERATOR(pg_catalog.=) li.indexrelid"
         " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) l.relnamespace"
         " WHERE NOT li.indisvalid AND l.relname::pg_catalog.text OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'"
         " AND NOT l.oid OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[])"
         " AND EXISTS (SELECT FROM pg_catalog.pg_index oi"
         " JOIN pg_catalog.pg_class o ON o.oid OPERATOR(pg_catalog.=) oi.indexrelid"
         " WHERE oi.indrelid OPERATOR(pg_catalog.=) li.indrelid AND oi.indexrelid OPERATOR(pg_catalog.<>) li.indexrelid"
         " AND EXISTS (SELECT FROM reached WHERE reached.oid OPERATOR(pg_catalog.=) oi.indrelid"
         " OR reached.oid OPERATOR(pg_catalog.=) oi.indexrelid)"
         " AND o.relam OPERATOR(pg_catalog.=) l.relam"
         " AND pg_catalog.format('%s|%s|%s|%s|%s|%s', oi.indkey, oi.indclass, oi.indcollation, oi.indoption,"
         " pg_catalog.pg_get_expr(oi.indexprs, oi.indrelid), pg_catalog.pg_get_expr(oi.indpred, oi.indrelid))"
         " OPERATOR(pg_catalog.=)"
         " pg_catalog.format('%s|%s|%s|%s|%s|%s', li.indkey, li.indclass, li.indcollation, li.indoption,"
         " pg_catalog.pg_get_expr(li.indexprs, li.indrelid), pg_catalog.pg_get_expr(li.indpred, li.indrelid))"
         " AND (o.relname::pg_catalog.text OPERATOR(pg_catalog.=) " +
         stem + " OR (pg_catalog.octet_length(l.relname::pg_catalog.text) OPERATOR(pg_catalog.>=) 60 AND" +
         " pg_catalog.starts_with(o.relname::pg_catalog.text, " + stem + "))))";
}

// {16400,16407}
std::string oid_array(const std::vector<std::string>& oids) {
  std::string text = "{";
  for (const auto& oid : oids) {
    text += (text.size() > 1 ? "," : "") + oid;
  }
  return text + "}";
}

// The qualified name of the relation or type that `name` resolves to in this session; the name as written when nothing
// resolves.
Result<std::string> resolved(ReadSession& session, bool type, const std::string& schema, const std::string& name) {
  const std::string written = qualified_name(schema, name);
  TRY_ASSIGN(const Rows rows,
             session.query(type ? "SELECT pg_catalog.format('%I.%I', n.nspname, t.typname) FROM pg_catalog.pg_type t"
                                  " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace"
                                  " WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regtype($1)"
                                : "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c"
                                  " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                                  " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
                           {written}));
  return rows.empty() ? written : rows.text(0, 0);
}

class CatalogQuestion {
 public:
  CatalogQuestion(ReadSession& session, const RecoveryProbe& what, const std::optional<CatalogRecord>& before)
      : session_(session), what_(what), before_(before) {}

  Result<CatalogObservation> ask() {
    TRY(ask_kind());
    observation_.record.state = probe_state_name(observation_.state);
    return std::move(observation_);
  }

 private:
  Result<void> ask_kind() {
    switch (what_.kind) {
      case Kind::CreateIndexConcurrently:
        return created_index();
      case Kind::DropIndexConcurrently:
        TRY(object(what_.schema, what_.object));
        return state_of(
            "SELECT i.indisvalid FROM pg_catalog.pg_index i"
            " WHERE i.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)",
            {objects()[0]}, "t");
      case Kind::AddEnumValue:
        TRY(object(what_.schema, what_.object, true));
        return state_of(
            "SELECT 1 FROM pg_catalog.pg_enum e"
            " WHERE e.enumtypid OPERATOR(pg_catalog.=) pg_catalog.to_regtype($1::pg_catalog.text)"
            " AND e.enumlabel OPERATOR(pg_catalog.=) $2::pg_catalog.name",
            {objects()[0], what_.value}, "1");
      case Kind::DetachPartitionConcurrently:
        TRY(object(what_.schema, what_.object));
        TRY(object(what_.value_schema, what_.value));
        return state_of(
            "SELECT h.inhdetachpending FROM pg_catalog.pg_inherits h"
            " WHERE h.inhparent OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)"
            " AND h.inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2::pg_catalog.text)",
            {objects()[0], objects()[1]}, "f");
      case Kind::CreateDatabase:
      case Kind::DropDatabase:
        return state_of("SELECT 1 FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) $1::pg_catalog.name",
                        {what_.object}, "1");
      case Kind::ReindexConcurrently:
        return reindexed();
      case Kind::Repeatable:
      case Kind::Unknown:
        break;
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string>& objects() { return observation_.record.objects; }
  // OIDs of indexes that existed before the statement was sent, so the statement did not create them.
  [[nodiscard]] std::vector<std::string>& known() { return observation_.record.known; }

  // Adds the statement's next object: as recorded with the intent, or as its name resolves now.
  Result<void> object(const std::string& schema, const std::string& name, bool type = false) {
    // Not resolved again: search_path may have changed, or another object may have the name by now.
    if (before_ && before_->objects.size() > objects().size()) {
      objects().push_back(before_->objects[objects().size()]);
      return {};
    }
    TRY_ASSIGN(std::string found, resolved(session_, type, schema, name));
    objects().push_back(std::move(found));
    return {};
  }

  Result<void> state_of(const std::string& sql, const Parameters& parameters, std::string_view valid) {
    TRY_ASSIGN(const Rows rows, session_.query(sql, parameters));
    observation_.state = rows.empty() ? ProbeState::Absent : rows.text(0, 0) == valid ? ProbeState::Valid : ProbeState::Invalid;
    return {};
  }

  Result<void> created_index() {
    TRY(object(what_.schema, what_.table));
    const bool named = !what_.object.empty();
    if (before_) {
      known() = before_->known;
    }
    if (!named && before_ && before_->objects.empty()) {
      return {};  // an older version recorded this: its unnamed index cannot be distinguished from others
    }
    std::string columns;
    for (const auto& column : what_.index.columns) {
      columns += (&column == what_.index.columns.data() ? "" : "\n") + column;
    }
    TRY_ASSIGN(const Rows rows, session_.query(std::string(kIndexes),
                                               {objects()[0], what_.object, oid_array(known()), what_.index.unique ? "t" : "f",
                                                what_.index.method, columns, std::to_string(what_.index.columns.size()),
                                                what_.index.partial ? "t" : "f"}));
    observation_.state = ProbeState::Absent;
    if (!named && !before_) {
      for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        known().push_back(rows.text(i, IndexOid));  // nothing was sent yet, so the statement did not create this one
      }
      return {};
    }
    TRY_ASSIGN(const auto same, compared(rows));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      take_index(rows, i, named, same);
    }
    return {};
  }

  // Those of the possible indexes whose definition the server prints identically. Empty when the server cannot compare them.
  Result<std::optional<std::vector<std::string>>> compared(const Rows& rows) {
    std::vector<std::string> candidates;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      if (rows.text(i, IndexMayBeOurs) == "t") {
        candidates.push_back(rows.text(i, IndexOid));
      }
    }
    if (candidates.empty()) {
      return candidates;
    }
    return same_indexes(session_, what_, objects()[0], oid_array(candidates));
  }

  void take_index(const Rows& rows, std::size_t row, bool named, const std::optional<std::vector<std::string>>& same) {
    const bool valid = rows.text(row, IndexIsValid) == "t";
    bool ours = rows.text(row, IndexMayBeOurs) == "t";
    if (ours && same) {
      ours = std::ranges::find(*same, rows.text(row, IndexOid)) != same->end();
    } else if (ours && !(before_ && (!named || before_->state == "absent"))) {
      // Not comparable, and it may have existed before the intent.
      observation_.state = ProbeState::Unknown;
      observation_.taken_by = rows.text(row, IndexName);
      return;
    }
    if (!ours) {
      if (named) {
        observation_.state = ProbeState::Foreign;
        observation_.taken_by = rows.text(row, IndexName);
      }
    } else if (valid) {
      observation_.state = ProbeState::Valid;
    } else {
      observation_.state = observation_.state == ProbeState::Absent ? ProbeState::Invalid : observation_.state;
      observation_.half_built.push_back(rows.text(row, IndexName));
    }
  }

  // INVALID copies that existed before the statement may belong to a REINDEX that another session runs now, so they are not
  // ours to drop.
  Result<void> reindexed() {
    std::string reach = what_.object;
    // The names of schemas and databases do not depend on search_path.
    if (what_.scope == Scope::Index || what_.scope == Scope::Table) {
      TRY(object(what_.schema, what_.object));
      reach = objects()[0];
    }
    if (before_) {
      known() = before_->known;
    }
    TRY_ASSIGN(const Rows rows, session_.query(leftovers(what_.scope), {reach, oid_array(known())}));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      if (before_) {
        // An ordinary role may own the index of a TOAST table, yet cannot drop it without USAGE on pg_toast.
        (rows.text(i, 2) == "t" ? observation_.half_built : observation_.out_of_reach).push_back(rows.text(i, 1));
      } else {
        known().push_back(rows.text(i, 0));
      }
    }
    return {};
  }

  ReadSession& session_;
  const RecoveryProbe& what_;
  const std::optional<CatalogRecord>& before_;
  CatalogObservation observation_;
};

}  // namespace

std::string probe_state_name(ProbeState state) {
  switch (state) {
    case ProbeState::Absent:
      return "absent";
    case ProbeState::Valid:
      return "valid";
    case ProbeState::Invalid:
      return "invalid";
    case ProbeState::Foreign:
      return "foreign";
    case ProbeState::Unknown:
      break;
  }
  return "unknown";
}

CatalogRecord CatalogRecord::parse(std::string_view text) {
  CatalogRecord record;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\t', begin), text.size());
    const std::string word(text.substr(begin, end - begin));
    const bool number = !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
    if (begin == 0) {
      record.state = word;
    } else {
      (number ? record.known : record.objects).push_back(word);  // objects are quoted names, so a number is an OID
    }
    begin = end + 1;
  }
  return record;
}

std::string CatalogRecord::text() const {
  std::string text = state;
  for (const auto* words : {&objects, &known}) {
    for (const auto& word : *words) {
      text += "\t" + word;
    }
  }
  return text;
}

Result<CatalogObservation> observe_catalog(ReadSession& session, const RecoveryProbe& what,
                                           const std::optional<CatalogRecord>& before) {
  return CatalogQuestion(session, what, before).ask();
}

std::string finalise_statement(const CatalogRecord& record) {
  return "ALTER TABLE " + record.objects.at(0) + " DETACH PARTITION " + record.objects.at(1) + " FINALIZE";
}

Verdict judge(const RecoveryProbe& what, const std::string& state_before, ProbeState state_now) {
  switch (what.kind) {
    case Kind::Repeatable:
    case Kind::ReindexConcurrently:
      // REINDEX and repeatable statements do no harm when they run twice.
      return Verdict::RunAgain;
    case Kind::CreateIndexConcurrently:
    case Kind::AddEnumValue:
    case Kind::CreateDatabase:
      if (state_now == ProbeState::Unknown) {
        return Verdict::AskHuman;
      }
      // If it existed before we began, running again reports the server's own error; "done" would be wrong.
      return state_now == ProbeState::Valid && state_before != "valid" ? Verdict::Done : Verdict::RunAgain;
    case Kind::DropIndexConcurrently:
    case Kind::DetachPartitionConcurrently:
    case Kind::DropDatabase:
      if (state_now == ProbeState::Unknown) {
        return Verdict::AskHuman;
      }
      return state_now == ProbeState::Absent && state_before != "absent" ? Verdict::Done : Verdict::RunAgain;
    case Kind::Unknown:
      break;
  }
  return Verdict::AskHuman;
}

}  // namespace athanor
