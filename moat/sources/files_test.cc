// SPDX-License-Identifier: Apache-2.0
#include "moat/sources/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace moat::sources {
namespace {

namespace fs = std::filesystem;

const std::string strong = "q8Zr1vXnT5mK0wYcHd3pLb7sUeJ9aGf2";

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "moat-files-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(folder_); }
  Files(const Files&) = delete;  // removes its folder
  Files& operator=(const Files&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    std::ofstream(path(name), std::ios::binary) << text;
    ::chmod(path(name).c_str(), mode);
    return path(name);
  }
  static std::string refusal(const std::string& file) {
    const auto secret = read_secret_file(file);
    return secret ? "" : std::string(env::to_string(secret.error().refusal));
  }

  fs::path folder_;
};

TEST_F(Files, ASecretFileGivesItsBytes) {
  EXPECT_EQ(read_secret_file(write("a", strong + "\n"))->reveal(), strong);
  EXPECT_EQ(read_secret_file(write("b", strong + "\r\n", 0400))->reveal(), strong);
  EXPECT_EQ(read_secret_file(write("c", "x\n\n"))->reveal(), "x\n") << "one line end only";
  EXPECT_EQ(read_secret_file(write("d", std::string_view("a\0b", 3)))->size(), 3U);
}

TEST_F(Files, ALooserModeIsRefused) {
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0660U})
    EXPECT_EQ(refusal(write("a", strong, mode)), "exposed") << mode;
  const auto secret = read_secret_file(write("b", strong, 0644));
  EXPECT_EQ(secret.error().to_string(),
            path("b") + ": the file's mode is 0644, so that others may use it; make it 0600");
}

TEST_F(Files, AReadableFileIsTakenOnlyWhenAskedFor) {
  const std::string file = write("a", strong, 0644);
  EXPECT_EQ(refusal(file), "exposed");
  EXPECT_EQ(read_secret_file(file, Readers::allow_all)->reveal(), strong);
  for (const mode_t mode : {0664U, 0646U, 0666U})
    EXPECT_FALSE(read_secret_file(write("b", strong, mode), Readers::allow_all)) << mode;
}

TEST_F(Files, AnotherOwnerIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string file = write("a", strong);
  ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
  EXPECT_EQ(refusal(file), "exposed");
}

TEST_F(Files, OnlyRegularFilesAreRead) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal(path("pipe")), "unreadable") << "and it does not wait for a writer";
  EXPECT_EQ(refusal(folder_.string()), "unreadable");
  EXPECT_EQ(refusal("/dev/zero"), "unreadable");
  EXPECT_EQ(refusal(path("absent")), "unreadable");
  EXPECT_EQ(refusal(""), "unreadable");
  EXPECT_EQ(refusal(write("a", strong) + std::string("\0x", 2)), "unreadable");
  EXPECT_EQ(refusal(write("empty", "")), "weak");
  EXPECT_EQ(refusal(write("blank", "\n")), "weak");
}

TEST_F(Files, ALinkIsFollowedOnlyWhereNobodyElseCanMakeIt) {
  const std::string target = write("target", strong);
  fs::create_symlink(target, path("link"));
  EXPECT_EQ(refusal(path("link")), "");
  fs::permissions(folder_, fs::perms::all);
  EXPECT_EQ(refusal(path("link")), "unreadable");
  EXPECT_EQ(refusal(target), "") << "the file itself is fine";
  fs::permissions(folder_, fs::perms::owner_all);
  ::chmod(target.c_str(), 0644);
  EXPECT_EQ(refusal(path("link")), "exposed") << "the file's mode counts, not the link's";
  fs::create_symlink(path("loop"), path("loop"));
  EXPECT_EQ(refusal(path("loop")), "unreadable");
}

TEST_F(Files, SizeIsBounded) {
  const env::Reader reader = file_reader(10);
  EXPECT_TRUE(reader(write("a", "0123456789")));
  EXPECT_EQ(reader(write("b", "0123456789a")).error(), env::ReadRefusal::too_large);
  EXPECT_EQ(reader(path("c")).error(), env::ReadRefusal::absent);
}

TEST_F(Files, LoadDotenvReadsItsLayers) {
  write(".env", "MOAT_TEST_A=1\nMOAT_TEST_B=1\n", 0644);
  write(".env.production", "MOAT_TEST_B=2\nMOAT_TEST_KEY_FILE=" + write("key", strong + "\n"));
  const auto settings = load_dotenv(path(".env"), "production");
  ASSERT_TRUE(settings) << settings.error().to_string();
  EXPECT_EQ(*settings->text("MOAT_TEST_A"), "1");
  EXPECT_EQ(*settings->text("MOAT_TEST_B"), "2");
  EXPECT_EQ(settings->secret("MOAT_TEST_KEY")->reveal(), strong);
  EXPECT_EQ(::getenv("MOAT_TEST_A"), nullptr) << "nothing enters the environment";
}

TEST_F(Files, TheEnvironmentIsAboveTheFiles) {
  ::setenv("MOAT_TEST_A", "process", 1);
  const auto settings = load_dotenv(write(".env", "MOAT_TEST_A=file"));
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings->text("MOAT_TEST_A"), "process");
  ::unsetenv("MOAT_TEST_A");
}

TEST_F(Files, ScrubbingRemovesAndOverwrites) {
  ::setenv("MOAT_TEST_SECRET", "hunter2hunter2", 1);
  ::setenv("MOAT_TEST_SECRETLY", "stays", 1);
  const char* bytes = ::getenv("MOAT_TEST_SECRET");
  EXPECT_EQ(process_environment().at("MOAT_TEST_SECRET").reveal(), "hunter2hunter2");
  const std::string_view names[] = {"MOAT_TEST_SECRET", "MOAT_TEST_ABSENT", "", "A=B"};
  scrub_environment(names);
  EXPECT_EQ(::getenv("MOAT_TEST_SECRET"), nullptr);
  EXPECT_STREQ(::getenv("MOAT_TEST_SECRETLY"), "stays");
  EXPECT_EQ(process_environment().count("MOAT_TEST_SECRET"), 0U);
  EXPECT_EQ(bytes[0], '\0') << "the old memory holds nothing";
  ::unsetenv("MOAT_TEST_SECRETLY");
}

TEST_F(Files, ScrubSecretsGoesByName) {
  ::setenv("MOAT_TEST_PASSWORD", "hunter2", 1);
  ::setenv("MOAT_TEST_PORT", "1", 1);
  EXPECT_GE(scrub_secrets(), 1U);
  EXPECT_EQ(::getenv("MOAT_TEST_PASSWORD"), nullptr);
  EXPECT_STREQ(::getenv("MOAT_TEST_PORT"), "1");
  ::unsetenv("MOAT_TEST_PORT");
}

}  // namespace
}  // namespace moat::sources
