#include "migrations/revision/revision_text.hpp"

#include <utility>

#include "migrations/revision/alembic_header.hpp"
#include "migrations/revision/native_header.hpp"
#include "migrations/text/line_ends.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {

Result<std::string> normalise_revision_text(std::string text, const std::string& path) {
  TRY(check_text(text, path));
  if (const auto stripped = without_byte_order_mark(text); stripped.size() != text.size()) {
    text.erase(0, text.size() - stripped.size());
  }
  return with_line_feeds(std::move(text));
}

Result<std::optional<Revision>> parse_revision_header(RevisionFormat format, std::string_view text, bool whole,
                                                      const std::string& path) {
  return format == RevisionFormat::NativeSql ? parse_native_header(text, whole, path) : parse_alembic_header(text, whole, path);
}

Error file_too_large(const std::string& path, std::size_t size, std::size_t limit) {
  return Error(ErrorCode::FileTooLarge,
               "the file has " + std::to_string(size) + " bytes, more than the limit of " + std::to_string(limit))
      .at(path)
      .advise("raise `limits.file_size` in athanor.yaml, or move bulk data out of the revision");
}

}  // namespace athanor
