// Rules about what the running application, its privileges and its replicas depend on.
#include <algorithm>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

// Names that tools and the server give to primary keys.
bool named_like_primary_key(const std::string& name) {
  return name.ends_with("_pkey") || name.ends_with("_pk") || name.starts_with("pk_") || name.starts_with("PK_");
}

bool is_primary_key(const StatementCheck& check, const std::string& constraint) {
  const KnownConstraint* const known = check.facts().constraint(check.view().relation(), constraint);
  return known != nullptr ? known->kind == "CONSTR_PRIMARY" : named_like_primary_key(constraint);
}

}  // namespace

void drop_primary_key(StatementCheck& check) {
  const StatementView& view = check.view();
  // DROP CONSTRAINT and ADD PRIMARY KEY in one ALTER TABLE replace one key by another.
  if (std::ranges::any_of(view.new_constraints(), [](const ConstraintParts& added) { return added.is("CONSTR_PRIMARY"); })) {
    return;
  }
  for (const AlterAction& action : view.actions()) {
    if (action.kind == "AT_DropConstraint" && is_primary_key(check, action.name)) {
      const std::string drop = "DROP CONSTRAINT " + quote_identifier(action.name);
      check.report({.table = view.relation(),
                    .message = "without its primary key " + view.relation().sql() +
                               " accepts the same row twice, ON CONFLICT on the key fails, and so do UPDATE and DELETE if the "
                               "table is published",
                    .fix = "build the new key's index CONCURRENTLY, then: ALTER TABLE " + view.relation().sql() + " " + drop +
                           ", ADD PRIMARY KEY USING INDEX …;",
                    .at = action.node});
    }
  }
}

void drop_identity(StatementCheck& check) {
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind == "AT_DropIdentity") {
      check.report({.table = check.view().relation(),
                    .message = "inserts that leave " + quote_identifier(action.name) +
                               " to the server fail from the commit on, and the current value of its sequence is lost",
                    .fix = "first deploy code that gives the value; or, in the same transaction, SET DEFAULT nextval(…)",
                    .at = action.node});
    }
  }
}

void revoke(StatementCheck& check) {
  const StatementView& view = check.view();
  const TreeNode& node = view.node();
  if ((!view.is("GrantStmt") && !view.is("GrantRoleStmt")) || is_set(node["is_grant"])) {
    return;
  }
  const auto is_role = [](const TreeNode& item) { return item["RoleSpec"]["roletype"].value() != "ROLESPEC_PUBLIC"; };
  const auto from = items_of(view.is("GrantStmt") ? node["grantees"] : node["grantee_roles"]);
  if (std::ranges::none_of(from, is_role)) {
    return;
  }
  check.report({.table = relation_in(node["objects"].first()["RangeVar"]),
                .message = "code that runs as this role and still needs the right fails from the commit on",
                .fix = "first deploy code that does not need it"});
}

void drop_publication(StatementCheck& check) {
  const StatementView& view = check.view();
  const TreeNode& node = view.node();
  const std::string again = "leave it; or stop the subscribers first, and copy their tables again afterwards";
  if (view.is("DropStmt") && view.object_type() == "OBJECT_PUBLICATION") {
    check.report(
        {.message = "subscribers get no changes from the commit on, and never get those made in the meantime", .fix = again});
    return;
  }
  if (!view.is("AlterPublicationStmt") || !node["pubobjects"]) {
    return;
  }
  const std::string_view action = node["action"].value();
  if (action == "AP_DropObjects") {
    check.report(
        {.message = "subscribers get no changes of these tables from the commit on, and never get those made in the meantime",
         .fix = again});
  } else if (action == "AP_SetObjects") {
    check.report({.message = "SET removes every table that it does not name from the publication",
                  .fix = "use ADD TABLE for new tables, and DROP TABLE for those to remove",
                  .severity = Severity::Warning});
  }
}

void drop_subscription(StatementCheck& check) {
  if (check.view().is("DropSubscriptionStmt")) {
    check.report(
        {.message = "replication ends here, and the slot with the position to continue from is dropped: a new subscription "
                    "copies every table again",
         .fix = "ALTER SUBSCRIPTION … DISABLE, which keeps the slot, and enable it before the publisher's disk fills"});
  }
}

void replica_identity_nothing(StatementCheck& check) {
  for (const AlterAction& action : check.view().actions()) {
    const TreeNode identity = action.node["def"]["ReplicaIdentityStmt"]["identity_type"];
    if (action.kind == "AT_ReplicaIdentity" && identity.value() == "n") {
      check.report({.table = check.view().relation(),
                    .message = "UPDATE and DELETE of " + check.view().relation().sql() +
                               " fail if a publication includes it: the old row cannot be identified",
                    .fix = "REPLICA IDENTITY DEFAULT, or USING INDEX …",
                    .at = action.node});
    }
  }
}

}  // namespace athanor::rule
