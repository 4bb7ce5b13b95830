// SPDX-License-Identifier: Apache-2.0
// What is uploaded is what it says it is.
#include "moat/openapi/internal/orders_fixture.h"
#include "moat/validate/file_types.h"

namespace moat::openapi {
namespace {

using std::string_literals::operator""s;
using std::string;

constexpr std::string_view uploads = R"(
  /form:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties:
                photo: {type: string, format: binary}
                pictures: {type: array, items: {type: string, format: binary}}
                table: {type: string, format: binary}
                any: {type: string, format: binary}
                free: {type: string, format: binary}
                meta: {type: object, properties: {a: {type: integer}}}
            encoding:
              photo: {contentType: 'image/png, image/jpeg'}
              pictures: {contentType: 'image/*'}
              table: {contentType: 'text/csv, application/vnd.ms-excel'}
              any: {contentType: '*/*'}
              meta: {contentType: application/json}
  /body:
    post:
      requestBody:
        content:
          image/png: {}
          image/svg+xml: {}
          text/csv: {schema: {type: string}}
          application/octet-stream: {}
          application/x-thing: {}
          audio/*: {}
          application/json: {schema: {type: object}}
          text/plain: {}
)";
const string png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s;
const string html = "<!DOCTYPE html><script>alert(1)</script>";

string part(const string& name, const string& file_name, const string& type, const string& bytes) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + file_name +
         "\"\r\nContent-Type: " + type + "\r\n\r\n" + bytes + "\r\n";
}

class Uploads : public ::testing::Test {
 protected:
  string form(const string& parts) const { return form_of(document_, parts); }
  static string form_of(const Document& document, const string& parts) {
    return post(document, "/form", parts + "--b--\r\n", "multipart/form-data; boundary=b");
  }
  string sentence(const string& parts) const {
    const auto match = document_.find("POST", "/form");
    const auto refusal = document_.check_body(*match->operation, "multipart/form-data; boundary=b",
                                              parts + "--b--\r\n");
    return refusal ? refusal->errors.at(0).message : "ok";
  }
  string body(const string& type, const string& bytes, bool encoded = false) const {
    return body_of(document_, type, bytes, encoded);
  }
  static string body_of(const Document& document, const string& type, const string& bytes,
                        bool encoded = false) {
    Request request;
    request.method = "POST";
    request.path = "/body";
    request.content_type = type;
    request.has_body = true;
    request.is_encoded = encoded;
    const auto match = document.find("POST", "/body");
    if (auto refusal = document.check_head(*match, request)) return summary(refusal);
    if (!document.looks_at_body(*match->operation, type))
      return document.reads_body(*match->operation, type) ? "read" : "unseen";
    return summary(document.check_beginning(*match->operation, type, bytes));
  }
  const Document document_ = document_of(with_paths(uploads));
};

TEST_F(Uploads, APartIsWhatItsTypeSays) {
  EXPECT_EQ(form(part("photo", "a.png", "image/png", png)), "ok");
  EXPECT_EQ(form(part("photo", "a.JPG", "image/jpeg", "\xff\xd8\xff\xe0")), "ok");
  for (const string& bytes : {html, "GIF89a"s, "\xff\xd8\xff\xe0"s, png.substr(0, 7), ""s})
    EXPECT_EQ(form(part("photo", "a.png", "image/png", bytes)),
              "422 schema_body; body #/photo file");
  EXPECT_EQ(form(part("photo", "a.png", "IMAGE/PNG; charset=utf-8", html)),
            "422 schema_body; body #/photo file");
  EXPECT_EQ(form(part("photo", "", "image/png", "")), "ok");  // nobody chose one
}

TEST_F(Uploads, ItSaysWhatWasExpected) {
  EXPECT_EQ(sentence(part("photo", "a.png", "image/png", "GIF89a")),
            "is no PNG image: its first bytes are something else");
  EXPECT_EQ(sentence(part("photo", "a.png", "image/png", html)),
            "is no PNG image: it begins as a page in HTML");
  EXPECT_EQ(sentence(part("photo", "a.png", "image/png", "")), "is no PNG image: it is empty");
  EXPECT_EQ(sentence(part("table", "a.csv", "text/csv", "a\xff")),
            "is no CSV table: it is no text in UTF-8, or begins otherwise");
  EXPECT_EQ(sentence(part("photo", "a.html", "image/png", png)),
            "has a file name with an extension that is not one of a PNG image");
}

TEST_F(Uploads, APartIsCalledAsItsTypeSays) {
  for (const string name : {"a.png", "a.b.PNG", "a", "a.png. "})
    EXPECT_EQ(form(part("photo", name, "image/png", png)), "ok") << name;
  for (const string name : {"a.html", "a.php", "a.php.png", "a.jpg", "a.svg", "a.html.", "a.HTML "})
    EXPECT_EQ(form(part("photo", name, "image/png", png)), "422 schema_body; body #/photo file")
        << name;
  // A blob of a script, which has no name.
  EXPECT_EQ(form("--b\r\nContent-Disposition: form-data; name=\"photo\"\r\nContent-Type: "
                 "image/png\r\n\r\n" +
                 png + "\r\n"),
            "ok");
  EXPECT_EQ(form("--b\r\nContent-Disposition: form-data; name=\"photo\"\r\nContent-Type: "
                 "image/png\r\n\r\n" +
                 html + "\r\n"),
            "422 schema_body; body #/photo file");
}

TEST_F(Uploads, ATextIsNoPictureEither) {
  const auto text = [](const string& name, const string& value, const string& type = "") {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" + type + "\r\n\r\n" +
           value + "\r\n";
  };
  EXPECT_EQ(form(text("photo", html)), "422 schema_body; body #/photo file");
  EXPECT_EQ(form(text("photo", "1", "\r\nContent-Type: application/json")),
            "422 schema_body; body #/photo file");
  EXPECT_EQ(form(text("pictures", html) + text("pictures", html)),
            "422 schema_body; body #/pictures file");
  EXPECT_EQ(form(text("photo", "")), "ok");  // nobody chose one
  EXPECT_EQ(form(text("any", html)), "ok");
  EXPECT_EQ(form(text("free", html)), "ok");
  EXPECT_EQ(form(text("meta", "{\"a\":1}", "\r\nContent-Type: application/json")), "ok");
  const Document loose = document_of(with_paths(uploads), {.allow_mismatched_uploads = true});
  EXPECT_EQ(form_of(loose, text("photo", html)), "ok");
}

TEST_F(Uploads, WhereARangeIsExpectedThePartsOwnTypeCounts) {
  EXPECT_EQ(form(part("pictures", "a.png", "image/png", png) +
                 part("pictures", "a.gif", "image/gif", "GIF89a")),
            "ok");
  EXPECT_EQ(form(part("pictures", "a.png", "image/png", png) +
                 part("pictures", "a.gif", "image/gif", png)),
            "422 schema_body; body #/pictures file");
  EXPECT_EQ(form(part("pictures", "a.x", "image/x-unknown", html)), "ok");
  EXPECT_EQ(form(part("any", "a.png", "image/png", html)), "422 schema_body; body #/any file");
  EXPECT_EQ(form(part("any", "a.html", "application/octet-stream", html)), "ok");
  // Without a Content-Type it is text/plain, and here that claims nothing.
  EXPECT_EQ(form("--b\r\nContent-Disposition: form-data; name=\"any\"; filename=\"a.png\"\r\n\r\n" +
                 png + "\r\n"),
            "ok");
}

TEST_F(Uploads, WhereNoTypeIsExpectedNothingIsLookedAt) {
  EXPECT_EQ(form(part("free", "a.png", "image/png", html)), "ok");
  EXPECT_EQ(form(part("table", "a.csv", "text/csv", "a;b\xc3\xa4")), "ok");
  EXPECT_EQ(form(part("table", "a.csv", "application/vnd.ms-excel", "a;b")), "ok");
  EXPECT_EQ(form(part("table", "a.csv", "text/csv", html)), "422 schema_body; body #/table file");
  EXPECT_EQ(form(part("meta", "a.json", "application/json", "{\"a\":1}")),
            "422 schema_body; body #/meta file");  // as ever: it is no file
}

TEST_F(Uploads, ABodyIsWhatItsTypeSays) {
  EXPECT_EQ(body("image/png", png), "ok");
  EXPECT_EQ(body("image/png; charset=x", png), "ok");
  EXPECT_EQ(body("image/png", png + string(100'000, 'x')), "ok");
  EXPECT_EQ(body("IMAGE/PNG ;a=b", html), "422 schema_body; body # file");
  for (const string& bytes : {html, "GIF89a"s, png.substr(0, 7), ""s})
    EXPECT_EQ(body("image/png", bytes), "422 schema_body; body # file");
  EXPECT_EQ(body("audio/flac", "fLaC"), "ok");
  EXPECT_EQ(body("audio/flac", "OggS"s), "422 schema_body; body # file");
  EXPECT_EQ(body("text/csv", "a;b"), "ok");
  EXPECT_EQ(body("text/csv", "a\0b"s), "422 schema_body; body # file");
  EXPECT_EQ(body("image/svg+xml", "<svg/>"), "ok");
  EXPECT_EQ(body("image/svg+xml", "<html/>"), "422 schema_body; body # file");
  EXPECT_EQ(body("text/plain", html), "ok");
  EXPECT_EQ(body("text/plain", png), "422 schema_body; body # file");
  for (const string type : {"application/octet-stream", "application/x-thing", "audio/x-unknown"})
    EXPECT_EQ(body(type, html), "unseen") << type;
  EXPECT_EQ(body("application/json", "{}"), "read");
}

TEST_F(Uploads, OfABodyTheBeginningCountsHoweverMuchIsThere) {
  const string text = string(validate::file_head_bytes - 1, 'a') + "\xc3\xa4";
  EXPECT_EQ(body("text/csv", text), "ok");
  EXPECT_EQ(body("text/csv", text.substr(0, validate::file_head_bytes)), "ok");
  EXPECT_EQ(body("text/csv", text + "\xff\0"s), "ok");
  EXPECT_EQ(body("text/csv", text.substr(1, validate::file_head_bytes - 1)),
            "422 schema_body; body # file");
}

TEST_F(Uploads, WhatHidesTheBytesIsRefused) {
  EXPECT_EQ(body("image/png", png, true), "415 schema_content_type; body # type");
  EXPECT_EQ(body("application/octet-stream", png, true), "unseen");
  EXPECT_EQ(body("text/csv; charset=utf-16", "a"), "415 schema_content_type; body # type");
  EXPECT_EQ(body("text/csv; charset=utf-8", "a"), "ok");
}

TEST_F(Uploads, ARouteMayLetThemThrough) {
  const Document loose = document_of(with_paths(uploads), {.allow_mismatched_uploads = true});
  EXPECT_EQ(form_of(loose, part("photo", "a.html", "image/png", html)), "ok");
  EXPECT_EQ(form_of(loose, part("photo", "a.html", "text/html", html)),
            "422 schema_body; body #/photo file");  // of another type than is expected
  EXPECT_EQ(body_of(loose, "image/png", html, true), "unseen");
  EXPECT_EQ(body_of(loose, "text/csv; charset=utf-16", html), "unseen");
  EXPECT_EQ(body_of(loose, "image/gif", html), "415 schema_content_type; body # type");
}

}  // namespace
}  // namespace moat::openapi
