#include <algorithm>

#include "migrations/revision/revision_text.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

Result<std::vector<Revision>> MemorySource::list() const {
  std::vector<Revision> revisions;
  revisions.reserve(files_.size());
  for (const auto& file : files_) {
    const auto format = file.name.ends_with(".py") ? RevisionFormat::AlembicPython : RevisionFormat::NativeSql;
    TRY_ASSIGN(const auto text, normalise_revision_text(file.text, file.name));
    TRY_ASSIGN(auto header, parse_revision_header(format, text, true, file.name));
    revisions.push_back(std::move(*header));
  }
  return revisions;
}

Result<std::string> MemorySource::read(const Revision& revision) const {
  const auto found = std::ranges::find(files_, revision.path, &File::name);
  if (found == files_.end()) {
    return fail(Error(ErrorCode::Io, "no such file in memory").at(revision.path));
  }
  return normalise_revision_text(found->text, found->name);
}

}  // namespace athanor
