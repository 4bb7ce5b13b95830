// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/body.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

enum class Size { small, large };
constexpr std::array<std::pair<std::string_view, Size>, 2> sizes{
    {{"small", Size::small}, {"large", Size::large}}};

struct Line {
  std::string item;
  int count = 0;
  std::optional<double> price;
};
struct Order {
  std::string buyer;
  std::int64_t number = 0;
  bool gift = false;
  Size size = Size::small;
  std::optional<std::string> note;
  std::vector<Line> lines;
  std::optional<std::vector<std::string>> tags;
  std::optional<Line> extra;
};

const Body<Line>& line_body() {
  static const auto body = Body<Line>()
                               .member("item", &Line::item, {.min_length = 1, .max_length = 8})
                               .member("count", &Line::count, {.min = 1, .max = 100})
                               .member("price", &Line::price, {.min = 0.0, .max = 10.5});
  return body;
}
const Body<Order>& order_body() {
  static const auto body =
      Body<Order>()
          .member("buyer", &Order::buyer, {.max_length = 40, .format = TextFormat::email})
          .member("number", &Order::number)
          .member("gift", &Order::gift)
          .member("size", &Order::size, {.table = sizes})
          .member("note", &Order::note, {.max_length = 5, .pattern = "^[a-z\u00e4]*$"})
          .member("lines", &Order::lines, {.min = 1, .max = 3, .each = line_body()})
          .member("tags", &Order::tags, {.max = 2, .each = {.max_length = 3}})
          .member("extra", &Order::extra, line_body());
  return body;
}

constexpr std::string_view good =
    R"({"buyer":"a@b.test","number":7,"gift":true,"size":"large","note":"\u00e4bc",
        "lines":[{"item":"x","count":1},{"item":"y","count":2.0,"price":1.5}],"tags":["a","b"]})";

std::string told(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems) {
    out += problem.pointer + " " + std::string(to_string(problem.code)) + ": " + problem.message;
    out += "\n";
  }
  return out;
}
// The problems of `good` with a member replaced (or, without a value, taken out).
std::string with(std::string_view name, std::string_view value) {
  json::Value body = json::parse(good).value();
  auto& object = std::get<json::Object>(body.data());
  std::erase_if(object, [&](const json::Member& member) { return member.first == name; });
  if (!value.empty()) object.emplace_back(name, json::parse(value).value());
  const auto out = order_body().parse_json(json::serialize(body));
  return out ? "" : told(out.error());
}

TEST(Body, GivesTheStruct) {
  const auto order = order_body().parse_json(good);
  ASSERT_TRUE(order) << told(order.error());
  EXPECT_EQ(order->buyer, "a@b.test");
  EXPECT_EQ(order->number, 7);
  EXPECT_TRUE(order->gift);
  EXPECT_EQ(order->size, Size::large);
  EXPECT_EQ(order->note,
            "\xc3\xa4"
            "bc");
  ASSERT_EQ(order->lines.size(), 2U);
  EXPECT_EQ(order->lines[1].count, 2);
  EXPECT_EQ(order->lines[0].price, std::nullopt);
  EXPECT_EQ(order->lines[1].price, 1.5);
  EXPECT_EQ(order->tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(order->extra);
}

TEST(Body, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(with("buyer", "\"nobody\""), "/buyer wrong_format: must be an e-mail address\n");
  EXPECT_EQ(with("buyer", ""), "/buyer missing: is required\n");
  EXPECT_EQ(with("number", "\"7\""), "/number wrong_type: must be an integer\n");
  EXPECT_EQ(with("number", "7.5"), "/number wrong_type: must be an integer\n");
  EXPECT_EQ(with("gift", "\"true\""), "/gift wrong_type: must be true or false\n");
  EXPECT_EQ(with("size", "\"huge\""), "/size not_listed: must be one of: small, large\n");
  EXPECT_EQ(with("size", "0"), "/size not_listed: must be one of: small, large\n");
  EXPECT_EQ(with("note", "null"), "/note wrong_type: must be a string\n");
  EXPECT_EQ(with("note", "\"A\""), "/note wrong_format: must match the pattern ^[a-z\xc3\xa4]*$\n");
  EXPECT_EQ(with("note", R"("\u0000")"), "/note bad_character: must be text without NUL\n");
  EXPECT_EQ(with("lines", "{}"), "/lines wrong_type: must be a list\n");
  EXPECT_EQ(with("lines", R"([{"item":"x","count":0},{"count":1,"x":1,"y":2},7])"),
            "/lines/0/count out_of_range: must be from 1 to 100\n"
            "/lines/1 unknown: has a member that is not expected\n"
            "/lines/1/item missing: is required\n"
            "/lines/2 not_an_object: must be a JSON object\n");
  EXPECT_EQ(with("evil", "1"), " unknown: has a member that is not expected\n");
  EXPECT_EQ(with("extra", R"({"item":"x","count":1,"price":10.6})"),
            "/extra/price out_of_range: must be from 0.0 to 10.5\n");
  EXPECT_EQ(told(order_body().parse_json("[1]").error()),
            " not_an_object: must be a JSON object\n");
  EXPECT_EQ(told(order_body().parse_json("{\"a\":1,\n\"a\":2}").error()),
            " duplicate: is not acceptable JSON: line 2, column 1: two members of one object have "
            "the same name\n");
  EXPECT_EQ(
      told(order_body().parse_json("{").error()),
      " syntax: is not acceptable JSON: line 1, column 2: the text ends here, too early to be "
      "JSON\n");
}

TEST(Body, BoundsAreInclusive) {
  EXPECT_EQ(with("note", R"("abcd")"), "");
  EXPECT_EQ(with("note", R"("abcd\u00e4")"), "");
  EXPECT_EQ(with("note", R"("abcdef")"), "/note too_long: must be at most 5 characters long\n");
  const auto line = [](std::string_view members) {
    return with("lines", "[{" + std::string(members) + "}]");
  };
  EXPECT_EQ(line(R"("item":"","count":1)"),
            "/lines/0/item too_short: must be at least 1 character long\n");
  EXPECT_EQ(line(R"("item":"x","count":1)"), "");
  EXPECT_EQ(line(R"("item":"x","count":100)"), "");
  EXPECT_EQ(line(R"("item":"x","count":101)"),
            "/lines/0/count out_of_range: must be from 1 to 100\n");
  EXPECT_EQ(line(R"("item":"x","count":1,"price":0)"), "");
  EXPECT_EQ(line(R"("item":"x","count":1,"price":10.5)"), "");
  EXPECT_EQ(with("lines", "[]"), "/lines too_short: must have at least 1 element\n");
  EXPECT_EQ(with("tags", "[]"), "");
  EXPECT_EQ(with("tags", R"(["a","b"])"), "");
  EXPECT_EQ(with("tags", R"(["a","b","c"])"), "/tags too_long: must have at most 2 elements\n");
  EXPECT_EQ(with("number", "9223372036854775807"), "");
  EXPECT_NE(with("number", "9223372036854775808"), "");
  EXPECT_NE(with("number", "1e300"), "");
}

TEST(Body, ProblemsAreBounded) {
  const auto count = [](int unknown) {
    json::Array lines;
    for (int i = 0; i < unknown; ++i) lines.emplace_back(1);
    struct Many {
      std::vector<Line> lines;
    };
    static const auto many =
        Body<Many>().member("lines", &Many::lines, {.max = 1000, .each = line_body()});
    return many.check(json::Object{{"lines", std::move(lines)}}).error().size();
  };
  EXPECT_EQ(count(63), 63U);
  EXPECT_EQ(count(64), 64U);
  EXPECT_EQ(count(65), 64U);
}

struct Search {
  std::string text;
  std::optional<int> page;
  std::optional<bool> all;
  std::optional<double> near;
  std::vector<int> ids;
  Size size = Size::small;
};
const Body<Search>& search_body() {
  static const auto body = Body<Search>()
                               .member("text", &Search::text)
                               .member("page", &Search::page, {.min = 1, .max = 9})
                               .member("all", &Search::all)
                               .member("near", &Search::near)
                               .member("ids", &Search::ids, {.max = 3})
                               .member("size", &Search::size, {.table = sizes});
  return body;
}
std::string form(std::string_view text) {
  const auto out = search_body().parse_form(text);
  if (!out) return told(out.error());
  std::string got = out->text + "|";
  if (out->page) got += std::to_string(*out->page);
  got += "|";
  if (out->all) got += *out->all ? "true" : "false";
  for (const int id : out->ids) got += "," + std::to_string(id);
  return got;
}

TEST(Body, ReadsForms) {
  EXPECT_EQ(form("text=a+b&page=2&all=false&near=1.5&ids=3&size=large"), "a b|2|false,3");
  EXPECT_EQ(form("text=&ids=3&ids=4&size=small"), "||,3,4");
  EXPECT_EQ(form("text=a&page=02&ids=1&size=small"), "/page wrong_type: must be an integer\n");
  EXPECT_EQ(form("text=a&page=&ids=1&size=small"), "/page wrong_type: must be an integer\n");
  EXPECT_EQ(form("text=a&all=1&ids=1&size=small"), "/all wrong_type: must be true or false\n");
  EXPECT_EQ(form("text=a&near=+1&ids=1&size=small"), "/near wrong_type: must be a number\n");
  EXPECT_EQ(form("text=a&ids=1&ids=x&size=small"), "/ids/1 wrong_type: must be an integer\n");
  EXPECT_EQ(form("text=a&text=b&ids=1&size=small"),
            " duplicate: is not an acceptable form: parameter 2 has a name that was given before, "
            "and only one value is expected\n");
  EXPECT_EQ(form("text=a&ids=1&size=small&is_admin=1"),
            " unknown: has a member that is not expected\n");
  EXPECT_EQ(
      form("text[$ne]=&ids=1&size=small"),
      " unknown: is not an acceptable form: parameter 1 has a name that begins with $, as the "
      "operators of databases do\n");
  EXPECT_EQ(form("text=a&ids=1&ids=2&ids=3&ids=4&size=small"),
            "/ids too_long: must have at most 3 elements\n");
}

struct Login {
  std::string email;
  Secret password;
};

TEST(Body, SecretsAreMovedIntoTheirOwnType) {
  const auto body = Body<Login>()
                        .member("email", &Login::email, {.format = TextFormat::email})
                        .member("password", &Login::password, {.min_length = 1});
  const auto login = body.parse_json(R"({"email":"a@b.test","password":"hunter2"})");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->password.reveal(), "hunter2");
  const auto by_form = body.parse_form("email=a%40b.test&password=hunter2");
  ASSERT_TRUE(by_form);
  EXPECT_EQ(by_form->password.reveal(), "hunter2");
  const auto refused = body.parse_json(R"({"email":"hunter2","password":7})");
  EXPECT_EQ(told(refused.error()).find("hunter2"), std::string::npos);
}

// --- The schema takes what the body takes -------------------------------------------------------

class Guess final {
 public:
  explicit Guess(std::uint32_t seed) : random_(seed) {}

  json::Value any(int depth) {
    switch (pick(depth > 0 ? 9 : 7)) {
      case 0:
        return {};
      case 1:
        return pick(2) == 0;
      case 2:
        return pick(220) - 60;
      case 3:
        return number();
      case 4:
        return text();
      case 5:
        return pick(2) == 0 ? "small" : "a@b.test";
      case 6:
        return std::numeric_limits<std::int64_t>::max() - pick(2);
      case 7: {
        json::Array out;
        for (int i = pick(4); i > 0; --i) out.push_back(any(depth - 1));
        return json::Value(std::move(out));
      }
      default:
        return pick(2) == 0 ? line() : json::Value(json::Object{});
    }
  }
  json::Value line() {
    json::Object out;
    add(out, "item", [&] { return text(); });
    add(out, "count", [&] { return json::Value(pick(103)); });
    if (pick(3) == 0) add(out, "price", [&] { return number(); });
    return json::Value(std::move(out));
  }
  json::Value order() {
    json::Object out;
    add(out, "buyer", [&] { return json::Value(pick(9) == 0 ? "a@b" : "a@b.test"); });
    add(out, "number", [&] { return pick(5) == 0 ? number() : json::Value(pick(9)); });
    add(out, "gift", [&] { return json::Value(pick(2) == 0); });
    add(out, "size", [&] { return json::Value(pick(9) == 0 ? "Small" : "small"); });
    if (pick(2) == 0) add(out, "note", [&] { return text(); });
    add(out, "lines", [&] {
      json::Array lines;
      for (int i = pick(9) == 0 ? pick(5) : 1; i > 0; --i) lines.push_back(line());
      return json::Value(std::move(lines));
    });
    if (pick(3) == 0)
      add(out, "tags", [&] {
        json::Array tags;
        for (int i = pick(4); i > 0; --i) tags.push_back(text());
        return json::Value(std::move(tags));
      });
    if (pick(4) == 0) add(out, "extra", [&] { return line(); });
    return json::Value(std::move(out));
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<std::uint32_t>(below)); }
  json::Value number() {
    constexpr double numbers[] = {0.0,
                                  -0.0,
                                  1.0,
                                  10.5,
                                  10.500001,
                                  -1e-9,
                                  1e300,
                                  9.2233720368547758e18,
                                  -9.2233720368547758e18,
                                  100.0,
                                  0.5};
    return numbers[pick(11)];
  }
  json::Value text() {
    std::string out;
    for (int i = pick(pick(5) == 0 ? 11 : 4); i > 0; --i) {
      constexpr std::string_view pieces[] = {"a", "z", "\xc3\xa4", "\xf0\x9f\x98\x80", "A", "\n"};
      out += pieces[pick(40) == 0 ? 5 : pick(20) == 0 ? 4 : pick(4)];
    }
    if (pick(60) == 0) out += '\0';
    return json::Value(std::move(out));
  }
  // Mostly as it should be.
  template <class Make>
  void add(json::Object& out, std::string_view name, Make make) {
    if (pick(60) == 0) return;
    out.emplace_back(pick(80) == 0 ? "other" : name, pick(25) == 0 ? any(2) : make());
    if (out.size() > 1 && out.back().first == "other" && out[out.size() - 2].first == "other")
      out.pop_back();
  }
  std::mt19937 random_;
};

TEST(Body, ItsSchemaTakesWhatItTakes) {
  SchemaOptions options;
  options.assert_formats = true;
  const auto schema = Schema::compile(order_body().schema(), options);
  ASSERT_TRUE(schema) << schema.error().pointer << schema.error().sentence;
  Guess guess(7);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    const json::Value value = i % 20 == 0 ? guess.any(3) : guess.order();
    const auto order = order_body().check(value);
    if (order) ++taken;
    ASSERT_EQ(order.has_value(), schema->check(value))
        << json::serialize(value) << (order ? "" : told(order.error()));
  }
  EXPECT_GT(taken, 1000);
  EXPECT_LT(taken, 19'000);
}

TEST(Body, ItsSchemaTakesTheEdges) {
  SchemaOptions options;
  options.assert_formats = true;
  const auto schema = Schema::compile(line_body().schema(), options);
  ASSERT_TRUE(schema);
  for (const std::string_view text :
       {R"({"item":"x","count":1})", R"({"item":"","count":1})", R"({"item":"12345678","count":1})",
        R"({"item":"123456789","count":1})", R"({"item":"x","count":0})",
        R"({"item":"x","count":100})", R"({"item":"x","count":101})",
        R"({"item":"x","count":1,"price":10.5})", R"({"item":"x","count":1,"price":10.51})",
        R"({"item":"x","count":1.0})", R"({"item":"x","count":"1"})", R"({"item":"x"})",
        R"({"item":"x","count":1,"price":null})", R"({"item":"x\u0000","count":1})", "[]",
        "null"}) {
    const json::Value value = json::parse(text).value();
    EXPECT_EQ(line_body().check(value).has_value(), schema->check(value)) << text;
  }
}

TEST(Body, ItsSchemaIsReadable) {
  struct One {
    std::optional<int> n;
  };
  EXPECT_EQ(json::serialize(Body<One>().member("n", &One::n, {.min = 0, .max = 5}).schema()),
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",)"
            R"("properties":{"n":{"type":"integer","minimum":0,"maximum":5}},"required":[],)"
            R"("additionalProperties":false})");
}

// A rule of another type, and a member that no JSON fits, do not compile.
template <class V, class Rule>
concept Fits = requires(Body<Line> body, V Line::*field, const Rule& rule) {
  body.template member<V>("x", field, rule);
};
static_assert(Fits<std::string, TextRule>);
static_assert(!Fits<std::string, NumberRule<int>>);
static_assert(Fits<int, NumberRule<int>>);
static_assert(!Fits<int, TextRule>);
static_assert(!Fits<int, NumberRule<double>>);
static_assert(!Fits<Size, TextRule>);
static_assert(!Fits<std::vector<int>, NumberRule<int>>);
static_assert(Fits<Line, Body<Line>>);
static_assert(!Fits<Line, Body<Order>>);

TEST(BodyDeathTest, MistakesOfTheProgramAbort) {
  EXPECT_DEATH(Body<Line>().member("a", &Line::item).member("a", &Line::count), "");
  EXPECT_DEATH(Body<Line>().member("a", &Line::item, {.pattern = "("}), "");
  EXPECT_DEATH(Body<Order>().member("a", &Order::size), "");
  EXPECT_DEATH(Body<Order>().member("a", &Order::lines), "");
}

}  // namespace
}  // namespace moat::validate
