#include "migrations/base/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "migrations/base/memory_file.hpp"
#include "migrations/base/private_memory.hpp"
#include "migrations/base/unique_fd.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

ProcessCommand shell(const std::string& script) {
  ProcessCommand command;
  command.arguments = {"/bin/sh", "-c", script};
  command.environment = {"PATH=/usr/bin:/bin"};
  return command;
}

std::string output_of(const ProcessCommand& command) {
  std::string out;
  ProcessStreams streams;
  streams.out = keep_first(out, 65'536);
  const auto end = run_process(command, streams, {});
  return end ? out : "error: " + end.error().describe();
}

// Waits until the process is gone, or only init's business.
bool goes(pid_t process) {
  for (int i = 0; i < 500 && ::kill(process, 0) == 0; ++i) {
    const std::string state = test::read_file("/proc/" + std::to_string(process) + "/stat");
    if (state.find(") Z ") != std::string::npos) {
      return true;
    }
    std::this_thread::sleep_for(10ms);
  }
  return ::kill(process, 0) != 0;
}

TEST(Process, StreamsBothWaysAndKeepsTheFirstOfStandardError) {
  std::size_t fed = 0;
  std::size_t got = 0;
  ProcessStreams streams;
  streams.in = [&](std::span<char> buffer) -> Result<std::size_t> {
    const std::size_t count = std::min<std::size_t>(buffer.size(), (std::size_t{3} << 20U) - fed);
    std::fill_n(buffer.begin(), count, 'x');
    fed += count;
    return count;
  };
  streams.out = [&](std::string_view bytes) -> Result<void> {
    got += bytes.size();
    return {};
  };
  const auto end = run_process(shell("cat; head -c 100000 /dev/zero | tr '\\0' 'e' >&2; exit 7"), streams, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_EQ(end->exit_code, 7);
  EXPECT_FALSE(end->timed_out);
  EXPECT_EQ(got, std::size_t{3} << 20U);
  EXPECT_EQ(end->err.size(), std::size_t{16} << 10U);
}

TEST(Process, SurvivesAProgramThatReadsNothing) {
  ProcessStreams streams;
  streams.in = [](std::span<char> buffer) -> Result<std::size_t> { return buffer.size(); };
  const auto end = run_process(shell("exec 0<&-; exit 3"), streams, {});
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 3);
}

TEST(Process, HandsOverATextAndCapsWhatItKeeps) {
  const std::string text(1'000'000, 'y');
  std::string out;
  const auto end = run_process(shell("cat; cat >&2"), {read_from(text), keep_first(out, 1'000), {}}, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_EQ(out, text.substr(0, 1'000));
  auto command = shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 7");
  command.most_err = 400;
  const auto loud = run_process(command, {{}, keep_first(out, 1'000), {}}, {});
  ASSERT_TRUE(loud.has_value()) << loud.error().describe();
  EXPECT_EQ(loud->exit_code, 7);
  EXPECT_EQ(loud->err.size(), 400U);
  EXPECT_EQ(out.size(), 1'000U);
}

TEST(Process, SaysThatAProgramCannotBeRunInTheWordsOfTheCaller) {
  for (const char* name : {"/no/such/program", "no-such-program"}) {
    ProcessCommand command;
    command.arguments = {name};
    const auto end = run_process(command, {}, {});
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().code, ErrorCode::Io);
    EXPECT_EQ(end.error().message, std::string("cannot run ") + name + ": No such file or directory");
    command.cannot_start = ErrorCode::BackupFailed;
    EXPECT_EQ(run_process(command, {}, {}).error().code, ErrorCode::BackupFailed);
  }
  auto nowhere = shell("true");
  nowhere.folder = "/no/such/folder";
  EXPECT_FALSE(run_process(nowhere, {}, {}));
}

TEST(Process, LooksAlongThePathOfItsEnvironment) {
  const test::TempFolder folder;
  const auto forbidden = folder.write("tool", "not executable");
  ProcessCommand command;
  command.arguments = {"tool"};
  command.environment = {"PATH=" + folder.string()};
  EXPECT_THAT(run_process(command, {}, {}).error().message, HasSubstr("Permission denied"));
  command.arguments = {"sh", "-c", "echo found"};
  command.environment = {"PATH=" + folder.string() + ":/usr/bin:/bin"};
  EXPECT_EQ(output_of(command), "found\n");
}

TEST(Process, GivesTheProgramThisEnvironmentAndFolderAndNoOther) {
  const test::TempFolder folder;
  ::setenv("ATHANOR_TEST_SECRET", "s3cret", 1);
  auto command = shell("env; pwd");
  command.environment.emplace_back("GIVEN=yes");
  command.folder = folder.string();
  EXPECT_THAT(output_of(command), AllOf(HasSubstr("GIVEN=yes"), HasSubstr(folder.string()), Not(HasSubstr("s3cret"))));
  command.environment = inherited_environment({{"ATHANOR_TEST_SECRET", "replaced"}, {"ADDED", "too"}});
  EXPECT_THAT(output_of(command), AllOf(HasSubstr("ATHANOR_TEST_SECRET=replaced"), HasSubstr("ADDED=too"), HasSubstr("PATH="),
                                        Not(HasSubstr("s3cret"))));
  ::unsetenv("ATHANOR_TEST_SECRET");
}

TEST(Process, PassesOnTheDescriptorsThatAreNamedAndNoOther) {
  const UniqueFd named(::memfd_create("named", MFD_CLOEXEC));
  const UniqueFd leaked(::memfd_create("leaked", 0));  // as a library may open it
  ASSERT_TRUE(named && leaked);
  auto command = shell("for fd in /proc/$$/fd/*; do readlink $fd; done");
  command.inherited = {named.get()};
  EXPECT_THAT(output_of(command), AllOf(HasSubstr("memfd:named"), Not(HasSubstr("memfd:leaked"))));
}

// Signals 32 and 33 are glibc's own: a test runner that was started with them ignored (by GNU make, for one) cannot change
// that.
std::uint64_t ignored_signals(std::string_view status) {
  constexpr std::string_view kField = "SigIgn:\t";
  constexpr std::uint64_t kOfGlibc = std::uint64_t{3} << 31U;
  const std::size_t found = status.find(kField);
  EXPECT_NE(found, std::string_view::npos) << status;
  return std::stoull(std::string(status.substr(found + kField.size(), 16)), nullptr, 16) & ~kOfGlibc;
}

TEST(Process, StartsWithUsualSignals) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t old;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  const std::string status = output_of(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_EQ(ignored_signals(status), 0U) << status;
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ::signal(SIGPIPE, before);
}

TEST(Process, HasItsStreamsWhereOurStandardInputIsClosed) {
  const UniqueFd kept(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10));
  ::close(STDIN_FILENO);
  std::string out;
  const auto end = run_process(shell("cat"), {read_from("text"), keep_first(out, 100), {}}, {});
  if (kept) {
    ::dup2(kept.get(), STDIN_FILENO);
  }
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_EQ(out, "text");
  EXPECT_EQ(output_of(shell("cat; echo end")), "end\n");  // nothing to read is /dev/null
}

TEST(Process, EndsTheWholeGroupWhenAStopIsRequested) {
  StopSource stop;
  std::string out;
  ProcessStreams streams;
  streams.out = [&](std::string_view bytes) -> Result<void> {
    out += bytes;
    if (out.find('\n') != std::string::npos) {
      stop.request();
    }
    return {};
  };
  const auto end = run_process(shell("sleep 1000 & echo $!; wait"), streams, stop.token());
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, ErrorCode::Interrupted);
  EXPECT_TRUE(goes(static_cast<pid_t>(std::stol(out)))) << "it is still running";
}

TEST(Process, EndsAtItsDeadlineWithAllItStarted) {
  SystemClock clock;
  auto command = shell("trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000");
  command.clock = &clock;
  command.timeout = 50ms;
  std::string out;
  const auto end = run_process(command, {{}, keep_first(out, 100), {}}, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->exit_code, 137);
  EXPECT_TRUE(goes(static_cast<pid_t>(std::stol(out)))) << "it is still running";
}

TEST(Process, EndsAProgramThatStandsStill) {
  auto command = shell("for i in 1 2 3 4 5 6 7 8; do echo x; sleep 0.1; done; exec sleep 1000");
  command.idle_timeout = 400ms;
  std::string out;
  const auto end = run_process(command, {{}, keep_first(out, 100), {}}, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(out, "x\nx\nx\nx\nx\nx\nx\nx\n") << "it did not stand still";
  std::string text(10'000'000, 'x');
  auto reader = shell("for i in 1 2 3 4 5 6 7 8; do head -c 1000000 >/dev/null; sleep 0.1; done");
  reader.idle_timeout = 400ms;
  const auto read = run_process(reader, {read_from(text), {}, {}}, {});
  ASSERT_TRUE(read.has_value()) << read.error().describe();
  EXPECT_FALSE(read->timed_out);
}

TEST(Process, MeasuresItsDeadlineWithTheClockItIsGiven) {
  test::FakeClock clock;
  auto command = shell("echo; exec sleep 1000");
  command.clock = &clock;
  command.timeout = 1h;
  ProcessStreams streams;
  streams.out = [&clock](std::string_view) -> Result<void> {
    clock.advance(1h);
    return {};
  };
  const auto end = run_process(command, streams, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_TRUE(end->timed_out);
}

TEST(Process, DoesNotWaitForAGrandchildThatKeepsItsOutputOpen) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(output_of(shell("sleep 5 & echo done")), "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST(Process, DoesNotReadForEverFromAGrandchildThatKeepsWriting) {
  std::string out;
  auto command = shell("(while :; do echo x; echo y >&2; done) & echo $!; sleep 0.1");
  const auto end = run_process(command, {{}, keep_first(out, 100), {}}, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_EQ(end->exit_code, 0);
}

TEST(Process, ReadsAllThatWasWrittenBeforeTheEnd) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(output_of(shell("head -c 60000 /dev/zero")).size(), 60'000U);
  }
}

TEST(Process, EndsWhenItsOutputCannotBeTakenOrATickFails) {
  ProcessStreams streams;
  streams.out = [](std::string_view) -> Result<void> { return fail(ErrorCode::BackupFailed, "No space left on device"); };
  const auto full = run_process(shell("while :; do echo x; done"), streams, {});
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().message, "No space left on device");
  streams.out = {};
  streams.tick = []() -> Result<void> { return fail(ErrorCode::FileTooLarge, "too much on disk"); };
  const auto watched = run_process(shell("sleep 1000"), streams, {});
  ASSERT_FALSE(watched.has_value());
  EXPECT_EQ(watched.error().message, "too much on disk");
}

TEST(Process, TellsTheSignalThatEndedIt) {
  const auto end = run_process(shell("kill -9 $$"), {}, {});
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 137);
  EXPECT_FALSE(end->timed_out);
}

TEST(Process, SharesOurStreamsInTheForeground) {
  const test::TempFolder folder;
  auto command = foreground_command({"sh", "-c", "echo printed; exit 4"});
  command.folder = folder.string();
  command.out_to_err = true;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const auto end = run_process(command, {}, {});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "printed\n");
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_EQ(end->exit_code, 4);
}

TEST(Process, HoldsAProgramToItsLimits) {
  ProcessCommand command = shell("ulimit -c; ulimit -f; ulimit -v; ulimit -t");
  EXPECT_THAT(output_of(command), ::testing::StartsWith("0\n"));
  command.limits = {std::uint64_t{1} << 20U, std::uint64_t{64} << 20U, 7};
  EXPECT_EQ(output_of(command), "0\n2048\n65536\n7\n");
}

TEST(Process, LeavesAQuarterOfTheContainersMemory) {
  const test::TempFolder folder;
  EXPECT_EQ(memory_for_program(1000, folder.write("limit", "400\n")), 300U);
  EXPECT_EQ(memory_for_program(200, folder.write("limit", "400\n")), 200U);
  EXPECT_EQ(memory_for_program(1000, folder.write("limit", "max\n")), 1000U);
  EXPECT_EQ(memory_for_program(1000, folder / "no such file"), 1000U);
}

TEST(Process, KeepsAllOrFails) {
  std::string text;
  const auto take = keep_all(text, 5, Error(ErrorCode::Io, "too much"));
  EXPECT_TRUE(take("abc"));
  EXPECT_TRUE(take("de"));
  const auto more = take("f");
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().message, "too much");
  EXPECT_EQ(text, "abcde");
}

TEST(Process, EndsAProgramThatWritesTooLargeAFile) {
  const test::TempFolder folder;
  ProcessCommand command = shell("exec head -c 100000 /dev/zero > '" + folder / "file" + "'");
  command.limits.file_bytes = 4'096;
  const auto end = run_process(command, {}, {});
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 128 + SIGXFSZ);
  EXPECT_EQ(test::read_file(folder / "file").size(), 4'096U);
}

TEST(MemoryFile, IsForItsOwnerAloneAndCannotBeChanged) {
  const auto file = memory_file("athanor-test", "canary");
  ASSERT_TRUE(file.has_value());
  auto command = shell("stat -Lc %a " + inherited_path(*file) + "; cat " + inherited_path(*file));
  command.inherited.push_back(file->get());
  EXPECT_EQ(output_of(command), "600\ncanary");
  EXPECT_EQ(::write(file->get(), "x", 1), -1);
  EXPECT_EQ(::ftruncate(file->get(), 0), -1);
}

// In a process of its own: it cannot be undone for this one.
TEST(PrivateMemory, IsNotForOtherProcessesOfTheSameUserNorForACoreFile) {
  const pid_t child = ::fork();
  if (child == 0) {
    keep_memory_private();
    rlimit core{1, 1};
    ::getrlimit(RLIMIT_CORE, &core);
#ifdef __SANITIZE_ADDRESS__
    const bool closed = true;
#else
    const bool closed = ::prctl(PR_GET_DUMPABLE) == 0;
#endif
    ::_exit(closed && core.rlim_max == 0 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace athanor
