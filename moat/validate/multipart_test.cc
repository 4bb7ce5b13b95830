// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/multipart.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=AaB03x";

// One part: header lines (each ends with CRLF) and its bytes.
std::string part(std::string_view header, std::string_view bytes) {
  return "--AaB03x\r\n" + std::string(header) + "\r\n" + std::string(bytes) + "\r\n";
}
std::string field(std::string_view name, std::string_view value) {
  return part("Content-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n", value);
}
std::string file(std::string_view name, std::string_view file_name, std::string_view media_type,
                 std::string_view bytes) {
  return part("Content-Disposition: form-data; name=\"" + std::string(name) + "\"; filename=\"" +
                  std::string(file_name) + "\"\r\nContent-Type: " + std::string(media_type) +
                  "\r\n",
              bytes);
}
constexpr std::string_view last = "--AaB03x--\r\n";

std::string got(const std::string& body, const MultipartOptions& options = {},
                std::string_view content_type = type) {
  const auto out = multipart_values(body, content_type, options);
  if (!out) return std::string(to_string(out.error().refusal));
  std::string text = json::serialize(out->values);
  for (const FilePart& f : out->files)
    text += " " + f.name + "|" + f.file_name + "|" + f.media_type + "|" + std::string(f.bytes);
  return text;
}
std::string got_part(std::string_view header, std::string_view bytes = "x") {
  return got(part(header, bytes) + std::string(last));
}

TEST(Multipart, FieldsAndFiles) {
  EXPECT_EQ(got(field("a", "1") + field("b", "\xc3\xa4\r\n--x") + field("e", "") +
                file("f", "p.png", "IMAGE/png; x=\"y\"", std::string("\0\r\n\xff", 4)) +
                std::string(last)),
            "{\"a\":\"1\",\"b\":\"\xc3\xa4\\u000d\\n--x\",\"e\":\"\"} f|p.png|image/png|" +
                std::string("\0\r\n\xff", 4));
  EXPECT_EQ(got(std::string(last)), "{}");
  EXPECT_EQ(got("--AaB03x--"), "{}");
}

TEST(Multipart, TheBytesOfAFileAreThoseOfTheBody) {
  const std::string body = file("f", "a", "text/plain", "bytes") + std::string(last);
  const auto out = multipart_values(body, type);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->files[0].bytes.data(), body.data() + body.find("bytes"));
}

TEST(Multipart, TheContentTypeNamesOneBoundary) {
  const std::string body = field("a", "1") + std::string(last);
  for (const std::string_view good :
       {"multipart/form-data; boundary=AaB03x", "Multipart/Form-Data;boundary=\"AaB03x\"",
        "multipart/form-data; charset=UTF-8; BOUNDARY=AaB03x"})
    EXPECT_EQ(got(body, {}, good), R"({"a":"1"})") << good;
  for (const std::string_view bad :
       {"", "multipart/form-data", "multipart/mixed; boundary=AaB03x",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=AaB03x; boundary=AaB03x",
        "multipart/form-data; boundary=AaB03x; x=y",
        "multipart/form-data; boundary=AaB03x; charset=utf-7",
        "multipart/form-data; boundary=AaB03x; charset=us-ascii",
        "multipart/form-data; boundary='AaB03x'", "multipart/form-data; boundary=\"AaB03x\\\"",
        "multipart/form-data; boundary=Aa B03x",
        "multipart/form-data, multipart/form-data; boundary=AaB03x",
        "multipart/form-data; boundary=\"AaB03x", "multipart/form-data; boundary*=AaB03x",
        "multipart/form-data; boundary=AaB03x;"})
    EXPECT_EQ(got(body, {}, bad), "syntax") << bad;
  const auto with_boundary = [](std::size_t size) {
    const std::string boundary(size, 'b');
    return got("--" + boundary + "--", {}, "multipart/form-data; boundary=" + boundary);
  };
  EXPECT_EQ(with_boundary(69), "{}");
  EXPECT_EQ(with_boundary(70), "{}");
  EXPECT_EQ(with_boundary(71), "syntax");
}

TEST(Multipart, WhatTwoProgramsCouldReadDifferentlyIsRefused) {
  const std::string a = field("a", "1");
  for (const std::string& body :
       {std::string(), std::string("x"), "preamble\r\n" + a + std::string(last),
        "\r\n" + a + std::string(last), a, a + "--AaB03x", a + "--AaB03x-",
        a + std::string(last) + "x", a + std::string(last) + "\r\n", a + "--AaB03x--\n",
        a + "--AaB03x \r\n", a + "--AaB03x--x",
        // The boundary somewhere in a part.
        field("a", "x--AaB03x") + std::string(last), field("a", "x\n--AaB03x") + std::string(last),
        field("a", "x\r--AaB03x\r\n") + std::string(last),
        field("a", "x\r\n--AaB03xy") + std::string(last),
        part("Content-Disposition: form-data; name=\"--AaB03x\"\r\n", "x") + std::string(last),
        // Line ends.
        std::string("--AaB03x\nContent-Disposition: form-data; name=\"a\"\n\n1\n--AaB03x--"),
        std::string("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n--AaB03x--"),
        std::string("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--AaB03x--")}) {
    EXPECT_EQ(got(body), "syntax") << body;
  }
}

TEST(Multipart, HeadersOfPartsAreStrict) {
  constexpr std::string_view name = "Content-Disposition: form-data; name=\"a\"";
  const std::string good = std::string(name) + "\r\n";
  EXPECT_EQ(got_part(good), R"({"a":"x"})");
  EXPECT_EQ(got_part("content-DISPOSITION:form-data;\tname=a\r\n"), R"({"a":"x"})");
  EXPECT_EQ(got_part(good + "X-Other: 1\r\nContent-Transfer-Encoding: 8bit\r\n"), R"({"a":"x"})");
  EXPECT_EQ(got_part(good + "Content-Type: text/plain; charset=utf-8\r\n"), R"({"a":"x"})");
  for (const std::string& bad :
       {std::string(),
        std::string("X: y\r\n"),
        good + good,
        good + "no colon\r\n",
        good + " folded: x\r\n",
        good + "X : y\r\n",
        good + ": y\r\n",
        good + "X: a\nb\r\n",
        good + "X: a\rb\r\n",
        good + std::string("X: \0\r\n", 6),
        good + "Content-Transfer-Encoding: base64\r\n",
        good + "Content-Transfer-Encoding: quoted-printable\r\n",
        good + "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 8bit\r\n",
        good + "Content-Type: text/plain\r\nContent-Type: text/plain\r\n",
        good + "Content-Type: text/plain; charset=utf-16\r\n",
        good + "Content-Type: text\r\n",
        good + "Content-Type: text/plain;\r\n",
        std::string("Content-Disposition: form-data\r\n"),
        std::string("Content-Disposition: attachment; name=\"a\"\r\n"),
        std::string("Content-Disposition: form-data; name=\"a\r\n"),
        std::string("Content-Disposition: form-data; name=\"a\\\"b\"\r\n"),
        std::string("Content-Disposition: form-data; name=\"a\" name=\"b\"\r\n"),
        std::string(name) + "; name=\"b\"\r\n",
        std::string(name) + "; filename=\"x\"; filename=\"y\"\r\n",
        std::string(name) + "; filename*=UTF-8''x\r\n",
        std::string(name) + "; filename*=UTF-8''x; filename=x\r\n",
        std::string(name) + "; filename=x; filename*=UTF-8''y\r\n",
        std::string(name) + "; filename=x; filename*=latin1''x\r\n",
        std::string(name) + "; filename=x; filename*=UTF-8'en'x\r\n",
        std::string(name) + "; filename=x; filename*=UTF-8''%7\r\n",
        std::string(name) + "; filename=x; filename*=UTF-8''x; filename*=UTF-8''x\r\n",
        std::string(name) + "; filename=x; filename*0=x\r\n",
        std::string(name) + "; filename=x; filename*=x\r\n",
        std::string(name) + "; filename=x; filename*=\"UTF-8''x\"\r\n",
        std::string(name) + "; filename=\"..\"\r\n",
        std::string(name) + "; filename=\"a/b\"\r\n",
        std::string(name) + "; filename=\"a\\b\"\r\n",
        std::string(name) + "; filename=\"\"\r\n",
        std::string(name) + "; size=1\r\n"}) {
    EXPECT_EQ(got_part(bad), "syntax") << bad;
  }
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"\"\r\n"), "empty_name");
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"\xff\"\r\n"), "invalid_utf8");
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"a[$gt]\"\r\n"), "unsafe_name");
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"__proto__\"; filename=\"a\"\r\n"),
            "unsafe_name");
  EXPECT_EQ(got_part(good, std::string_view("a\0", 2)), "bad_character");
  EXPECT_EQ(got_part(good, "\xff"), "invalid_utf8");
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"_charset_\"\r\n", "utf-7"),
            "invalid_utf8");
}

// Each was read otherwise by one at least of PHP, Rack 2.2, Django, Werkzeug, Python's cgi and
// email, busboy, multiparty and formidable.
TEST(Multipart, WhatOthersFindInAHeaderByASearchIsRefused) {
  const std::string good = "Content-Disposition: form-data; name=\"a\"\r\n";
  const std::string file_a = "Content-Disposition: form-data; name=\"a\"; filename=";
  for (const std::string& bad :
       {"X-A: Content-Disposition: form-data; name=\"role\"\r\n" + good,
        "X-Content-Disposition: form-data; name=\"role\"\r\n" + good,
        good + "X-Content-Type: text/plain; charset=utf-16le\r\n",
        std::string("Content-Disposition: form-data; name=\"Content-Type: a/b\"\r\n"),
        std::string("Content-Disposition: form-data; name=\"b; name=role\"\r\n"),
        std::string("Content-Disposition: form-data; name=\"b; FileName=x\"\r\n"),
        std::string("Content-Disposition: form-data; filename=\"name=role\"; name=\"a\"\r\n"),
        std::string("Content-Disposition: form-data; name=\"=?utf-8?Q?role?=\"\r\n"),
        std::string("Content-Disposition: form-data; name='a'\r\n"),
        std::string("Content-Disposition: form-data; name=a'b; filename=\"c\"\r\n"),
        std::string("Content-Disposition: form-data; name=a*b\r\n"),
        std::string("Content-Disposition: form-data ; name=\"a\"\r\n"),
        std::string("Content-Disposition: form-data; name=a ; filename=\"c\"\r\n"),
        std::string("Content-Disposition: form-data; name=a \r\n"),
        std::string("Content-Disposition: form-data; name=a\t\r\n"),
        std::string("Content-Disposition: form-data; name=a%41\r\n"),
        std::string("Content-Disposition: form-data; NAME=\"a\"; filename=\"c\"\r\n"),
        std::string("Content-Disposition: form-data; name=\"a\"; FileName=\"c\"\r\n"),
        file_a + "\"=?utf-8?B?Li4veA==?=\"\r\n",
        file_a + "\"..%2Fx\"\r\n",
        file_a + "\"..%5cx\"\r\n",
        file_a + "\"x%00.png\"\r\n",
        file_a + "\"..&#47;x\"\r\n",
        file_a + "\" .. \"\r\n",
        good + "Content-Type: text/plain; charset*=x''latin1\r\n",
        good + "Content-Type: text/plain; charset*0=lat; charset*1=in1\r\n",
        good + "Content-Type: text/plain; x=\";charset=utf-16le;\"\r\n",
        good + "Content-Type: multipart/mixed; boundary=in\r\n",
        good + "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    EXPECT_EQ(got_part(bad), "syntax") << bad;
  }
  EXPECT_EQ(got_part(good + "Content-Type: text/plain; charset=us-ascii\r\n", "\xc3\xa9"),
            "invalid_utf8");
  for (const std::string_view name : {" a", "a ",
                                      "\xc2\xa0"
                                      "a",
                                      "a\xe3\x80\x80"})
    EXPECT_EQ(got(field(name, "x") + std::string(last)), "unsafe_name") << name;
}

TEST(Multipart, AFileNameMayBeSaidTwiceAsDotNetDoes) {
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=a; filename=x.txt; "
                     "filename*=utf-8''x.txt\r\n"),
            "{} a|x.txt|text/plain|x");
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=a; filename=\"x \xc3\xa9\"; "
                     "filename*=UTF-8''x%20%c3%A9\r\n"),
            "{} a|x \xc3\xa9|text/plain|x");
}

TEST(Multipart, NamesThatAreReadAlikeAreTaken) {
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"it's; a 100% <name> a=b\"\r\n"),
            R"({"it's; a 100% \u003cname\u003e a=b":"x"})");
  EXPECT_EQ(
      got_part("content-disposition: form-data; name=a; filename=\"my content-type (50%).txt\""
               "\r\nX-Sent: by content-type\r\nContent-Length: 1\r\n"),
      "{} a|my content-type (50%).txt|text/plain|x");
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"a\"\r\n"
                     "Content-Type: text/plain; charset=us-ascii; format=\"flowed\"\r\n"),
            R"({"a":"x"})");
}

TEST(Multipart, PartsThatAreJsonAreReadAsJson) {
  const std::string_view header =
      "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: application/json\r\n";
  EXPECT_EQ(got_part(header, R"({"b":[1]})"), R"({"a":{"b":[1]}})");
  EXPECT_EQ(got_part(header, "{"), "syntax");
  EXPECT_EQ(got_part(header, R"({"b":1,"b":2})"), "syntax");
  EXPECT_EQ(got_part(header, R"({"b":{"$gt":1}})"), "unsafe_name");
  const std::string body = part(header, R"([1,})") + std::string(last);
  EXPECT_EQ(multipart_values(body, type).error().sentence,
            "part 1 is no acceptable JSON: line 1, column 4: this is not JSON");
}

TEST(Multipart, AFileThatNobodyChoseIsLeftOut) {
  EXPECT_EQ(
      got(file("f", "", "application/octet-stream", "") + field("a", "1") + std::string(last)),
      R"({"a":"1"})");
  EXPECT_EQ(got(file("f", "", "application/octet-stream", "x") + std::string(last)), "syntax");
  EXPECT_EQ(got(file("f", "", "a/b", "") + file("f", "x", "a/b", "y") + std::string(last)),
            "{} f|x|a/b|y");
  EXPECT_EQ(multipart_values(file("f", "", "a/b", "") + std::string(last), type)->left_out,
            std::vector<std::string>{"f"});
  for (const std::string_view name : {"a[$ne]", "__proto__", "a "})
    EXPECT_EQ(got(file(name, "", "a/b", "") + std::string(last)), "unsafe_name") << name;
  // busboy and Django read it as an empty text.
  EXPECT_EQ(got(file("f", "", "a/b", "") + field("f", "x") + std::string(last)), "repeated");
  EXPECT_EQ(got(field("f", "x") + file("f", "", "a/b", "") + std::string(last)), "repeated");
  // Bytes of another type are a file, also without a name.
  EXPECT_EQ(got_part("Content-Disposition: form-data; name=\"a\"\r\nContent-Type: image/gif\r\n"),
            "{} a||image/gif|x");
}

TEST(Multipart, ANameComesOnceUnlessItMayRepeat) {
  MultipartOptions options;
  options.repeat = [](std::string_view name) { return name == "a"; };
  const std::string two = field("a", "1") + field("a", "2") + std::string(last);
  EXPECT_EQ(got(two), "repeated");
  EXPECT_EQ(got(two, options), R"({"a":["1","2"]})");
  const std::string files =
      file("a", "x", "text/plain", "1") + file("a", "y", "text/plain", "2") + std::string(last);
  EXPECT_EQ(got(files), "repeated");
  EXPECT_EQ(got(files, options), "{} a|x|text/plain|1 a|y|text/plain|2");
  EXPECT_EQ(got(field("a", "1") + file("a", "y", "text/plain", "2") + std::string(last), options),
            "repeated");
  EXPECT_EQ(got(file("a", "y", "text/plain", "2") + field("a", "1") + std::string(last), options),
            "repeated");
}

TEST(Multipart, LimitsAreInclusiveAndNamed) {
  MultipartOptions options;
  const auto told = [&](const std::string& body) {
    const auto out = multipart_values(body + std::string(last), type, options);
    return out ? "" : out.error().sentence;
  };
  options.limits.parts = 2;
  EXPECT_EQ(told(field("a", "")), "");
  EXPECT_EQ(told(field("a", "") + field("b", "")), "");
  EXPECT_EQ(told(field("a", "") + field("b", "") + field("c", "")), "there are more than 2 parts");
  options.limits.name_bytes = 3;
  EXPECT_EQ(told(field("ab", "")), "");
  EXPECT_EQ(told(field("abc", "")), "");
  EXPECT_EQ(told(field("abcd", "")), "part 1 has a name of more than 3 bytes");
  options.limits.file_name_bytes = 3;
  EXPECT_EQ(told(file("a", "ab", "a/b", "")), "");
  EXPECT_EQ(told(file("a", "abc", "a/b", "")), "");
  EXPECT_EQ(told(file("a", "abcd", "a/b", "")), "part 1 has a file name of more than 3 bytes");
  options.limits.value_bytes = 4;
  EXPECT_EQ(told(field("a", "123")), "");
  EXPECT_EQ(told(field("a", "1234")), "");
  EXPECT_EQ(told(field("a", "12345")), "part 1 has a value of more than 4 bytes");
  options.limits.file_bytes = 5;
  EXPECT_EQ(told(file("a", "f", "a/b", "1234")), "");
  EXPECT_EQ(told(file("a", "f", "a/b", "12345")), "");
  EXPECT_EQ(told(file("a", "f", "a/b", "123456")), "part 1 has a file of more than 5 bytes");
  // "Content-Disposition: form-data; name="a"", its end, and the empty line.
  options.limits.header_bytes = 45;
  EXPECT_EQ(told(field("a", "")), "");
  options.limits.header_bytes = 44;
  EXPECT_EQ(told(field("a", "")), "");
  options.limits.header_bytes = 43;
  EXPECT_EQ(told(field("a", "")), "part 1 has a header of more than 43 bytes");
  options = {};
  const std::string body = field("a", "12345") + std::string(last);
  for (const std::size_t more : {std::size_t{1}, std::size_t{0}}) {
    options.limits.total_bytes = body.size() + more;
    EXPECT_TRUE(multipart_values(body, type, options));
  }
  options.limits.total_bytes = body.size() - 1;
  EXPECT_EQ(multipart_values(body, type, options).error().refusal, ValuesRefusal::too_large);
}

TEST(Multipart, ACutBodyIsRefusedWhereverItIsCut) {
  const std::string body =
      field("a", "1") + file("f", "n", "image/png", "bytes") + std::string(last);
  for (std::size_t size = 0; size + 2 < body.size(); ++size)
    EXPECT_FALSE(multipart_values(std::string_view(body).substr(0, size), type)) << size;
  EXPECT_TRUE(multipart_values(std::string_view(body).substr(0, body.size() - 2), type));
}

}  // namespace
}  // namespace moat::validate
