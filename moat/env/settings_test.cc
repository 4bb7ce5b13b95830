// SPDX-License-Identifier: Apache-2.0
#include "moat/env/settings.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>

namespace moat::env {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

static_assert(!std::is_copy_constructible_v<Settings>, "it holds secrets");

const std::string strong = "q8Zr1vXnT5mK0wYcHd3pLb7sUeJ9aGf2";
const std::string another = "Jw4xR7bQ2nVtM6kZs9Yh1cGf5LpDa3Ue";

struct Fake {
  std::string text;
  std::uint32_t mode = 0600;
  bool own = true;
};

// Settings from files and an environment that exist only here.
struct World {
  std::map<std::string, Fake> files;
  std::map<std::string, std::string> process;
  LoadOptions options;

  Result<Settings, Problem> load() const {
    Environment environment;
    for (const auto& [key, value] : process) environment.emplace(key, Secret::copy_of(value));
    return env::load(
        options, std::move(environment),
        [copy = files](const std::string& path) -> Result<File, ReadRefusal> {
          const auto found = copy.find(path);
          if (found == copy.end()) return Error{ReadRefusal::absent};
          return File{Secret::copy_of(found->second.text), found->second.mode, found->second.own};
        });
  }
};

World with(std::string text) {
  World world;
  world.files[".env"] = {std::move(text)};
  return world;
}

template <class T>
std::string said(const Result<T, Problem>& result) {
  return result ? "" : result.error().to_string();
}
template <class T>
std::string refusal(const Result<T, Problem>& result) {
  return result ? "" : std::string(to_string(result.error().refusal));
}

TEST(Settings, ReadsEveryType) {
  const auto settings =
      with("TEXT=hello\nPORT=8443\nON=Yes\nOFF=0\nTTL=5m\nMAX=2MiB\nMODE=b").load();
  ASSERT_TRUE(settings) << said(settings);
  EXPECT_EQ(*settings->text("TEXT"), "hello");
  EXPECT_EQ(*settings->integer("PORT", 1, 65535), 8443);
  EXPECT_TRUE(*settings->boolean("ON"));
  EXPECT_FALSE(*settings->boolean("OFF"));
  EXPECT_EQ(*settings->duration("TTL", seconds{1}, minutes{5}), minutes{5});
  EXPECT_EQ(*settings->size("MAX", 0, 2 << 20), 2U << 20);
  const std::string_view modes[] = {"a", "b"};
  EXPECT_EQ(*settings->choice("MODE", modes), "b");
  EXPECT_EQ(settings->place("PORT")->to_string(), ".env:2");
  EXPECT_TRUE(settings->has("ON"));
  EXPECT_FALSE(settings->has("NO"));
  EXPECT_EQ(settings->keys().size(), 7U);
}

TEST(Settings, SaysWhereAndWhatWasExpected) {
  const auto settings =
      with("A=1\nPORT=http\nBIG=70000\nON=maybe\nTTL=5\nLONG=9h\nMAX=2MB\nMODE=c\nEMPTY=").load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(said(settings->integer("PORT", 1, 65535)),
            ".env:2: PORT: expected an integer from 1 to 65535");
  EXPECT_EQ(said(settings->integer("BIG", 1, 65535)),
            ".env:3: BIG: expected an integer from 1 to 65535");
  EXPECT_EQ(said(settings->boolean("ON")),
            ".env:4: ON: expected true or false (or yes, no, on, off, 1, 0)");
  EXPECT_EQ(said(settings->duration("TTL", seconds{1}, minutes{90})),
            ".env:5: TTL: expected a duration such as 30s, 5m or 8h from 1s to 90m");
  EXPECT_EQ(refusal(settings->duration("LONG", seconds{1}, minutes{90})), "out_of_range");
  EXPECT_EQ(said(settings->size("MAX", 1, 4 << 20)),
            ".env:7: MAX: expected a size such as 16KiB or 2MiB from 1B to 4MiB");
  const std::string_view modes[] = {"a", "b"};
  EXPECT_EQ(said(settings->choice("MODE", modes)), ".env:8: MODE: expected one of a b");
  EXPECT_EQ(refusal(settings->integer("EMPTY", 0, 9)), "wrong_type");
  for (const char* text : {"1 ", "+1", "0x1", "1.0", "99999999999999999999", "1e3"}) {
    const auto other = with(std::string("N='") + text + "'").load();
    EXPECT_FALSE(other->integer("N", 0, 2000)) << text;
  }
}

TEST(Settings, BoundsAreInclusive) {
  const auto settings = with("N=5\nM=-5").load();
  EXPECT_TRUE(settings->integer("N", 5, 5));
  EXPECT_FALSE(settings->integer("N", 6, 9));
  EXPECT_FALSE(settings->integer("N", 0, 4));
  EXPECT_EQ(*settings->integer("M", -5, 0), -5);
}

TEST(Settings, ADefaultStandsForAbsentNeverForWrong) {
  const auto settings = with("PORT=http").load();
  EXPECT_EQ(*settings->integer("OTHER", 1, 9, 7), 7);
  EXPECT_EQ(refusal(settings->integer("PORT", 1, 9, 7)), "wrong_type");
  EXPECT_EQ(*settings->text("T", "x"), "x");
  EXPECT_TRUE(*settings->boolean("B", true));
  EXPECT_EQ(*settings->duration("D", seconds{1}, seconds{2}, seconds{2}), seconds{2});
  EXPECT_EQ(*settings->size("S", 0, 9, 3), 3U);
}

TEST(Settings, AMissingKeyNamesTheNearest) {
  const auto settings = with("A=1\nJWT_SECERT=x\n").load();
  EXPECT_EQ(said(settings->text("JWT_SECRET")),
            ".env:2: JWT_SECRET: is not given; did you mean JWT_SECERT?");
  EXPECT_EQ(said(settings->text("SOMETHING_ELSE")), ".env: SOMETHING_ELSE: is not given");
  World empty;
  EXPECT_EQ(said(empty.load()->text("PORT")),
            ".env: PORT: is not given, and there is no such file");
}

TEST(Settings, LaterLayersAndTheProcessWin) {
  EXPECT_EQ(layers("x/.env"), (std::vector<std::string>{"x/.env", "x/.env.local"}));
  World world;
  world.options.files = layers(".env", "production");
  world.files[".env"] = {"A=1\nB=1\nC=1\nD=1\nE=1"};
  world.files[".env.local"] = {"B=2\nC=2\nD=2\nE=2"};
  world.files[".env.production"] = {"C=3\nD=3\nE=3"};
  world.files[".env.production.local"] = {"D=4\nE=4"};
  world.process["E"] = "5";
  const auto settings = world.load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings->text("A") + *settings->text("B") + *settings->text("C") +
                *settings->text("D") + *settings->text("E"),
            "12345");
  EXPECT_EQ(settings->place("C")->to_string(), ".env.production:1");
  EXPECT_EQ(settings->place("E")->to_string(), "the process environment");
}

TEST(Settings, ASecretComesFromOneSource) {
  EXPECT_EQ(with("K=" + strong).load()->secret("K")->reveal(), strong);
  World process;
  process.process["K"] = strong;
  EXPECT_EQ(process.load()->secret("K")->reveal(), strong);

  World both = with("A=\nK=" + strong);
  both.process["K"] = another;
  EXPECT_EQ(said(both.load()->secret("K")),
            "the process environment: K: is also given by .env:2; keep one of them");
  EXPECT_EQ(said(with("K=" + strong + "\nK=" + another).load()->secret("K")),
            ".env:2: K: is also given by .env:1; keep one of them");
  EXPECT_EQ(refusal(with("A=1").load()->secret("K")), "missing");
}

TEST(Settings, KeyFileHoldsTheValue) {
  World world = with("K_FILE=/run/key\nPORT_FILE=/run/port");
  world.files["/run/key"] = {strong + "\n", 0400};
  world.files["/run/port"] = {"8443\r\n", 0644};
  const auto settings = world.load();
  EXPECT_EQ(settings->secret("K")->reveal(), strong);
  EXPECT_EQ(*settings->integer("PORT", 1, 65535), 8443) << "no secret: any mode";
  EXPECT_EQ(settings->place("K")->to_string(), "/run/key");
  EXPECT_TRUE(settings->has("K"));
}

TEST(Settings, KeyFileAndKeyTogetherAreRefused) {
  World world = with("K=" + strong + "\nPORT=1");
  world.files["/run/key"] = {another};
  world.process["K_FILE"] = "/run/key";
  world.process["PORT_FILE"] = "/run/key";
  EXPECT_EQ(said(world.load()->secret("K")),
            ".env:1: K: is also given by the process environment; keep one of them");
  EXPECT_EQ(refusal(world.load()->integer("PORT", 1, 9)), "given_twice");
  World twice = with("K_FILE=/a\nK_FILE=/run/key");
  twice.files["/run/key"] = {strong};
  EXPECT_EQ(refusal(twice.load()->secret("K")), "given_twice");
}

TEST(Settings, AnUnresolvedKeyFileSaysWhereItIsNamed) {
  const auto settings = with("A=1\nK_FILE=/run/nowhere").load();
  EXPECT_EQ(said(settings->secret("K")),
            ".env:2: K_FILE: the file it names, /run/nowhere, is absent");
  EXPECT_EQ(refusal(settings->text("K")), "unreadable");
  EXPECT_EQ(refusal(settings->text("K", "default")), "unreadable")
      << "no default for what is there";
}

TEST(Settings, SecretsStayOutOfFilesThatOthersReadOrOwn) {
  for (const std::uint32_t mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0610U, 0777U}) {
    World world = with("K=" + strong);
    world.files[".env"].mode = mode;
    EXPECT_EQ(refusal(world.load()->secret("K")), "exposed") << mode;
    EXPECT_TRUE(world.load()->text("K")) << "plain settings may be public";
    world.options.insecure_allow_any_mode = true;
    EXPECT_TRUE(world.load()->secret("K")) << mode;
  }
  for (const std::uint32_t mode : {0600U, 0400U, 0700U}) {
    World world = with("K=" + strong);
    world.files[".env"].mode = mode;
    EXPECT_TRUE(world.load()->secret("K")) << mode;
    world.files[".env"].own = false;
    EXPECT_EQ(refusal(world.load()->secret("K")), "exposed") << "another owner";
  }
  World world = with("K=" + strong);
  world.files[".env"].mode = 0644;
  EXPECT_EQ(said(world.load()->secret("K")),
            ".env:1: K: the file's mode is 0644, so that others may use it; make it 0600");
}

TEST(Settings, AFolderMayBeTrustedToBeRead) {
  World world = with("K_FILE=/run/secrets/key");
  world.files["/run/secrets/key"] = {strong, 0444};
  EXPECT_EQ(refusal(world.load()->secret("K")), "exposed");
  world.options.allow_readable_below = {"/run/secrets/"};
  EXPECT_TRUE(world.load()->secret("K"));
  world.files["/run/secrets/key"].mode = 0446;
  EXPECT_EQ(refusal(world.load()->secret("K")), "exposed") << "writable is another matter";
  world.files["/run/secrets/key"] = {strong, 0444, false};
  EXPECT_EQ(refusal(world.load()->secret("K")), "exposed") << "another owner too";
  for (const char* path : {"/run/secretsx/key", "/run/secrets/../key", "/run/secrets"}) {
    World other = with(std::string("K_FILE=") + path);
    other.options.allow_readable_below = {"/run/secrets"};
    other.files[path] = {strong, 0444};
    EXPECT_EQ(refusal(other.load()->secret("K")), "exposed") << path;
  }
}

TEST(Settings, WeakSecretsAreRefusedAndNeverShown) {
  for (const char* value : {"short", "your-256-bit-secret-your-256-bit-secret",
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    const auto settings = with(std::string("K=") + value).load();
    EXPECT_EQ(refusal(settings->secret("K")), "weak") << value;
    EXPECT_EQ(said(settings->secret("K")).find(value), std::string::npos);
    EXPECT_EQ(settings->foreign_secret("K")->reveal(), value);
  }
  EXPECT_EQ(refusal(with("K=").load()->foreign_secret("K")), "weak");
  EXPECT_EQ(
      said(with("\nK=short").load()->secret("K", 20)),
      ".env:2: K: expected a secret of at least 20 bytes; `openssl rand -base64 32` makes one");
}

TEST(Settings, DoubtfulLinesStopTheLoad) {
  EXPECT_EQ(said(with("A=1\njust words").load()), ".env:2: expected KEY=value or a comment");
  EXPECT_EQ(said(with("PASSWORD=pass#word").load()),
            ".env:1: PASSWORD: the value would end at the '#'; put it in quotes, or a blank before "
            "the comment");
  EXPECT_TRUE(with("PASSWORD='pass#word' # comment").load());
  EXPECT_EQ(said(with("A='open").load()), ".env:1: A: the quotation mark is not closed");
  EXPECT_EQ(said(with("A='a' b").load()), ".env:1: A: text follows the closing quotation mark");
  EXPECT_EQ(said(with(std::string("A=1\nB=\0", 7)).load()), ".env:2: a NUL byte");
  EXPECT_EQ(said(with("A=\xff").load()), ".env:1: bytes that are no UTF-8");
  EXPECT_EQ(refusal(with("A=" + std::string(65536, 'a')).load()), "not_dotenv");
}

TEST(Settings, DangerousNamesStopTheLoad) {
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS",
                           "BASH_ENV", "PYTHONPATH", "GLIBC_TUNABLES"})
    EXPECT_EQ(refusal(with(std::string(name) + "=x").load()), "dangerous_name") << name;
  EXPECT_TRUE(with("LDAP_URL=x\nNODE_ENV=production").load());
  World world;
  world.process["LD_PRELOAD"] = "x";
  EXPECT_TRUE(world.load()) << "the process's own variables are as they are";
}

TEST(Settings, ReferencesAreExpandedWhenAsked) {
  World world = with("A=1\nB=x$A\nC=$UNDEFINED");
  EXPECT_EQ(*world.load()->text("B"), "x$A");
  world.options.expand_references = true;
  EXPECT_EQ(refusal(world.load()), "unresolved");
  world.files[".env"].text = "A=1\nB=x$A$H";
  world.process["H"] = "h";
  EXPECT_EQ(*world.load()->text("B"), "x1h");
}

TEST(Settings, BinaryIsForSecretsOnly) {
  World world = with("K_FILE=/k");
  world.files["/k"] = {strong + std::string(1, '\0') + "\xff"};
  EXPECT_TRUE(world.load()->secret("K"));
  EXPECT_EQ(refusal(world.load()->text("K")), "wrong_type");
  World process;
  process.process["T"] = "\xff";
  EXPECT_EQ(refusal(process.load()->text("T")), "wrong_type");
}

TEST(Settings, WithoutAReaderThereAreNoFiles) {
  Environment environment;
  environment.emplace("K_FILE", Secret::copy_of("/k"));
  const auto settings = load({}, std::move(environment), nullptr);
  ASSERT_TRUE(settings);
  EXPECT_EQ(refusal(settings->text("K")), "unreadable");
}

TEST(Settings, AnUnreadableFileStopsTheLoad) {
  const auto settings = load({}, {}, [](const std::string&) -> Result<File, ReadRefusal> {
    return Error{ReadRefusal::unreadable};
  });
  EXPECT_EQ(said(settings), ".env: the file is unreadable");
}

}  // namespace
}  // namespace moat::env
