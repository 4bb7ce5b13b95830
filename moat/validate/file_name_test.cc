// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/file_name.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "moat/base/encoding.h"

namespace moat::validate {
namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

std::string read(std::string_view text, const FileNameOptions& options = {}) {
  const auto name = FileName::parse(text, options);
  if (!name) return "refused: " + std::string(to_string(name.error()));
  return name->text();
}

TEST(FileName, IsKeptAsItIs) {
  for (const auto* name : {"a",
                           "report.pdf",
                           "Ueber uns (2).txt",
                           "\u00dcber.txt",
                           "a,b;c=d'e.txt",
                           "100%.txt",
                           "100%25",
                           "%zz",
                           "a..b",
                           "a - b",
                           "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",
                           "\u2764\ufe0f.png",
                           "console.log",
                           "com",
                           "com10.txt",
                           "comx",
                           "lpt.txt",
                           "nul1",
                           "~x",
                           "a&#47;"})
    EXPECT_EQ(read(name), std::string_view(name) == "100%25" ? "refused: encoded" : name);
}

TEST(FileName, HasNoWayOut) {
  EXPECT_EQ(read(""), "refused: empty");
  EXPECT_EQ(read("."), "refused: dots");
  EXPECT_EQ(read(".."), "refused: dots");
  for (const auto* name : {"../x", "/etc/passwd", "a/", "..\\x", "C:\\x", "a\uff0fb", "a\u2215b",
                           "a\u29f5b", "a\uff3cb"})
    EXPECT_TRUE(read(name) == "refused: separator" || read(name) == "refused: reserved") << name;
  for (const auto* name : {"%2e%2e", "a%2fb", "a%2Fb", "a%5Cb", "a%00", "a%0d%0a", "a%252f", "%7f"})
    EXPECT_EQ(read(name), "refused: encoded") << name;
}

TEST(FileName, IsTheSameOnEverySystem) {
  EXPECT_EQ(read("a\0.png"sv), "refused: unseen");
  EXPECT_EQ(read("a\n.png"), "refused: unseen");
  EXPECT_EQ(read("a\x7f"), "refused: unseen");
  EXPECT_EQ(read("\u202egnp.exe"), "refused: unseen");  // shown as exe.png
  EXPECT_EQ(read("a\u2066b"), "refused: unseen");
  EXPECT_EQ(read("a\u200bb"), "refused: unseen");
  EXPECT_EQ(read("a.txt:stream"), "refused: reserved");
  for (const char c : std::string_view("<>:\"|?*"))
    EXPECT_EQ(read(std::string("a") + c), "refused: reserved") << c;
  EXPECT_EQ(read("shell.php."), "refused: dots");
  EXPECT_EQ(read("shell.php "), "refused: outer_space");
  EXPECT_EQ(read(" a"), "refused: outer_space");
  EXPECT_EQ(read("a\u3000"), "refused: outer_space");
  EXPECT_EQ(read("\u00a0a"), "refused: outer_space");
  EXPECT_EQ(read("a\u00a0b"), "a\u00a0b");
  EXPECT_EQ(read(".htaccess"), "refused: hidden");
  EXPECT_EQ(read(".htaccess", {.allow_hidden = true}), ".htaccess");
  EXPECT_EQ(read("..", {.allow_hidden = true}), "refused: dots");
  EXPECT_EQ(read("-rf"), "refused: option");
  for (const auto* name : {"con", "NUL", "nul.txt", "Aux.tar.gz", "PRN ", "prn .txt", "COM1",
                           "lpt9.x", "com0", "COM\u00b9.txt", "conin$", "CONOUT$.log"})
    EXPECT_TRUE(read(name) == "refused: device" || name == "PRN "sv) << name;
  EXPECT_EQ(read("\xff"), "refused: not_utf8");
}

TEST(FileName, IsTheSameWhenItIsFolded) {
  // NFKC, and the tables by which Windows finds characters of an old code page.
  for (const auto* name : {"a\u2100b", "a\u2106b", "..\u00a5x", "..\u20a9x"})
    EXPECT_EQ(read(name), "refused: separator") << name;
  for (const auto* name :
       {"\uff0e\uff0e", "\u2025", "\ufe30", "\u2024\u2024", "shell.php\uff0e", "\u2026", "a\u2026"})
    EXPECT_EQ(read(name), "refused: dots") << name;
  EXPECT_EQ(read("\uff0ehtaccess"), "refused: hidden");
  EXPECT_EQ(read("\ufe52x", {.allow_hidden = true}), "\ufe52x");
  EXPECT_EQ(read("\uff0drf"), "refused: option");
  for (const auto* name : {"\uff43\uff4f\uff4e", "LPT\uff11.txt", "nul\uff0etxt"})
    EXPECT_EQ(read(name), "refused: device") << name;
  EXPECT_EQ(read("a\uff052fb"), "refused: encoded");
  EXPECT_EQ(read("\uff27\uff29\uff34~1"), "refused: reserved");
  for (const auto* name : {"\u2026 and more.mp3", "a\uff0eb", "a\uff0db", "\uffe5", "\u20ac",
                           "\uff43\uff4f", "100\uff05", "\u4f55\uff1f.txt"})
    EXPECT_EQ(read(name), name);
}

TEST(FileName, HasNoSecondName) {
  for (const auto* name :
       {"\u200c.htaccess", "\u200dx", "con\u200c.txt", "shell.php\u200d", "a\u200cb"})
    EXPECT_EQ(read(name), "refused: unseen") << name;
  for (const auto* name : {"PDF\u200c\u0647\u0627.txt", "\U0001f468\u200d\U0001f4bb.png"})
    EXPECT_EQ(read(name), name);
  for (const auto* name : {"GIT~1", "PROGRA~1", "HTACCE~1.TXT", "a~12.c"})
    EXPECT_EQ(read(name), "refused: reserved") << name;
  for (const auto* name : {"a~", "~1", "report~1.html", "Report 2~1", "a~1b", "a.c~1", "~$a.doc"})
    EXPECT_EQ(read(name), name);
}

TEST(FileName, HasALimit) {
  EXPECT_EQ(read(std::string(254, 'a')).size(), 254U);
  EXPECT_EQ(read(std::string(255, 'a')).size(), 255U);
  EXPECT_EQ(read(std::string(256, 'a')), "refused: too_long");
  EXPECT_EQ(read("abc", {.max_bytes = 3}), "abc");
  EXPECT_EQ(read("abcd", {.max_bytes = 3}), "refused: too_long");
}

TEST(FileName, HasAnExtension) {
  const auto extension = [](std::string_view text) {
    return FileName::parse(text, {.allow_hidden = true})->extension();
  };
  EXPECT_EQ(extension("a.tar.GZ"), "gz");
  EXPECT_EQ(extension("a"), "");
  EXPECT_EQ(extension(".profile"), "");
  EXPECT_EQ(extension(".a.b"), "b");
}

TEST(FileName, IsTheOneThatABrowserSaves) {
  const auto written = [](std::string_view text) {
    return content_disposition(FileName::parse(text).value());
  };
  EXPECT_EQ(written("report (2).pdf"), "attachment; filename=\"report (2).pdf\"");
  EXPECT_EQ(written("a;b=c.txt"), "attachment; filename=\"a;b=c.txt\"");
  EXPECT_EQ(written("\u20ac rates.txt"),  // RFC 6266 section 5
            "attachment; filename*=UTF-8''%E2%82%AC%20rates.txt");
  EXPECT_EQ(written("50%.txt"), "attachment; filename*=UTF-8''50%25.txt");
  EXPECT_EQ(content_disposition(FileName::parse("a.png").value(), Disposition::inline_content),
            "inline; filename=\"a.png\"");
}

std::string path(std::string_view text, const FilePathOptions& options = {}) {
  const auto read = FilePath::parse(text, options);
  if (!read) return "refused: " + std::string(to_string(read.error()));
  return read->text();
}

TEST(FilePath, StaysBelow) {
  EXPECT_EQ(path("a"), "a");
  EXPECT_EQ(path("a/b/c.txt"), "a/b/c.txt");
  EXPECT_EQ(path(""), "refused: empty");
  EXPECT_EQ(path("/a"), "refused: empty");
  EXPECT_EQ(path("a/"), "refused: empty");
  EXPECT_EQ(path("a//b"), "refused: empty");
  EXPECT_EQ(path("a/../b"), "refused: dots");
  EXPECT_EQ(path("./a"), "refused: dots");
  EXPECT_EQ(path("a/.git/config"), "refused: hidden");
  EXPECT_EQ(path("a/%2e%2e/b"), "refused: encoded");
  EXPECT_EQ(path("a\\b"), "refused: separator");
  EXPECT_EQ(path("a/b", {.max_names = 2}), "a/b");
  EXPECT_EQ(path("a/b/c", {.max_names = 2}), "refused: too_long");
}

class OpenBelow : public ::testing::Test {
 protected:
  OpenBelow() {
    std::string pattern = (fs::temp_directory_path() / "moat-below-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    directory_ = ::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fs::create_directories(root_ / "open/deep");
    std::ofstream(root_ / "open/deep/file.txt") << "inside";
    std::ofstream(root_ / "secret.txt") << "outside";
  }
  ~OpenBelow() override {
    ::close(directory_);
    fs::remove_all(root_);
  }
  // What is in the file, or the error's name.
  std::string content(std::string_view text) const {
    const auto opened = open_below(directory_, FilePath::parse(text).value());
    if (!opened) return opened.error().message();
    std::array<char, 64> buffer{};
    const ssize_t size = ::read(*opened, buffer.data(), buffer.size());
    EXPECT_EQ(::fcntl(*opened, F_GETFD), FD_CLOEXEC);
    ::close(*opened);
    return size < 0 ? "unreadable" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }
  static std::string message(std::errc code) { return std::make_error_code(code).message(); }

  fs::path root_;
  int directory_ = -1;
};

TEST_F(OpenBelow, ReadsAFile) {
  EXPECT_EQ(content("secret.txt"), "outside");
  EXPECT_EQ(content("open/deep/file.txt"), "inside");
}

TEST_F(OpenBelow, FollowsNoLink) {
  fs::create_symlink(root_ / "secret.txt", root_ / "open/link.txt");
  fs::create_directory_symlink(root_, root_ / "open/up");
  fs::create_directory_symlink(root_ / "open", root_ / "same");
  EXPECT_EQ(content("open/link.txt"), message(std::errc::too_many_symbolic_link_levels));
  EXPECT_EQ(content("open/up/secret.txt"), message(std::errc::not_a_directory));
  EXPECT_EQ(content("same/deep/file.txt"), message(std::errc::not_a_directory));
}

TEST_F(OpenBelow, OpensFilesOnly) {
  EXPECT_EQ(content("open"), message(std::errc::permission_denied));
  EXPECT_EQ(content("open/nothing"), message(std::errc::no_such_file_or_directory));
  EXPECT_EQ(content("secret.txt/x"), message(std::errc::not_a_directory));
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(content("pipe"), message(std::errc::permission_denied)) << "and is not waited for";
}

TEST_F(OpenBelow, LeavesNothingOpen) {
  const auto open_files = [] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
    return count;
  };
  const std::size_t before = open_files();
  content("open/deep/file.txt");
  content("open/deep");
  content("open/deep/x/y/z");
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(::fcntl(directory_, F_GETFD), FD_CLOEXEC) << "the caller's stays open";
}

}  // namespace
}  // namespace moat::validate
