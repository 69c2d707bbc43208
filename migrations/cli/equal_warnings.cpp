#include "migrations/cli/equal_warnings.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace athanor::cli {
namespace {

constexpr std::size_t kNamed = 3;

struct Remark {
  std::string text;
  std::vector<std::string> places;
};

std::string folded(const Remark& remark) {
  if (remark.places.empty()) {
    return remark.text;
  }
  if (remark.places.size() == 1) {
    return remark.places.front() + ": " + remark.text;
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(kNamed, remark.places.size()); ++i) {
    names += (names.empty() ? "" : ", ") + remark.places[i];
  }
  if (remark.places.size() > kNamed) {
    names += " and " + std::to_string(remark.places.size() - kNamed) + " more";
  }
  return remark.text + ": " + std::to_string(remark.places.size()) + " files (" + names + ")";
}

}  // namespace

std::vector<std::string> folded_warnings(const std::vector<std::string>& warnings) {
  std::vector<Remark> remarks;
  for (const std::string& warning : warnings) {
    const std::size_t colon = warning.find(": ");
    const bool has_place = colon != std::string::npos && warning.substr(0, colon).find(".py") != std::string::npos;
    const std::string text = has_place ? warning.substr(colon + 2) : warning;
    auto found = std::ranges::find(remarks, text, &Remark::text);
    if (found == remarks.end()) {
      found = remarks.insert(remarks.end(), Remark{text, {}});
    }
    if (has_place) {
      found->places.push_back(warning.substr(0, colon));
    }
  }
  std::vector<std::string> lines;
  std::ranges::transform(remarks, std::back_inserter(lines), folded);
  return lines;
}

}  // namespace athanor::cli
