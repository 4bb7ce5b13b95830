// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/file_types.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "moat/validate/internal/allocations.h"
#include "moat/validate/internal/cost.h"
#include "moat/validate/internal/file_type_table.h"

namespace moat::validate {
namespace {

using std::string_literals::operator""s;

std::string box(const std::string& brands) {
  return "\0\0\0"s + static_cast<char>(8 + brands.size()) + "ftyp" + brands;
}

std::string stored_first(const std::string& type, const std::string& extra = "") {
  return "PK\3\4\x14\0\0\0\0\0\0\0\0\0"s + std::string(8, '\1') +
         std::string(1, static_cast<char>(type.size())) + "\0\0\0\x08\0"s +
         static_cast<char>(extra.size()) + "\0"s + "mimetype" + extra + type + "PK\3\4";
}

std::string ebml(const std::string& type) {
  return "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\xf7\x81\1\x42\xf2\x81\4\x42\xf3\x81\x08\x42\x82"s +
         static_cast<char>(0x80 + type.size()) + type + "\x42\x87\x81\4\x42\x85\x81\2"s;
}

// One of each, as the formats' specifications have them, and an extension.
struct Sample {
  std::string type, extension, head;
};

const std::vector<Sample>& samples() {
  static const std::string compound = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"s + std::string(16, '\0');
  static const std::string zip =
      "PK\3\4\x14\0\0\0\x08\0"s + std::string(20, '\1') + "[Content_Types].xml";
  static const std::string office = "application/vnd.openxmlformats-officedocument.";
  static const std::string odf = "application/vnd.oasis.opendocument.";
  static const std::vector<Sample> all = {
      {"image/png", "png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s},
      {"image/jpeg", "jpg", "\xff\xd8\xff\xe0\0\x10JFIF\0"s},
      {"image/jpeg", "jpeg",
       "\xff\xd8\xff\xe1\0\x10"
       "Exif\0"s},
      {"image/gif", "gif", "GIF89a\1\0\1\0"s},
      {"image/gif", "gif", "GIF87a\1\0\1\0"s},
      {"image/webp", "webp", "RIFF\x1a\0\0\0WEBPVP8L"s},
      {"image/bmp", "bmp", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1"s},
      {"image/tiff", "tif", "II*\0\x08\0\0\0"s},
      {"image/tiff", "tiff", "MM\0*\0\0\0\x08"s},
      {"image/x-icon", "ico", "\0\0\1\0\1\0\x10\x10"s},
      {"image/avif", "avif", box("avif\0\0\0\0mif1miaf"s)},
      {"image/avif", "avif", box("mif1\0\0\0\0mif1avif"s)},
      {"image/heic", "heic", box("heic\0\0\0\0mif1heic"s)},
      {"image/heif", "heif", box("mif1\0\0\0\0mif1"s)},
      {"image/jxl", "jxl", "\xff\x0a\xfa\x1f"s},
      {"image/jxl", "jxl", "\0\0\0\x0cJXL \r\n\x87\n"s},
      {"image/jp2", "jp2", "\0\0\0\x0cjP  \r\n\x87\n"s},
      {"image/vnd.adobe.photoshop", "psd", "8BPS\0\1"s},
      {"image/svg+xml", "svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"},
      {"application/pdf", "pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3"},
      {"application/postscript", "eps", "%!PS-Adobe-3.0 EPSF-3.0"},
      {"application/postscript", "eps", "\xc5\xd0\xd3\xc6\x1e\0\0\0"s},
      {"application/rtf", "rtf", "{\\rtf1\\ansi"},
      {office + "wordprocessingml.document", "docx", zip},
      {office + "spreadsheetml.sheet", "xlsx", zip},
      {office + "presentationml.presentation", "pptx", zip},
      {office + "spreadsheetml.sheet", "xlsx", compound},
      {"application/msword", "doc", compound},
      {"application/vnd.ms-excel", "xls", compound},
      {"application/vnd.ms-powerpoint", "ppt", compound},
      {odf + "text", "odt", stored_first(odf + "text")},
      {odf + "spreadsheet", "ods", stored_first(odf + "spreadsheet")},
      {odf + "presentation", "odp", stored_first(odf + "presentation")},
      {odf + "graphics", "odg", stored_first(odf + "graphics")},
      {"application/epub+zip", "epub", stored_first("application/epub+zip")},
      {"application/zip", "zip", zip},
      {"application/java-archive", "jar", zip},
      {"application/vnd.android.package-archive", "apk", zip},
      {"application/zip", "zip", "PK\5\6"s + std::string(18, '\0')},
      {"application/gzip", "gz", "\x1f\x8b\x08\0\0\0\0\0"s},
      {"application/x-bzip2", "bz2", "BZh91AY&SY"},
      {"application/x-bzip2", "bz2", "BZh1\x17\x72\x45\x38\x50\x90"},
      {"application/x-xz", "xz",
       "\xfd"
       "7zXZ\0\0\4"s},
      {"application/zstd", "zst", "\x28\xb5\x2f\xfd\x24"},
      {"application/x-7z-compressed", "7z", "7z\xbc\xaf\x27\x1c\0\4"s},
      {"application/vnd.rar", "rar", "Rar!\x1a\x07\0\xcf"s},
      {"application/vnd.rar", "rar", "Rar!\x1a\x07\1\0"s},
      {"application/x-tar", "tar",
       "a.txt" + std::string(252, '\0') +
           "ustar\0"s
           "00"},
      {"audio/mpeg", "mp3", "ID3\4\0\0"s},
      {"audio/mpeg", "mp3", "\xff\xfb\x90\x64\0"s},
      {"audio/aac", "aac", "\xff\xf1\x50\x80"s},
      {"audio/mp4", "m4a", box("M4A \0\0\0\0M4A mp42isom"s)},
      {"video/mp4", "mp4", box("isom\0\0\2\0isomiso2avc1mp41"s)},
      {"video/mp4", "m4v", box("mp42\0\0\0\0isommp42"s)},
      {"video/3gpp", "3gp", box("3gp4\0\0\0\0isom3gp4"s)},
      {"video/quicktime", "mov", box("qt  \0\0\2\0qt  "s)},
      {"video/quicktime", "mov", "\0\0\x04\0moov\0\0\0\x6cmvhd"s},
      {"video/webm", "webm", ebml("webm")},
      {"audio/webm", "weba", ebml("webm")},
      {"video/x-matroska", "mkv", ebml("matroska")},
      {"audio/ogg", "ogg", "OggS\0\2\0\0"s},
      {"video/ogg", "ogv", "OggS\0\2\0\0"s},
      {"audio/wav", "wav", "RIFF\x24\0\0\0WAVEfmt "s},
      {"audio/aiff", "aiff",
       "FORM\0\0\0\x2e"
       "AIFFCOMM"s},
      {"audio/flac", "flac", "fLaC\0\0\0\x22"s},
      {"audio/midi", "mid", "MThd\0\0\0\6\0\1"s},
      {"video/x-msvideo", "avi", "RIFF\x24\0\0\0AVI LIST"s},
      {"font/woff", "woff", "wOFF\0\1\0\0"s},
      {"font/woff2", "woff2", "wOF2\0\1\0\0"s},
      {"font/ttf", "ttf", "\0\1\0\0\0\x0b"s},
      {"font/otf", "otf", "OTTO\0\x0b"s},
      {"font/collection", "ttc", "ttcf\0\1\0\0"s},
      {"application/wasm", "wasm", "\0asm\1\0\0\0"s},
      {"application/vnd.sqlite3", "sqlite", "SQLite format 3\0\x10"s},
      {"text/plain", "txt", "a\r\n\xc3\xa4"},
      {"text/markdown", "md", "# a"},
      {"text/csv", "csv", "a;b\r\n1;2\r\n"},
      {"text/tab-separated-values", "tsv", "a\tb\n"},
      {"text/calendar", "ics", "BEGIN:VCALENDAR\r\n"},
      {"text/vcard", "vcf", "BEGIN:VCARD\r\n"},
      {"text/css", "css", "a { color: red }"},
      {"text/javascript", "js", "let a = 1;"},
      {"application/json", "json", "{\"a\":1}"},
      {"application/yaml", "yaml", "a: 1\n"},
      {"application/xml", "xml", "<?xml version=\"1.0\"?><a/>"},
      {"text/html", "html", "<!DOCTYPE html><title>a</title>"},
      {"application/xhtml+xml", "xhtml", "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>"},
  };
  return all;
}

const internal::FileType* row_of(std::string_view type) {
  for (const internal::FileType& row : internal::file_types()) {
    const std::string words = " " + std::string(row.types) + " ";
    if (words.find(" " + std::string(type) + " ") != std::string::npos) return &row;
  }
  return nullptr;
}

bool agrees(std::string_view type, std::string_view content) {
  return content_agrees(type, content) == Agreement::yes;
}
bool named(std::string_view type, std::string_view name) {
  return name_agrees(type, name) != Agreement::no;
}

TEST(FileTypes, EachTypeIsKnownByItsSample) {
  std::set<const internal::FileType*> seen;
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.type + " " + sample.extension);
    const auto* const row = row_of(sample.type);
    ASSERT_NE(row, nullptr);
    seen.insert(row);
    for (const std::string& rest : {""s, std::string(3000, '\0'), "<script>"s}) {
      if (is_text_file_type(sample.type) && rest.size() > 100) continue;
      EXPECT_TRUE(agrees(sample.type, sample.head + rest));
    }
    EXPECT_EQ(name_agrees(sample.type, "a." + sample.extension), Agreement::yes);
  }
  for (const internal::FileType& row : internal::file_types())
    EXPECT_TRUE(row.types.empty() || seen.count(&row) == 1) << "no sample of a " << row.name;
}

// Of all pairs those agree that are meant to.
TEST(FileTypes, WhatIsOfAnotherTypeIsRefused) {
  const auto may = [](const internal::FileType& one, const internal::FileType& other) {
    const auto is_film = [](const internal::FileType& type) {
      return type.shape == internal::FileShape::iso_media;
    };
    const auto starts = [](const internal::FileType& type, std::string_view head) {
      for (const internal::Signature& signature : type.signatures)
        if (signature.first.bytes == head && signature.second.bytes.empty()) return true;
      return false;
    };
    const bool pictures =
        (one.name == "HEIC image" || one.name == "HEIF image" || one.name == "AVIF image") &&
        (other.name == "HEIF image" || other.name == "HEIC image" || other.name == "AVIF image");
    const bool films = is_film(one) && is_film(other) && one.name.find("image") == one.name.npos &&
                       other.name.find("image") == other.name.npos;
    const bool archives = (starts(one, "PK\3\4") || one.shape == internal::FileShape::zip_kind) &&
                          starts(other, "PK\3\4");
    const bool compounds = starts(one, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") &&
                           starts(other, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    const bool fonts = one.name.find("Type font") != one.name.npos &&
                       other.name.find("Type font") != other.name.npos;
    const bool tagged = starts(one, "ID3") && starts(other, "ID3");
    return &one == &other || pictures || films || archives || compounds || fonts || tagged;
  };
  for (const Sample& sample : samples()) {
    for (const internal::FileType& other : internal::file_types()) {
      if (other.types.empty() || may(*row_of(sample.type), other)) continue;
      const std::string type(other.types.substr(0, other.types.find(' ')));
      if (is_text_file_type(type) || other.extra == internal::FileExtra::or_text) continue;
      EXPECT_EQ(content_agrees(type, sample.head), Agreement::no) << sample.type << " as " << type;
    }
  }
}

TEST(FileTypes, ASignatureThatIsNotWholeIsNone) {
  for (const Sample& sample : samples()) {
    if (is_text_file_type(sample.type)) continue;
    const auto* const row = row_of(sample.type);
    // What there is of a row's shortest signature is not enough, one byte after the other.
    bool was = false;
    std::size_t first = 0;
    for (std::size_t size = 0; size <= sample.head.size(); ++size) {
      const std::string_view head = std::string_view(sample.head).substr(0, size);
      if (row->extra == internal::FileExtra::or_text &&
          (head.empty() || static_cast<unsigned char>(head[0]) < 0x80))
        continue;
      const bool now = agrees(sample.type, head);
      EXPECT_TRUE(now || !was) << sample.type << " " << size;
      if (now && !was) first = size;
      was = now;
    }
    EXPECT_TRUE(was);
    EXPECT_GE(first, 2U) << sample.type;
    std::string other = sample.head.substr(0, first);
    other[first - 1] = static_cast<char>(other[first - 1] ^ 0x40);
    EXPECT_FALSE(agrees(sample.type, other)) << sample.type;
    if (row->shape == internal::FileShape::iso_media || sample.type == "application/x-tar")
      continue;  // they begin with a size, and with a name
    other = sample.head;
    other[0] = static_cast<char>(other[0] ^ 0x80);
    EXPECT_FALSE(agrees(sample.type, other)) << sample.type;
  }
}

TEST(FileTypes, WhatBeginsAsAPageIsNothingElse) {
  for (const std::string& page :
       {"<!DOCTYPE html>"s, "<html>"s, "<script>alert(1)</script>"s, " \r\n\t\f<ScRiPt src=x>"s,
        "\xef\xbb\xbf<body>"s, "<a href=x>"s, "<p>"s, "<b>"s, "<table\n>"s, "<iframe/src=x>"s,
        "<!-- a --><script>"s, "<!--"s}) {
    EXPECT_TRUE(is_html_like(page)) << page;
    for (const internal::FileType& row : internal::file_types()) {
      if (row.types.empty()) continue;
      const std::string type(row.types.substr(0, row.types.find(' ')));
      const bool comment = page == "<!--" && row.shape == internal::FileShape::xml;
      if (comment) continue;
      EXPECT_EQ(agrees(type, page), row.extra == internal::FileExtra::may_be_html)
          << type << " " << page;
    }
    EXPECT_TRUE(agrees("text/x-python", page));
    EXPECT_FALSE(agrees("application/vnd.x+json", page));
  }
  for (const std::string& other : {""s, "<"s, "<s"s, "<article>"s, "<scripts>"s, "a<script>"s,
                                   "<?xml version=\"1.0\"?><html>"s, "\v<script>"s, "<html"s})
    EXPECT_FALSE(is_html_like(other)) << other;
  // The size of the first box is the stranger's to choose.
  EXPECT_FALSE(agrees("video/mp4", "<b> ftypisom\0\0\0\0mp42"s));
  EXPECT_TRUE(agrees("video/mp4", "<bc ftypisom\0\0\0\0mp42"s));
  EXPECT_FALSE(agrees("video/quicktime", "<p> moov"));
}

TEST(FileTypes, TextsAreUtf8WithoutNul) {
  for (const char* type : {"text/plain", "text/csv", "application/json", "text/x-any",
                           "application/any+json", "text/html"}) {
    EXPECT_TRUE(agrees(type, "a\xc3\xa4\r\n"));
    EXPECT_TRUE(agrees(type,
                       "\xef\xbb\xbf"
                       "a"));
    EXPECT_TRUE(agrees(type, ""));
    EXPECT_FALSE(agrees(type, "a\0b"s));
    EXPECT_FALSE(agrees(type,
                        "\xff\xfe"
                        "a\0"s));
    EXPECT_FALSE(agrees(type,
                        "a\xe4"
                        "b"));
    EXPECT_FALSE(agrees(type, std::string(5000, 'a') + "\xc3"));
    EXPECT_FALSE(agrees(type, "%PDF-1.7\n%\xe2\xe3\xcf\xd3"));
    EXPECT_TRUE(is_text_file_type(type));
  }
  EXPECT_FALSE(is_text_file_type("image/png"));
  for (const char* type : {"application/xml", "text/xml", "application/any+xml"}) {
    EXPECT_TRUE(agrees(type, "\xef\xbb\xbf \n<r/>"));
    EXPECT_TRUE(agrees(type, "<!-- <script> --><r/>"));
    EXPECT_FALSE(agrees(type, "<!-- --><!-- --> <script/>"));
    EXPECT_FALSE(agrees(type, "a: 1"));
    EXPECT_FALSE(agrees(type, ""));
  }
}

TEST(FileTypes, OfABeginningTheLastCharacterMayBeCut) {
  const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const bool whole = size <= 1 || size == 3 || size == 6 || size == 10;
    EXPECT_EQ(agrees("text/csv", text.substr(0, size)), whole) << size;
    EXPECT_EQ(content_agrees("text/csv", text.substr(0, size), Extent::beginning), Agreement::yes);
  }
  for (const char* begun : {"a\xe0", "a\xe0\xa0", "a\xed", "a\xf0", "a\xf4", "a\xf4\x8f\xbf"})
    EXPECT_EQ(content_agrees("text/csv", begun, Extent::beginning), Agreement::yes) << begun;
  for (const char* bad : {"\xc3"
                          "a",
                          "\x80", "a\x80\x80\x80\x80", "\xff", "a\xc0\x80", "a\xc1", "a\xe0\x80",
                          "a\xed\xa0", "a\xf4\x90", "a\xf5", "a\xf0\x80\x80"})
    EXPECT_EQ(content_agrees("text/csv", bad, Extent::beginning), Agreement::no) << bad;
}

TEST(FileTypes, SvgHasItsElement) {
  const auto svg = [](std::string_view text) { return agrees("image/svg+xml", text); };
  EXPECT_TRUE(svg("<?xml version=\"1.0\"?>\n<!-- Generator -->\n<svg/>"));
  EXPECT_TRUE(svg("<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org\"><svg>"));
  EXPECT_TRUE(svg("<!DOCTYPE svg [\n<!ENTITY a \"b\">\n]>\n<svg\n>"));
  EXPECT_TRUE(svg("<!-- <html> --><s:svg xmlns:s=\"http://www.w3.org/2000/svg\"/>"));
  EXPECT_FALSE(svg("<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"/>"));
  EXPECT_FALSE(svg("<!-- a --><html/>"));
  EXPECT_FALSE(svg("<!DOCTYPE html><svg/>"));
  EXPECT_FALSE(svg("<SVG/>"));
  EXPECT_FALSE(svg("<svgs/>"));
  EXPECT_FALSE(svg("svg"));
  EXPECT_FALSE(svg("<?xml version=\"1.0\"?>"));
  EXPECT_FALSE(svg(""));
  EXPECT_FALSE(svg("<?xml"));
  EXPECT_EQ(content_agrees("image/svg+xml", "<?xml", Extent::beginning), Agreement::yes);
}

TEST(FileTypes, TheTypeIsTakenAsItMayBeWritten) {
  const std::string png = "\x89PNG\r\n\x1a\n";
  for (const char* type :
       {"image/png", "IMAGE/PNG", "image/png; charset=x", " image/png ;a=\"b\""}) {
    EXPECT_TRUE(agrees(type, png)) << type;
    EXPECT_EQ(content_agrees(type, "GIF89a"), Agreement::no) << type;
    EXPECT_EQ(file_type_name(type), "PNG image");
  }
  for (const char* type :
       {"", "png", "image/*", "*/*", "text/*", "image/x-other", "image", "application/octet-stream",
        "application/x-msdownload", "image/png/png"}) {
    EXPECT_EQ(content_agrees(type, png), Agreement::unknown) << type;
    EXPECT_EQ(name_agrees(type, "a.html"), Agreement::unknown) << type;
    EXPECT_FALSE(is_known_file_type(type));
    EXPECT_EQ(file_type_name(type), "");
  }
}

TEST(FileTypes, ANameHasTheExtensionOfItsType) {
  for (const char* name : {"photo.png", "PHOTO.PNG", "a.b.png", "a.tar.png", "index.html.png",
                           "Acme.Inc.png", "photo.png.", "photo.png. . ", "Dr. Who.png",
                           "12:30.png", "a; b.png", "\xd1\x84\xd0\xbe\xd1\x82\xd0\xbe.png"})
    EXPECT_EQ(name_agrees("image/png", name), Agreement::yes) << name;
  for (const char* name : {"", "photo", ".", "..", "Screenshot 10.12.13", "Dr. Who", "photo.  "})
    EXPECT_EQ(name_agrees("image/png", name), Agreement::unknown) << name;
  for (const char* name :
       {"photo.html",    "photo.jpg",    "photo.php",       "a.php.png",      "a.PhP5.png",
        "a.php .png",    "a.asp;.png",   "a.asp;b.png",     "a.php:b.png",    "a.php::$DATA",
        "photo.html.",   "photo.html ",  "photo.html. . .", ".htaccess",      ".php",
        "photo.png.exe", "photo.other",  "photo.png%20",    "photo.pn g.svg", "photo.\xd1\x84",
        "a.html:b.png",  "a.jsp.b.c.png"})
    EXPECT_EQ(name_agrees("image/png", name), Agreement::no) << name;
}

TEST(FileTypes, ATextIsNoneThatAServerRunsOrObeys) {
  for (const char* name : {"web.config", "Web.Config", "web.config.", "web.config::$DATA",
                           "a/web.config", "a\\web.config", ".user.ini", ".User.INI", "a.cfc",
                           "a.svc", "a.soap", "a.rem", "a.cshtm", "a.vbhtm", "a.soap.txt"}) {
    EXPECT_EQ(name_agrees("text/plain", name), Agreement::no) << name;
    EXPECT_EQ(name_agrees("application/xml", name), Agreement::no) << name;
  }
  for (const char* name : {"app.config", "my web.config", "web.config.txt", "user.ini", "a.ini"})
    EXPECT_EQ(name_agrees("text/plain", name), Agreement::yes) << name;
}

TEST(FileTypes, ATextMayHaveAnExtensionThatNoOtherTypeHas) {
  for (const char* type : {"text/plain", "text/x-python"}) {
    for (const char* name : {"a.txt", "a.py", "a.tex", "README", "a.csv", "a.log"})
      EXPECT_TRUE(named(type, name)) << name;
    for (const char* name : {"a.html", "a.svg", "a.js", "a.php", "a.exe", "a.png", "a.phtml.txt"})
      EXPECT_FALSE(named(type, name)) << name;
  }
  EXPECT_TRUE(named("application/geo+json", "a.geojson"));
  EXPECT_TRUE(named("application/geo+json", "a.other"));
  EXPECT_FALSE(named("application/geo+json", "a.html"));
  EXPECT_TRUE(named("application/gpx+xml", "a.gpx"));
  EXPECT_FALSE(named("application/gpx+xml", "a.svg"));
  EXPECT_FALSE(named("text/html", "photo.png"));
  EXPECT_FALSE(named("text/csv", "a.html"));
  EXPECT_TRUE(named("text/csv", "a.other"));
  EXPECT_FALSE(named("image/svg+xml", "a.other"));
}

TEST(FileTypes, BrowsersOnWindowsCallTablesOfTextExcel) {
  EXPECT_TRUE(agrees("application/vnd.ms-excel", "a;b\r\n"));
  EXPECT_TRUE(named("application/vnd.ms-excel", "a.csv"));
  EXPECT_FALSE(agrees("application/vnd.ms-excel", ""));
  EXPECT_FALSE(agrees("application/vnd.ms-excel", "<table >"));
  EXPECT_FALSE(agrees("application/vnd.ms-excel", "\x89PNG\r\n\x1a\n"));
}

TEST(FileTypes, ATypeOfDocumentIsNotAnother) {
  const std::string odf = "application/vnd.oasis.opendocument.";
  EXPECT_FALSE(agrees(odf + "text", stored_first(odf + "text-template")));
  EXPECT_FALSE(agrees(odf + "text", stored_first(odf + "spreadsheet")));
  EXPECT_TRUE(agrees(odf + "text", stored_first(odf + "text", "\xfe\xca\0\0"s)));
  EXPECT_FALSE(agrees("video/mp4", box("qt  \0\0\0\0qt  "s)));
  EXPECT_FALSE(agrees("video/mp4", box("heic\0\0\0\0mif1"s)));
  EXPECT_FALSE(agrees("image/avif", box("mif1\0\0\0\0mif1"s) + "avif"));  // behind the box
  EXPECT_FALSE(agrees("video/webm", ebml("matroska")));
  EXPECT_FALSE(agrees("video/webm", ebml("webmx")));
}

TEST(FileTypes, TheTableIsWellFormed) {
  std::set<std::string> types;
  for (const internal::FileType& row : internal::file_types()) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_EQ(row.types.empty(), row.shape == internal::FileShape::name_only);
    EXPECT_EQ(row.shape == internal::FileShape::marks, !row.signatures.empty() && row.kinds.empty())
        << row.name;
    for (const internal::Signature& signature : row.signatures) {
      EXPECT_GE(signature.first.bytes.size(), 2U) << row.name;
      EXPECT_LE(signature.first.offset + signature.first.bytes.size(), file_head_bytes);
    }
    for (const std::string_view list : {row.types, row.extensions}) {
      if (list.empty()) continue;
      std::string text = std::string(list) + " ";
      std::set<std::string> words;
      for (std::size_t end; (end = text.find(' ')) != std::string::npos; text.erase(0, end + 1)) {
        const std::string word = text.substr(0, end);
        EXPECT_FALSE(word.empty()) << row.name;
        EXPECT_TRUE(words.insert(word).second) << word;
        EXPECT_EQ(word.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ\n\t"), word.npos) << word;
        const bool is_type = list.data() == row.types.data();
        EXPECT_TRUE(!is_type || types.insert(word).second) << word << " stands twice";
      }
    }
  }
}

TEST(FileTypes, NothingAllocates) {
  if (!MOAT_COUNTS) GTEST_SKIP() << "the sanitizers have allocators of their own";
  const auto& all = samples();  // which is made when it is asked for first
  const std::size_t before = testing::allocations;
  for (const Sample& sample : all) {
    static_cast<void>(content_agrees(sample.type, sample.head));
    static_cast<void>(name_agrees(sample.type, "a.php.other"));
  }
  EXPECT_EQ(testing::allocations, before);
}

TEST(FileTypes, TheCostIsThatOfATextOnceAndOfAHeadElse) {
  testing::CostMeter meter;
  const auto cost = [&](std::string_view type, const std::string& small, const std::string& large) {
    return meter.growth([&] { static_cast<void>(content_agrees(type, small)); },
                        [&] { static_cast<void>(content_agrees(type, large)); }, 40);
  };
  const auto times = [](const std::string& piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
  };
  for (const std::string& piece : {"a"s, "<!---->"s, "<!DOCTYPE[]"s, "<!DOCTYPE a>"s, "<?a?>"s,
                                   "<!-- "s, "[<"s, " "s, "]>"s, "<!DOCTYPE"s, "\xc3\xa4"s}) {
    for (const char* type :
         {"image/svg+xml", "text/csv", "application/xml", "video/webm", "image/png"})
      EXPECT_LE(cost(type, times(piece, 4096), times(piece, 32 * 4096)), 40)
          << type << " " << piece;
  }
  const std::string small = "\x89PNG\r\n\x1a\n" + std::string(2000, 'x');
  EXPECT_LE(cost("image/png", small, small + std::string(1 << 22, 'x')), 2);
}

}  // namespace
}  // namespace moat::validate
