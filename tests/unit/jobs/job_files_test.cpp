#include "operator/jobs/job_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const KubeObject kJob = {
    {"metadata",
     {{"name", "orders-1"}, {"namespace", "shop"}, {"uid", "u-job"}, {"labels", {{"athanor.dev/migration", "orders"}}}}}};

DatabaseMigration from_git(const std::string& path) {
  DatabaseMigration resource = sketch::resource();
  resource.spec.source.path.clear();
  resource.spec.source.git = GitSource{"https://git.example.org/a.git", "", "v1", "", path, milliseconds(60'000), ""};
  return resource;
}

// A revision whose file has so many bytes.
MemorySource::File large(const std::string& name, const std::string& id, const std::string& down, std::size_t bytes) {
  auto file = sketch::revision(id, down);
  file.name = name;
  const std::string line = "-- " + std::string(96, 'x') + "\n";
  while (file.text.size() + line.size() <= bytes) {
    file.text += line;
  }
  return file;
}

Result<JobFiles> pack(const DatabaseMigration& resource, std::vector<MemorySource::File> files) {
  return JobFiles::pack(resource, sketch::snapshot(std::move(files)).get(), "orders-1-ab");
}

KubeObject config_map(const JobFiles& files, std::size_t index) {
  return files.config_map(index, kJob);
}

TEST(JobFiles, AreAnImmutableConfigMapOfTheJob) {
  DatabaseMigration resource = sketch::resource();
  resource.spec.source.path.clear();
  resource.spec.source.config_maps = {"orders"};
  const auto files = pack(resource, sketch::line());
  ASSERT_TRUE(files) << files.error().describe();
  ASSERT_EQ(files->size(), 1U);
  const KubeObject expected = KubeObject::parse(R"({
    "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
    "metadata": {"name": "orders-1-ab-1", "namespace": "shop", "labels": {"athanor.dev/migration": "orders"},
                 "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "orders-1", "uid": "u-job",
                                      "controller": true}]}
  })");
  KubeObject made = config_map(*files, 0);
  for (const auto& file : sketch::line()) {
    EXPECT_EQ(made["data"][file.name], file.text);
  }
  EXPECT_EQ(made["data"].size(), 3U);
  made.erase("data");
  EXPECT_EQ(made, expected) << made.dump(2);
  EXPECT_EQ(files->volume(), KubeObject::parse(R"({"projected": {"sources": [{"configMap": {"name": "orders-1-ab-1"}}]}})"));
  EXPECT_EQ(files->last(), "orders-1-ab-1");
}

TEST(JobFiles, AreNoneWhereThePodHasTheFiles) {
  EXPECT_EQ(pack(sketch::resource(), sketch::line())->size(), 0U);
  DatabaseMigration resource = sketch::resource();
  resource.spec.source.path.clear();
  resource.spec.source.image = ImageSource{"a:1", "versions"};
  EXPECT_EQ(JobFiles::pack(resource, nullptr, "x")->size(), 0U);
  EXPECT_EQ(JobFiles::pack(from_git("db"), nullptr, "x").error().code, ErrorCode::Internal);
}

TEST(JobFiles, KeepTheirPathsInTheFolderOfTheSource) {
  std::vector<MemorySource::File> files{sketch::revision("a1", ""), sketch::revision("a2", "a1"), sketch::revision("a3", "a2"),
                                        sketch::revision("a4", "a3")};
  files[0].name = "db/versions/a1.sql";
  files[1].name = "db/versions/2026/a2.sql";
  files[2].name =
      "db/versions/gr\xc3\xb6\xc3\x9f"
      "er $(HOME).sql";
  files[3].name = "db/versions/..a4.sql";
  const auto packed = pack(from_git("./db//versions/"), files);
  ASSERT_TRUE(packed) << packed.error().describe();
  ASSERT_EQ(packed->size(), 2U) << "those whose names are no keys are in one of their own";
  EXPECT_TRUE(config_map(*packed, 0)["data"].contains("a1.sql"));
  const KubeObject volume = packed->volume();
  const KubeObject sources = volume["projected"]["sources"];
  EXPECT_FALSE(sources[0]["configMap"].contains("items"));
  const KubeObject data = config_map(*packed, 1)["data"];
  std::map<std::string, std::string> at;
  for (const auto& item : sources[1]["configMap"]["items"]) {
    at[item["path"].get<std::string>()] = data[item["key"].get<std::string>()].get<std::string>();
  }
  EXPECT_EQ(at.size(), 3U);
  EXPECT_EQ(at["2026/a2.sql"], files[1].text);
  EXPECT_EQ(at["gr\xc3\xb6\xc3\x9f"
               "er $(HOME).sql"],
            files[2].text);
}

TEST(JobFiles, BeginAnotherConfigMapWhenOneIsFull) {
  const auto files = pack(from_git("db"), {large("db/a1.sql", "a1", "", 500'000), large("db/a2.sql", "a2", "a1", 500'000),
                                           large("db/a3.sql", "a3", "a2", 100'000)});
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(config_map(*files, 0)["data"].size(), 1U);
  EXPECT_EQ(config_map(*files, 1)["data"].size(), 2U);
  EXPECT_EQ(files->last(), "orders-1-ab-2");
  EXPECT_EQ(files->volume()["projected"]["sources"].size(), 2U);
}

TEST(JobFiles, AreRefusedWhenTheyAreTooManyForAJob) {
  std::vector<MemorySource::File> files;
  for (int number = 1; number <= 16; ++number) {
    const std::string id = "a" + std::to_string(number);
    files.push_back(large("db/" + id + ".sql", id, number == 1 ? "" : "a" + std::to_string(number - 1), 900'000));
  }
  EXPECT_EQ(pack(from_git("db"), files)->size(), 16U);
  files.push_back(large("db/a17.sql", "a17", "a16", 40'000));
  const Error error = pack(from_git("db"), files).error();
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_THAT(error.message, HasSubstr("the 17 revision files do not fit in the 16 ConfigMaps of 900 KiB"));
  EXPECT_THAT(error.hint, HasSubstr("spec.source.image"));
}

TEST(JobFiles, NameTheOneThatNoConfigMapHolds) {
  const Error error = pack(from_git("db"), {sketch::revision("a1", ""), large("db/a2.sql", "a2", "a1", 950'000)}).error();
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_THAT(error.message, HasSubstr("the file db/a2.sql has 9"));
  EXPECT_EQ(error.context, "spec.source");
}

TEST(JobFiles, AreRefusedWhenTheirPathsAreTooMuchForAPod) {
  std::vector<MemorySource::File> files;
  for (int number = 1; number <= 1'000; ++number) {
    auto file = sketch::revision("a" + std::to_string(number), number == 1 ? "" : "a" + std::to_string(number - 1));
    file.name = "db/" + std::string(250, 'x') + "/" + file.name;
    files.push_back(std::move(file));
  }
  EXPECT_EQ(pack(from_git("db"), files).error().code, ErrorCode::FileTooLarge);
}

}  // namespace
}  // namespace athanor::controller
