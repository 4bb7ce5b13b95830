// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/keys.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }

TEST(Keys, NamesThatProgramsObeyAreFound) {
  for (const std::string_view name :
       {"__proto__", "constructor", "prototype", "__class__", "__globals__", "__defineGetter__",
        "a[__proto__]", "a[constructor][prototype][x]", "__proto__[x]", "[prototype]"})
    EXPECT_EQ(fault_of_key(name), KeyFault::prototype) << name;
  for (const std::string_view name :
       {"$gt", "$where", "$", "a[$gt]", "a[b][$ne]", "a[][$in]", "[$x"})
    EXPECT_EQ(fault_of_key(name), KeyFault::operation) << name;
  for (const std::string_view name : {"a.b", ".", ".a", "a."})
    EXPECT_EQ(fault_of_key(name), KeyFault::path) << name;
  for (const std::string_view name : {std::string_view("a\0b", 3), std::string_view("a\n"),
                                      std::string_view("\x7f"), std::string_view("\xff")})
    EXPECT_EQ(fault_of_key(name), KeyFault::control) << name;
}

TEST(Keys, OrdinaryNamesAreNot) {
  for (const std::string_view name :
       {"", "a", "_id", "__typename", "__v", "____", "proto", "Constructor", "constructors", "a$gt",
        "price$", "a[b]", "a[]", "items[0][name]", "x-y", "a b", "\xc3\xa4", "@odata",
        "prototype_"})
    EXPECT_EQ(fault_of_key(name), std::nullopt) << name;
}

TEST(Keys, EachRuleIsLoosenedByItsName) {
  KeyRules rules;
  rules.allow_prototype_keys = true;
  EXPECT_EQ(fault_of_key("__proto__", rules), std::nullopt);
  EXPECT_EQ(fault_of_key("$gt", rules), KeyFault::operation);
  rules = {};
  rules.allow_operator_keys = true;
  EXPECT_EQ(fault_of_key("a[$gt]", rules), std::nullopt);
  EXPECT_EQ(fault_of_key("a.b", rules), KeyFault::path);
  rules = {};
  rules.allow_dotted_keys = true;
  EXPECT_EQ(fault_of_key("a.b", rules), std::nullopt);
  EXPECT_EQ(fault_of_key("a\nb", rules), KeyFault::control);
  EXPECT_EQ(fault_of_key("a.__proto__.b", rules), KeyFault::prototype);
  EXPECT_EQ(fault_of_key("a.$[b]", rules), KeyFault::operation);
  EXPECT_EQ(fault_of_key("com.example.size", rules), std::nullopt);
  rules = {};
  rules.allow_control_keys = true;
  EXPECT_EQ(fault_of_key("a\nb", rules), std::nullopt);
  EXPECT_EQ(fault_of_key("constructor", rules), KeyFault::prototype);
  rules = {};
  rules.allow_names = {"$filter"};
  EXPECT_EQ(fault_of_key("$filter", rules), std::nullopt);
  EXPECT_EQ(fault_of_key("$filter2", rules), KeyFault::operation);
  EXPECT_EQ(fault_of_key("a[$filter]", rules), KeyFault::operation);
}

TEST(Keys, TheFirstIsFoundWhereverItIs) {
  EXPECT_FALSE(find_unsafe_key(read(R"({"a":[{"b":{}},"$gt",["x"]],"c":"__proto__"})")));
  EXPECT_FALSE(find_unsafe_key(read("\"$gt\"")));
  const auto at = [](std::string_view text) {
    const auto found = find_unsafe_key(read(text));
    return found ? found->pointer : "none";
  };
  EXPECT_EQ(at(R"({"$gt":1})"), "");
  EXPECT_EQ(at(R"({"password":{"$gt":""}})"), "/password");
  EXPECT_EQ(at(R"({"a":[1,{"b/c":{"__proto__":{}}}]})"), "/a/1/b~1c");
  EXPECT_EQ(at(R"([[],[{"x":1},{"y.z":1}]])"), "/1/1");
  EXPECT_EQ(find_unsafe_key(read(R"({"a":{"a.b":1},"$x":1})"))->fault, KeyFault::path);
}

TEST(Keys, ThePointerIsCutAtAWholeStep) {
  const auto pointer = [](std::size_t first) {
    return find_unsafe_key(json::Value(json::Object{{std::string(first, 'a'),
                                                     json::Object{{"bb", read(R"({"$":1})")}}}}))
        ->pointer;
  };
  EXPECT_EQ(pointer(251).size(), 255U);  // "/a…/bb"
  EXPECT_EQ(pointer(252).size(), 256U);
  EXPECT_EQ(pointer(253).size(), 254U);  // without "/bb"
  EXPECT_EQ(pointer(256), "");
}

TEST(Keys, AVeryDeepValueIsWalkedWithoutTheStack) {
  json::Value value = read(R"({"$gt":1})");
  for (int i = 0; i < 50'000; ++i) {
    json::Array one;
    one.push_back(std::move(value));
    value = json::Value(std::move(one));
  }
  EXPECT_TRUE(find_unsafe_key(value));
  // Its own end would need the stack.
  while (value.as_array() != nullptr) {
    json::Value inner = std::move(std::get<json::Array>(value.data()).front());
    value = std::move(inner);
  }
}

}  // namespace
}  // namespace moat::validate
