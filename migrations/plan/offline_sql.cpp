// Renders a plan as a script for psql, in the form of Alembic's --sql output.
#include <algorithm>
#include <iterator>

#include "migrations/plan/byte_settings.hpp"
#include "migrations/plan/offline_session.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/revision_id.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

std::string listed(const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) {
    text += (text.empty() ? "" : ", ") + id;
  }
  return text;
}

// The length of version_num in a table that the script creates: Alembic's, unless an id is longer.
std::size_t version_column_length(const Plan& plan) {
  for (const PlannedRevision& revision : plan.revisions) {
    for (const RowOperation& operation : revision.walk.operations) {
      if (count_characters(operation.to) > kDefaultIdLength) {
        return kMaxRevisionIdLength;
      }
    }
  }
  return kDefaultIdLength;
}

class OfflineScript {
 public:
  OfflineScript(const Plan& plan, const OfflineOptions& options)
      : plan_(plan),
        options_(options),
        session_(options.role, options.search_path),
        table_(qualified_name(options.version_table_schema, options.version_table)) {}

  std::string render() {
    const bool each = options_.transaction_per_migration;
    if (!plan_.empty()) {
      out_ +=
          session_.start(std::ranges::any_of(plan_.revisions, [](const auto& revision) { return !revision.steps().empty(); }));
    }
    if (!each) {
      begin();
    }
    for (std::size_t index = 0; index < plan_.revisions.size(); ++index) {
      if (each) {
        begin();
      }
      if (index == 0 && plan_.from.empty()) {
        create_version_table();
      }
      revision(plan_.revisions[index]);
      if (each) {
        commit();
      }
    }
    if (!each) {
      commit();
    }
    return std::move(out_);
  }

  std::string render_version_table() {
    out_ += session_.start(false);
    begin();
    create_version_table();
    commit();
    return std::move(out_);
  }

 private:
  void begin() { out_ += "BEGIN;\n\n"; }
  void commit() { out_ += "COMMIT;\n\n"; }

  void create_version_table() {
    out_ +=
        "CREATE TABLE " + table_ + " (\n    version_num VARCHAR(" + std::to_string(version_column_length(plan_)) + ") NOT NULL";
    if (options_.version_table_pk) {
      out_ += ",\n    CONSTRAINT " + quote_identifier(options_.version_table + "_pkc") + " PRIMARY KEY (version_num)";
    }
    out_ += "\n);\n\n";
  }

  void revision(const PlannedRevision& planned) {
    heading(planned);
    bool in_transaction = true;
    bool used = false;  // the open transaction already contains statements of a step
    fresh_ = true;
    for (const auto& step : planned.steps()) {
      const bool wants = step.kind != StepKind::Autocommit;
      // A run commits after every step of a revision, so the script does, too.
      if (in_transaction && (!wants || used)) {
        commit();
        in_transaction = false;
      }
      if (wants && !in_transaction) {
        begin();
        in_transaction = true;
      }
      used = wants;
      if (step.kind == StepKind::Batch) {
        refuse_misread_text(planned, step.batch.table + step.batch.key);
        refuse_null_keys(step.batch);
      }
      for (const auto& sql : step.statements) {
        refuse_misread_text(planned, sql.sql);
        statement(sql, step.kind);
        fresh_ = false;
      }
    }
    if (!in_transaction) {
      begin();
    }
    if (!planned.steps().empty()) {
      out_ += session_.reset();  // in the transaction: the row must be written with our role and search_path
    }
    for (const auto& operation : planned.walk.operations) {
      row(operation);
    }
  }

  // Alembic's wording, so that scripts can be searched for it.
  void heading(const PlannedRevision& planned) {
    const auto& walk = planned.walk;
    out_ += "-- Running ";
    if (!walk.revision) {
      out_ += "stamp_revision " + listed(walk.from) + " -> " + listed(walk.to);
    } else if (walk.direction == Direction::Downgrade) {
      out_ += "downgrade " + *walk.revision + " -> " + listed(planned.down);
    } else {
      out_ += "upgrade " + listed(planned.down) + " -> " + *walk.revision;
    }
    out_ += "\n\n";
  }

  // A function, a DO block or a trigger of an earlier statement may have changed how the server reads text; a run makes the
  // same check.
  void refuse_misread_text(const PlannedRevision& planned, std::string_view sql) {
    if (fresh_ || !depends_on_byte_settings(sql)) {
      return;
    }
    raise_if(
        "pg_catalog.current_setting('client_encoding') OPERATOR(pg_catalog.<>) 'UTF8' OR "
        "pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.<>) 'on'",
        "revision " + planned.walk.revision.value_or("") +
            " changed client_encoding or standard_conforming_strings, which changes how the server reads the text that "
            "follows");
  }

  // Rows with a NULL key are in no batch; a run makes the same check.
  void refuse_null_keys(const BatchOptions& batch) {
    raise_if("EXISTS (SELECT FROM " + batch.table + " WHERE " + quote_identifier(batch.key) + " IS NULL)",
             "the table " + batch.table + " has rows whose key " + batch.key + " is NULL, and no batch would include them");
  }

  void raise_if(const std::string& condition, const std::string& message) {
    const std::string raised = quote_literal(message);
    std::string tag = "$athanor$";
    // The dollar quote must not occur in its contents.
    while ((condition + raised).find(tag) != std::string::npos) {
      tag.insert(1, "_");
    }
    out_ += "DO " + tag + " BEGIN\n  IF " + condition + " THEN\n    RAISE EXCEPTION USING MESSAGE = " + raised +
            ";\n  END IF;\nEND " + tag + ";\n\n";
  }

  void statement(const SqlStatement& statement, StepKind kind) {
    std::string sql(statement.sql);
    if (kind == StepKind::Batch) {
      constexpr std::string_view kPlaceholder = "{batch}";
      // A script cannot loop over ranges: one statement covers all keys.
      sql.replace(sql.find(kPlaceholder), kPlaceholder.size(), "true");
    }
    out_ += sql;
    out_ += ends_in_line_comment(sql) ? "\n;\n\n" : ";\n\n";
  }

  // After a line comment, a semicolon on the same line would be part of the comment.
  static bool ends_in_line_comment(std::string_view sql) {
    const auto last_line = sql.substr(sql.find_last_of('\n') == std::string_view::npos ? 0 : sql.find_last_of('\n') + 1);
    if (last_line.find("--") == std::string_view::npos) {
      return false;
    }
    SqlLexer lexer(sql);
    TokenKind last = TokenKind::End;
    for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
      last = token.kind;
    }
    return last == TokenKind::LineComment;
  }

  void row(const RowOperation& operation) {
    const auto where = " WHERE " + table_ + ".version_num OPERATOR(pg_catalog.=) ";
    switch (operation.kind) {
      case RowOperation::Kind::Insert:
        out_ += "INSERT INTO " + table_ + " (version_num) VALUES (" + quote_literal(operation.to) + ")";
        break;
      case RowOperation::Kind::Delete:
        out_ += "DELETE FROM " + table_ + where + quote_literal(operation.from);
        break;
      case RowOperation::Kind::Update:
        out_ += "UPDATE " + table_ + " SET version_num=" + quote_literal(operation.to) + where + quote_literal(operation.from);
        break;
    }
    out_ += ";\n\n";
  }

  const Plan& plan_;
  const OfflineOptions& options_;
  OfflineSession session_;
  std::string table_;
  std::string out_;
  bool fresh_ = true;  // no statement of the revision has run
};

}  // namespace

std::string render_offline(const Plan& plan, const OfflineOptions& options) {
  return OfflineScript(plan, options).render();
}

std::string render_version_table(const OfflineOptions& options) {
  return OfflineScript(Plan{}, options).render_version_table();
}

}  // namespace athanor
