#include "migrations/lint/statement_locks.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace athanor {
namespace {

using enum LockMode;

// Actions whose lock is weaker than ACCESS EXCLUSIVE.
struct WeakAction {
  std::string_view kind;
  LockMode lock;
};
constexpr std::array kWeakActions{
    WeakAction{"AT_SetStatistics", ShareUpdateExclusive},   WeakAction{"AT_SetOptions", ShareUpdateExclusive},
    WeakAction{"AT_ResetOptions", ShareUpdateExclusive},    WeakAction{"AT_SetRelOptions", ShareUpdateExclusive},
    WeakAction{"AT_ResetRelOptions", ShareUpdateExclusive}, WeakAction{"AT_ClusterOn", ShareUpdateExclusive},
    WeakAction{"AT_DropCluster", ShareUpdateExclusive},     WeakAction{"AT_ValidateConstraint", ShareUpdateExclusive},
    WeakAction{"AT_AttachPartition", ShareUpdateExclusive}, WeakAction{"AT_DetachPartitionFinalize", ShareUpdateExclusive},
    WeakAction{"AT_EnableTrig", ShareRowExclusive},         WeakAction{"AT_EnableAlwaysTrig", ShareRowExclusive},
    WeakAction{"AT_EnableReplicaTrig", ShareRowExclusive},  WeakAction{"AT_EnableTrigAll", ShareRowExclusive},
    WeakAction{"AT_EnableTrigUser", ShareRowExclusive},     WeakAction{"AT_DisableTrig", ShareRowExclusive},
    WeakAction{"AT_DisableTrigAll", ShareRowExclusive},     WeakAction{"AT_DisableTrigUser", ShareRowExclusive},
};

class LockList {
 public:
  explicit LockList(std::vector<TableLock>& locks) : locks_(locks) {}

  void add(const QualifiedName& table, LockMode mode) {
    if (table.empty() || mode == None) {
      return;
    }
    const auto [known, added] = places_.try_emplace(table, locks_.size());
    if (added) {
      locks_.push_back({table, mode});
    } else {
      locks_[known->second].mode = std::max(locks_[known->second].mode, mode);
    }
  }

  void add_all(const TreeNode& relations, LockMode mode) {
    for (const TreeNode& item : items_of(relations)) {
      add(relation_in(item["RangeVar"]), mode);
    }
  }

 private:
  std::vector<TableLock>& locks_;
  std::map<QualifiedName, std::size_t> places_;  // indexes into locks_
};

// A foreign key creates triggers on the referenced table, which locks it, too.
void lock_references(const StatementView& view, LockList& locks) {
  for (const ColumnParts& column : view.new_columns()) {
    if (column.references) {
      locks.add(relation_in(column.references["pktable"]), ShareRowExclusive);
    }
  }
  for (const ConstraintParts& constraint : view.new_constraints()) {
    if (constraint.is("CONSTR_FOREIGN")) {
      locks.add(constraint.references, ShareRowExclusive);
    }
  }
}

void lock_alter(const StatementView& view, const KnownSchema& facts, LockList& locks) {
  for (const AlterAction& action : view.actions()) {
    locks.add(view.relation(), action_lock(action));
    if (action.kind == "AT_AttachPartition") {
      locks.add(relation_in(action.node["def"]["PartitionCmd"]["name"]), AccessExclusive);
    } else if (action.kind == "AT_DetachPartition") {
      locks.add(relation_in(action.node["def"]["PartitionCmd"]["name"]),
                is_set(action.node["def"]["PartitionCmd"]["concurrent"]) ? ShareUpdateExclusive : AccessExclusive);
    } else if (action.kind == "AT_DropConstraint") {
      const KnownConstraint* const dropped = facts.constraint(view.relation(), action.name);
      // Dropping a foreign key removes its triggers from the referenced table.
      if (dropped != nullptr && dropped->kind == "CONSTR_FOREIGN") {
        locks.add(dropped->references, AccessExclusive);
      }
    }
  }
  lock_references(view, locks);
}

void lock_drop(const StatementView& view, const KnownSchema& facts, LockList& locks) {
  for (const TreeNode& object : items_of(view.node()["objects"])) {
    const TreeNode names = object["List"]["items"];
    const std::string_view type = view.object_type();
    if (type == "OBJECT_TABLE") {
      locks.add(name_in(names), AccessExclusive);
      if (const KnownTable* const table = facts.find(name_in(names))) {
        for (const auto& [name, constraint] : table->constraints) {
          locks.add(constraint.references, AccessExclusive);
        }
      }
    } else if (type == "OBJECT_INDEX") {
      const KnownIndex* const index = facts.index(name_in(names));
      locks.add(index == nullptr ? name_in(names) : index->table,
                is_set(view.node()["concurrent"]) ? ShareUpdateExclusive : AccessExclusive);
    } else if (type == "OBJECT_TRIGGER" || type == "OBJECT_RULE" || type == "OBJECT_POLICY") {
      locks.add(owner_in(names), AccessExclusive);
    }
  }
}

void lock_rename(const StatementView& view, LockList& locks) {
  constexpr std::array<std::string_view, 5> kOfTable{"OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER",
                                                     "OBJECT_POLICY"};
  if (std::ranges::find(kOfTable, view.object_type()) != kOfTable.end()) {
    locks.add(view.relation(), AccessExclusive);
  }
}

void lock_reindex(const StatementView& view, const KnownSchema& facts, LockList& locks) {
  const bool concurrent = option_is_on(view.node()["params"], "concurrently");
  const LockMode mode = concurrent ? ShareUpdateExclusive : Share;
  if (view.node()["kind"].value() == "REINDEX_OBJECT_TABLE") {
    locks.add(view.relation(), mode);
  } else if (const KnownIndex* const index = facts.index(view.relation())) {
    locks.add(index->table, mode);
  } else {
    locks.add(view.relation(), concurrent ? ShareUpdateExclusive : AccessExclusive);
  }
}

void lock_vacuum(const StatementView& view, LockList& locks) {
  const LockMode mode = option_is_on(view.node()["options"], "full") ? AccessExclusive : ShareUpdateExclusive;
  for (const TreeNode& item : items_of(view.node()["rels"])) {
    locks.add(relation_in(item["VacuumRelation"]["relation"]), mode);
  }
}

void lock_explicitly(const StatementView& view, LockList& locks) {
  constexpr int kDefault = static_cast<int>(AccessExclusive);
  const std::string_view digits = view.node()["mode"].value();
  // libpg_query writes PostgreSQL's lock number, which is also the order of LockMode.
  const int number = digits.size() == 1 && digits[0] >= '0' && digits[0] <= '8' ? digits[0] - '0' : kDefault;
  locks.add_all(view.node()["relations"], static_cast<LockMode>(number));
}

void lock_create(const StatementView& view, LockList& locks) {
  lock_references(view, locks);
  const bool partition = static_cast<bool>(view.node()["partbound"]);
  locks.add_all(view.node()["inhRelations"], partition ? AccessExclusive : ShareUpdateExclusive);
}

}  // namespace

LockMode action_lock(const AlterAction& action) {
  if (action.kind == "AT_AddConstraint") {
    return action.node["def"]["Constraint"]["contype"].value() == "CONSTR_FOREIGN" ? ShareRowExclusive : AccessExclusive;
  }
  if (action.kind == "AT_DetachPartition" && is_set(action.node["def"]["PartitionCmd"]["concurrent"])) {
    return ShareUpdateExclusive;
  }
  const auto weak = std::ranges::find(kWeakActions, action.kind, &WeakAction::kind);
  return weak == kWeakActions.end() ? AccessExclusive : weak->lock;
}

std::vector<TableLock> statement_locks(const StatementView& view, const KnownSchema& facts) {
  std::vector<TableLock> found;
  LockList locks(found);
  const std::string_view kind = view.kind();
  if (kind == "AlterTableStmt") {
    lock_alter(view, facts, locks);
  } else if (kind == "CreateStmt") {
    lock_create(view, locks);
  } else if (kind == "IndexStmt") {
    locks.add(view.relation(), is_set(view.node()["concurrent"]) ? ShareUpdateExclusive : Share);
  } else if (kind == "DropStmt") {
    lock_drop(view, facts, locks);
  } else if (kind == "RenameStmt") {
    lock_rename(view, locks);
  } else if (kind == "ReindexStmt") {
    lock_reindex(view, facts, locks);
  } else if (kind == "VacuumStmt") {
    lock_vacuum(view, locks);
  } else if (kind == "LockStmt") {
    lock_explicitly(view, locks);
  } else if (kind == "TruncateStmt") {
    locks.add_all(view.node()["relations"], AccessExclusive);
  } else if (kind == "ClusterStmt" || kind == "CreatePolicyStmt" || kind == "AlterPolicyStmt" || kind == "RuleStmt" ||
             (kind == "AlterObjectSchemaStmt" && view.object_type() == "OBJECT_TABLE")) {
    locks.add(view.relation(), AccessExclusive);
  } else if (kind == "RefreshMatViewStmt") {
    locks.add(view.relation(), is_set(view.node()["concurrent"]) ? Exclusive : AccessExclusive);
  } else if (kind == "CreateTrigStmt") {
    locks.add(view.relation(), ShareRowExclusive);
  } else if (kind == "CommentStmt") {
    if (view.object_type() == "OBJECT_TABLE" || view.object_type() == "OBJECT_COLUMN") {
      QualifiedName name = name_in(view.node()["object"]["List"]["items"]);
      locks.add(name, ShareUpdateExclusive);
    }
  } else if (kind == "CreateStatsStmt") {
    locks.add_all(view.node()["relations"], ShareUpdateExclusive);
  } else if (kind == "UpdateStmt" || kind == "DeleteStmt" || kind == "InsertStmt" || kind == "MergeStmt" ||
             (kind == "CopyStmt" && is_set(view.node()["is_from"]))) {
    locks.add(view.relation(), RowExclusive);
  }
  return found;
}

}  // namespace athanor
