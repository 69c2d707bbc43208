// Reads functions, procedures and aggregates.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kNamespace;
using catalog_oid::kProc;

enum RoutineColumn : std::size_t {
  ProcOid,
  ProcSchema,
  ProcName,
  ProcKind,
  ProcOwner,
  ProcArguments,
  ProcLanguage,
  ProcResult,
  ProcSignature,
  ProcDefinition
};

// Skips constructor functions of range types, which depend on the type internally.
constexpr const char* kNotCarried = R"( AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 1255 AND d.objid = p.oid AND d.deptype IN ('e', 'i')))";

constexpr const char* kRoutines = R"(SELECT p.oid, p.pronamespace, p.proname, p.prokind, p.proowner,
 oidvectortypes(p.proargtypes), l.lanname, pg_get_function_result(p.oid), pg_get_function_arguments(p.oid),
 pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.oid >= 16384 AND p.prokind IN ('f', 'p', 'w'))";

void take_routines(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{kProc, row.oid(ProcOid), 0};
    const char kind = row.letter(ProcKind);
    if (!extraction.takes(address, row.oid(ProcSchema), kind == 'p' ? "procedure" : "function", row.text(ProcName))) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::Routine,
                     .schema = extraction.schema_name(row.oid(ProcSchema)),
                     .name = row.text(ProcName),
                     .arguments = row.text(ProcArguments)}};
    set(fact, attribute::kRoutineKind, kind == 'p' ? "procedure" : kind == 'w' ? "window" : "function");
    set(fact, attribute::kLanguage, row.text(ProcLanguage));
    set(fact, attribute::kResult, row.text(ProcResult));
    set(fact, attribute::kSignature, row.text(ProcSignature));
    std::string definition = row.text(ProcDefinition);
    while (definition.ends_with('\n')) {
      definition.pop_back();
    }
    set(fact, attribute::kDefinition, std::move(definition));
    const auto index = extraction.add(address, std::move(fact), row.oid(ProcOwner));
    extraction.add_edge(index, Address{kNamespace, row.oid(ProcSchema), 0});
  }
}

enum AggregateColumn : std::size_t {
  AggOid,
  AggSchema,
  AggName,
  AggOwner,
  AggArguments,
  AggKind,
  AggSignature,
  AggStepFunction,
  AggStateType,
  AggStateSpace,
  AggFinalFunction,
  AggFinalExtra,
  AggFinalModify,
  AggCombine,
  AggSerial,
  AggDeserial,
  AggMovingStep,
  AggMovingInverse,
  AggMovingStateType,
  AggMovingStateSpace,
  AggMovingFinal,
  AggMovingFinalExtra,
  AggMovingFinalModify,
  AggSortOperator,
  AggInitial,
  AggMovingInitial,
  AggParallel,
  AggFinalModifyUsual,
  AggMovingFinalModifyUsual
};

// A function that the aggregate does not have is "-".
constexpr const char* kAggregates = R"(SELECT p.oid, p.pronamespace, p.proname, p.proowner,
 CASE WHEN a.aggkind = 'n' THEN COALESCE(NULLIF(oidvectortypes(p.proargtypes), ''), '*')
  ELSE pg_get_function_identity_arguments(p.oid) END,
 a.aggkind, COALESCE(NULLIF(pg_get_function_arguments(p.oid), ''), '*'),
 NULLIF(a.aggtransfn::text, '-'), format_type(a.aggtranstype, NULL), NULLIF(a.aggtransspace, 0),
 NULLIF(a.aggfinalfn::text, '-'), a.aggfinalextra, a.aggfinalmodify, NULLIF(a.aggcombinefn::text, '-'),
 NULLIF(a.aggserialfn::text, '-'), NULLIF(a.aggdeserialfn::text, '-'), NULLIF(a.aggmtransfn::text, '-'),
 NULLIF(a.aggminvtransfn::text, '-'), CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END,
 NULLIF(a.aggmtransspace, 0), NULLIF(a.aggmfinalfn::text, '-'), a.aggmfinalextra, a.aggmfinalmodify,
 CASE WHEN a.aggsortop <> 0 THEN (SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')'
  FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = a.aggsortop) END,
 quote_literal(a.agginitval), quote_literal(a.aggminitval), p.proparallel,
 CASE WHEN a.aggkind = 'n' THEN 'r' ELSE 'w' END, CASE WHEN a.aggkind = 'n' THEN 'r' ELSE 'w' END
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
WHERE p.oid >= 16384)";

std::string modify_word(const std::string& letter) {
  return letter == "r" ? "READ_ONLY" : letter == "s" ? "SHAREABLE" : "READ_WRITE";
}

// The CREATE AGGREGATE statement; the server has no function that prints it.
std::string aggregate_definition(const CatalogRow& row, const std::string& schema) {
  std::string sql = "CREATE AGGREGATE " + qualified_name(schema, row.text(AggName)) + "(" + row.text(AggSignature) + ") (\n";
  sql += "  SFUNC = " + row.text(AggStepFunction) + ",\n  STYPE = " + row.text(AggStateType);
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) {
      sql += ",\n  " + std::string(option) + " = " + value;
    }
  };
  const auto add_modify = [&](std::string_view option, std::size_t function, std::size_t column, std::size_t usual) {
    if (row.has(function) && row.text(column) != row.text(usual)) {
      add(option, modify_word(row.text(column)));
    }
  };
  const auto add_flag = [&](std::string_view option, bool value) {
    if (value) {
      sql += ",\n  " + std::string(option);
    }
  };
  add("SSPACE", row.text(AggStateSpace));
  add("FINALFUNC", row.text(AggFinalFunction));
  add_flag("FINALFUNC_EXTRA", row.flag(AggFinalExtra));
  add_modify("FINALFUNC_MODIFY", AggFinalFunction, AggFinalModify, AggFinalModifyUsual);
  add("COMBINEFUNC", row.text(AggCombine));
  add("SERIALFUNC", row.text(AggSerial));
  add("DESERIALFUNC", row.text(AggDeserial));
  add("INITCOND", row.text(AggInitial));
  add("MSFUNC", row.text(AggMovingStep));
  add("MINVFUNC", row.text(AggMovingInverse));
  add("MSTYPE", row.text(AggMovingStateType));
  add("MSSPACE", row.text(AggMovingStateSpace));
  add("MFINALFUNC", row.text(AggMovingFinal));
  add_flag("MFINALFUNC_EXTRA", row.flag(AggMovingFinalExtra));
  add_modify("MFINALFUNC_MODIFY", AggMovingFinal, AggMovingFinalModify, AggMovingFinalModifyUsual);
  add("MINITCOND", row.text(AggMovingInitial));
  add("SORTOP", row.text(AggSortOperator));
  const char parallel = row.letter(AggParallel);
  add("PARALLEL", parallel == 's' ? "SAFE" : parallel == 'r' ? "RESTRICTED" : "");
  add_flag("HYPOTHETICAL", row.letter(AggKind) == 'h');
  return sql + "\n)";
}

void take_aggregates(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{kProc, row.oid(AggOid), 0};
    if (!extraction.takes(address, row.oid(AggSchema), "aggregate", row.text(AggName))) {
      continue;
    }
    const std::string& schema = extraction.schema_name(row.oid(AggSchema));
    Fact fact{
        .id = {.kind = Kind::Aggregate, .schema = schema, .name = row.text(AggName), .arguments = row.text(AggArguments)}};
    set(fact, attribute::kDefinition, aggregate_definition(row, schema));
    const auto index = extraction.add(address, std::move(fact), row.oid(AggOwner));
    extraction.add_edge(index, Address{kNamespace, row.oid(AggSchema), 0});
  }
}

}  // namespace

void add_routine_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({std::string(kRoutines) + kNotCarried, take_routines});
  families.push_back({std::string(kAggregates) + kNotCarried, take_aggregates});
}

}  // namespace athanor::schema
