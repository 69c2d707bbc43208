// Archives that no program would write: refused in bounded time and memory, with an error that says why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>

#include "operator/sources/artifact_archive.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/sources/archive_sketch.hpp"

namespace athanor::controller {
namespace {

using sketch::gzip_of;
using sketch::kEndOfArchive;
using sketch::octal;
using sketch::pax;
using sketch::raw_entry;
using sketch::raw_header;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

class HostileArchive : public ::testing::Test {
 protected:
  Result<void> unpack(const std::string& bytes) {
    request_.file = folder_.write("artifact.tar.gz", bytes);
    auto made = UnpackedFolder::create(folder_ / "cache");
    into_ = std::move(*made);
    return unpack_archive(request_, *into_);
  }
  // Unpacks in little time and memory, and is refused.
  Error refused(const std::string& bytes) {
    const long before = peak();
    const auto begun = std::chrono::steady_clock::now();
    const auto done = unpack(bytes);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LT(peak() - before, 96 * 1024) << "KiB";
#endif
    EXPECT_FALSE(done);
    return done ? Error() : done.error();
  }
  static long peak() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(into_->path())) {
      if (!entry.is_directory()) {
        names.push_back(fs::relative(entry.path(), into_->path()).string());
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  test::TempFolder folder_;
  ArchiveRequest request_;
  std::unique_ptr<UnpackedFolder> into_;
};

TEST_F(HostileArchive, HasOneLayerOfCompression) {
  const std::string good = raw_entry("a.sql", "SELECT 1;") + kEndOfArchive;
  ASSERT_TRUE(unpack(gzip_of(good)));
  EXPECT_EQ(refused(gzip_of(gzip_of(good))).code, ErrorCode::MalformedRevision);
  EXPECT_EQ(refused(good).code, ErrorCode::MalformedRevision) << "none at all";
  // The second layer begins with a file name that has no end. Its first layer has 2 MB.
  const std::string head("\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
  EXPECT_EQ(refused(gzip_of(head, std::string(kMebibyte, 'x'), 400)).code, ErrorCode::MalformedRevision);
}

TEST_F(HostileArchive, MayHaveAnyNameInItsGzipHeader) {
  std::string bytes = gzip_of(raw_entry("a.sql", "1") + kEndOfArchive);
  bytes[3] = 8;  // FNAME
  bytes.insert(10, std::string(8 * kMebibyte, 'n') + '\0');
  ASSERT_TRUE(unpack(bytes));
  bytes.resize(4 * kMebibyte);
  EXPECT_THAT(refused(bytes).message, HasSubstr("ends too early"));
}

TEST_F(HostileArchive, HasBoundedHeaders) {
  const std::string block(kMebibyte, '1');
  EXPECT_EQ(refused(gzip_of(raw_header("pax", octal(kMebibyte * 400, 11), 'x'), block, 400)).code, ErrorCode::MalformedRevision)
      << "a pax header";
  EXPECT_EQ(refused(gzip_of(raw_header("name", octal(kMebibyte * 400, 11), 'L'), block, 400)).code,
            ErrorCode::MalformedRevision)
      << "a long name";
  const std::string long_name = raw_entry("name", "a.sql", 'L');
  // Refused in little time and memory; how libarchive reads a name of a name, and so which error it is, differs by version.
  (void)refused(gzip_of({}, long_name, 300'000));
}

TEST_F(HostileArchive, HasNoSparseFiles) {
  const std::string pairs = [] {
    std::string text;
    while (text.size() < kMebibyte) {
      text += "1\n1\n";
    }
    return text;
  }();
  const std::string both =
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.realsize=4096\n25 GNU.sparse.name=a.sql\n";
  const std::string head = raw_entry("pax", both, 'x') + raw_header("a.sql", octal(400 * kMebibyte, 11)) + "90000000\n";
  EXPECT_THAT(refused(gzip_of(head, pairs, 400)).code, AnyOf(ErrorCode::FileTooLarge, ErrorCode::MalformedRevision));
  // GNU's older form: blocks of the map follow each other without end.
  std::string more(512, '\0');
  for (std::size_t at = 0; at < 21 * 24; at += 12) {
    more.replace(at, 12, std::string("00000000001\0", 12));
  }
  more[504] = 1;
  const std::string old = raw_header("a.sql", octal(512, 11), 'S', {{257, std::string("ustar  \0", 8)}, {482, "\1"}});
  EXPECT_THAT(refused(gzip_of(old, more, 600'000)).code, AnyOf(ErrorCode::FileTooLarge, ErrorCode::MalformedRevision));
  // A small one is an error, too: revisions have no holes.
  const std::string small =
      raw_entry("pax", both, 'x') + raw_entry("a.sql", "1\n1024\n1\n" + std::string(503, '\0') + "x") + kEndOfArchive;
  EXPECT_THAT(refused(gzip_of(small)).message, HasSubstr("sparse"));
}

TEST_F(HostileArchive, HasSizesThatMakeSense) {
  const std::string content(512, 'x');
  const std::string minus_one(12, '\xff');
  const std::string minimum = "\x80" + std::string(3, '\0') + "\x80" + std::string(7, '\0');
  const std::string largest = "\x80" + std::string(3, '\0') + "\x7f" + std::string(7, '\xff');
  const std::string beyond = "\x80\x7f" + std::string(10, '\xff');
  for (const std::string& size :
       {minus_one, minimum, largest, beyond, std::string("777777777777"), std::string("-0000000001")}) {
    const Error error = refused(gzip_of(raw_header("a.sql", size) + content + kEndOfArchive));
    EXPECT_THAT(error.code, AnyOf(ErrorCode::MalformedRevision, ErrorCode::FileTooLarge)) << error.describe();
  }
  const Error said = refused(gzip_of(pax("size", "-1") + raw_header("a.sql", octal(512, 11)) + content + kEndOfArchive));
  EXPECT_EQ(said.code, ErrorCode::MalformedRevision) << said.describe();
}

TEST_F(HostileArchive, HasNoNamesThatLeadOut) {
  const std::string evil = "../evil.sql";
  const std::string entry = raw_entry("a.sql", "1");
  EXPECT_EQ(refused(gzip_of(pax("path", evil) + entry + kEndOfArchive)).code, ErrorCode::PathEscape);
  EXPECT_EQ(refused(gzip_of(pax("path", "/etc/evil.sql") + entry + kEndOfArchive)).code, ErrorCode::PathEscape);
  EXPECT_EQ(refused(gzip_of(raw_entry("name", evil, 'L') + entry + kEndOfArchive)).code, ErrorCode::PathEscape);
  EXPECT_EQ(refused(gzip_of(raw_header(evil, octal(0, 11)) + kEndOfArchive)).code, ErrorCode::PathEscape);
  // The prefix field of ustar stands before the name.
  EXPECT_EQ(refused(gzip_of(raw_header("evil.sql", octal(0, 11), '0', {{345, ".."}}) + kEndOfArchive)).code,
            ErrorCode::PathEscape);
  EXPECT_EQ(refused(gzip_of(raw_entry("", "1") + kEndOfArchive)).code, ErrorCode::MalformedRevision) << "no name";
}

TEST_F(HostileArchive, HasNamesThatCanBeShown) {
  for (const std::string name : {"\xff\xfe.sql", "a\x1b[31m.sql", "a\nb.sql"}) {
    EXPECT_EQ(refused(gzip_of(raw_entry(name, "1") + kEndOfArchive)).code, ErrorCode::MalformedRevision) << name;
  }
  // After a NUL nothing counts, for libarchive as for everybody else.
  ASSERT_TRUE(unpack(gzip_of(pax("path", std::string("a.sql\0/../evil.sql", 18)) + raw_entry("x", "1") + kEndOfArchive)));
  EXPECT_THAT(files(), ElementsAre("a.sql"));
  ASSERT_TRUE(unpack(gzip_of(raw_entry("a.sql", "1") + raw_entry("A.sql", "2") + kEndOfArchive))) << "two files here";
  EXPECT_THAT(files(), ElementsAre("A.sql", "a.sql"));
}

TEST_F(HostileArchive, HoldsFilesOnly) {
  for (const char type : {'1', '2', '3', '4', '6'}) {
    const std::string entry = raw_header("a.sql", octal(0, 11), type, {{157, "/etc/passwd"}});
    EXPECT_EQ(refused(gzip_of(entry + kEndOfArchive)).code, ErrorCode::PathEscape) << type;
    EXPECT_THAT(files(), IsEmpty());
  }
}

TEST_F(HostileArchive, MayHaveSeveralMembersAndNothingElse) {
  const std::string whole = raw_entry("a.sql", "1") + raw_entry("b.sql", "2") + kEndOfArchive;
  const std::string two = gzip_of(whole.substr(0, 700)) + gzip_of(whole.substr(700));
  ASSERT_TRUE(unpack(two));
  EXPECT_THAT(files(), ElementsAre("a.sql", "b.sql"));
  EXPECT_THAT(refused(two + "garbage").message, HasSubstr("something follows its end"));
  EXPECT_THAT(refused(two + std::string(1000, '\0')).message, HasSubstr("something follows its end"));
}

TEST_F(HostileArchive, IsWhole) {
  std::string noise;
  for (unsigned i = 0, state = 1; i < 5'000; ++i) {
    state = state * 1'103'515'245U + 12'345U;
    noise += static_cast<char>(state >> 16U);
  }
  const std::string bytes = gzip_of(raw_entry("a.sql", noise) + raw_entry("b.sql", noise) + kEndOfArchive);
  for (std::size_t size = 0; size < bytes.size(); size += size + 20 < bytes.size() ? 97U : 1U) {
    EXPECT_EQ(refused(bytes.substr(0, size)).code, ErrorCode::MalformedRevision) << size << " of " << bytes.size();
  }
  std::string changed = bytes;
  changed[changed.size() - 6] = static_cast<char>(changed[changed.size() - 6] ^ 1);  // the checksum
  EXPECT_THAT(refused(changed).message, HasSubstr("damaged"));
}

TEST_F(HostileArchive, MayNotHideBytesBehindItsEnd) {
  request_.max_bytes = 8 * kMebibyte;
  const std::string whole = raw_entry("a.sql", "1") + kEndOfArchive;
  ASSERT_TRUE(unpack(gzip_of(whole, std::string(kMebibyte, '\0'), 4)));
  EXPECT_EQ(refused(gzip_of(whole, std::string(kMebibyte, '\0'), 400)).code, ErrorCode::FileTooLarge);
}

TEST_F(HostileArchive, HasAMillionEntriesAtMost) {
  const Error error = refused(gzip_of({}, raw_header("a", octal(0, 11), '5'), 1'000'001));
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_THAT(error.message, HasSubstr("1000000 entries"));
}

}  // namespace
}  // namespace athanor::controller
