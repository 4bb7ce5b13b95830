// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/form_tokens.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moat::csrf {
namespace {

using Tokens = std::vector<std::string>;
constexpr const char* urlencoded = "application/x-www-form-urlencoded";
constexpr const char* multipart = "multipart/form-data; boundary=----WebKitFormBoundaryX";

Tokens of_form(std::string_view body) { return form_tokens(urlencoded, body); }
Tokens of_parts(std::string_view body) { return form_tokens(multipart, body); }

std::string part(const std::string& disposition, const std::string& value) {
  return "------WebKitFormBoundaryX\r\nContent-Disposition: " + disposition + "\r\n\r\n" + value +
         "\r\n";
}
const std::string field = "form-data; name=\"_csrf\"";

TEST(BodyKind, WhatAFormSendsIsKnownWhateverItsSpelling) {
  EXPECT_EQ(body_kind("application/x-www-form-urlencoded"), BodyKind::urlencoded);
  EXPECT_EQ(body_kind("Application/X-WWW-Form-Urlencoded; charset=utf-8"), BodyKind::urlencoded);
  EXPECT_EQ(body_kind("multipart/form-data; boundary=x"), BodyKind::multipart);
  EXPECT_EQ(body_kind(" multipart/form-data"), BodyKind::multipart);
  for (const char* type : {"text/plain", "TEXT/plain;charset=utf-8", "text/plain;application/json",
                           "", ";", "json", "application/", "a/b/c", "text/plain, application/json",
                           "\"application/json\"", "application/ json"})
    EXPECT_EQ(body_kind(type), BodyKind::opaque) << type;
  for (const char* type : {"application/json", "application/json; charset=utf-8", "text/xml",
                           "application/vnd.api+json", "application/octet-stream",
                           "multipart/mixed; boundary=x", "text/plainx"})
    EXPECT_EQ(body_kind(type), BodyKind::other) << type;
}

TEST(FormTokens, AreReadFromAForm) {
  EXPECT_EQ(of_form("_csrf=abc"), Tokens{"abc"});
  EXPECT_EQ(of_form("a=1&_csrf=a-b_c&b=2"), Tokens{"a-b_c"});
  EXPECT_EQ(of_form("%5Fcsrf=a%62c"), Tokens{"abc"});
  EXPECT_EQ(of_form("_csrf=1&_csrf=2"), (Tokens{"1", "2"})) << "the backend's own may be beside it";
  EXPECT_EQ(of_form("_csrf=1&_csrf=2&_csrf=3&_csrf=4&_csrf=5").size(), 4U);
}

TEST(FormTokens, AreNothingElse) {
  for (const char* body : {"", "_csrf", "_csrf=", "csrf=1", "_csrf[]=1", "_CSRF=1", "a=_csrf=1",
                           "x_csrf=1", "_csrf%=1", "_csrf=%zz", ";_csrf=1"})
    EXPECT_TRUE(of_form(body).empty()) << body;
  EXPECT_TRUE(of_form("_csrf=" + std::string(257, 'a')).empty());
  EXPECT_FALSE(of_form("_csrf=" + std::string(255, 'a')).empty());
  EXPECT_TRUE(form_tokens("text/plain", "_csrf=1").empty());
  EXPECT_TRUE(form_tokens("application/json", "_csrf=1").empty());
  EXPECT_TRUE(form_tokens("", "_csrf=1").empty());
}

TEST(FormTokens, AreReadFromParts) {
  const std::string end = "------WebKitFormBoundaryX--\r\n";
  EXPECT_EQ(of_parts(part(field, "abc") + end), Tokens{"abc"});
  EXPECT_EQ(of_parts(part("form-data; name=\"a\"", "1") + part(field, "abc") + end), Tokens{"abc"});
  EXPECT_EQ(of_parts(part("form-data; name=\"f\"; filename=\"x;name=\"", "\r\n\r\n_csrf") +
                     part(field, "abc") + "------WebKitFormBoundaryX\r\nCont"),
            Tokens{"abc"})
      << "cut off behind it";
  EXPECT_EQ(
      form_tokens("multipart/form-data; charset=x; boundary=\"a b\"",
                  "--a b\r\nx: y\r\ncontent-disposition:form-data;name=_csrf\r\n\r\n1\r\n--a b"),
      Tokens{"1"});
}

TEST(FormTokens, AreNoOtherParts) {
  const std::string whole = part(field, "abc");
  EXPECT_TRUE(of_parts(whole.substr(0, whole.size() - 1)).empty()) << "the value may go on";
  EXPECT_TRUE(of_parts("\r\n" + whole + "------WebKitFormBoundaryX--").empty()) << "a preamble";
  EXPECT_TRUE(
      of_parts(part("attachment; name=\"_csrf\"", "abc") + "------WebKitFormBoundaryX--").empty());
  EXPECT_TRUE(of_parts(part("form-data; name=\"x\"; x=\"; name=_csrf\"", "abc") +
                       "------WebKitFormBoundaryX--")
                  .empty());
  EXPECT_TRUE(
      of_parts(part("form-data; name=\"_csrf", "abc") + "------WebKitFormBoundaryX--").empty());
  EXPECT_TRUE(of_parts(part("form-data; name=\"a\"", "Content-Disposition: " + field) +
                       "------WebKitFormBoundaryX--")
                  .empty())
      << "in a value";
  EXPECT_TRUE(form_tokens("multipart/form-data", whole).empty());
  EXPECT_TRUE(form_tokens("multipart/form-data; boundary=", "--\r\n").empty());
  const std::string wide(71, 'b');
  EXPECT_TRUE(form_tokens("multipart/form-data; boundary=" + wide,
                          "--" + wide + "\r\nContent-Disposition: " + field + "\r\n\r\n1\r\n--" +
                              wide + "--")
                  .empty());
}

}  // namespace
}  // namespace moat::csrf
