// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/file_type_table.h"

// Sources. Signatures: WHATWG MIME Sniffing sections 6 and 7 (images, audio and video, fonts,
// archives, PDF); beyond it what each row names. Media types: IANA's registry, and the names that
// browsers and systems sent before there was one. Extensions: the same registrations, and
// freedesktop.org's shared-mime-info 2.2.

namespace moat::validate::internal {
namespace {

using std::string_view_literals::operator""sv;

// Two bytes are little: what a header of BITMAPINFOHEADER's kin has behind its size, which is less
// than 256, are three zeros ([MS-WMF] 2.2.2, and 12 bytes of OS/2).
constexpr Signature bmp[] = {{{0, "BM"sv}, {15, "\0\0\0"sv}}};
constexpr Signature png[] = {{{0, "\x89PNG\r\n\x1a\n"sv}, {}}};
constexpr Signature jpeg[] = {{{0, "\xff\xd8\xff"sv}, {}}};
constexpr Signature gif[] = {{{0, "GIF87a"sv}, {}}, {{0, "GIF89a"sv}, {}}};
constexpr Signature webp[] = {{{0, "RIFF"sv}, {8, "WEBPVP"sv}}};
// TIFF 6.0 section 2; BigTIFF has 43 in place of 42.
constexpr Signature tiff[] = {
    {{0, "II*\0"sv}, {}}, {{0, "MM\0*"sv}, {}}, {{0, "II+\0"sv}, {}}, {{0, "MM\0+"sv}, {}}};
constexpr Signature icon[] = {{{0, "\0\0\1\0"sv}, {}}, {{0, "\0\0\2\0"sv}, {}}};
// ISO 18181-2: a codestream, or boxes; ISO 15444-1 annex I.
constexpr Signature jxl[] = {{{0, "\xff\x0a"sv}, {}}, {{0, "\0\0\0\x0cJXL \r\n\x87\n"sv}, {}}};
constexpr Signature jp2[] = {{{0, "\0\0\0\x0cjP  \r\n\x87\n"sv}, {}}};
constexpr Signature psd[] = {{{0, "8BPS"sv}, {}}};

constexpr Signature pdf[] = {{{0, "%PDF-"sv}, {}}};
// With a preview before it: Adobe's EPSF 3.0, section 5.2.
constexpr Signature postscript[] = {{{0, "%!PS-Adobe-"sv}, {}}, {{0, "\xc5\xd0\xd3\xc6"sv}, {}}};
constexpr Signature rtf[] = {{{0, "{\\rtf"sv}, {}}};
// APPNOTE.TXT 4.3.7; 4.3.16: an archive of nothing; 8.5.4: one that was to be split.
constexpr Signature zip[] = {
    {{0, "PK\3\4"sv}, {}}, {{0, "PK\5\6"sv}, {}}, {{0, "PK\7\x08PK\3\4"sv}, {}}};
// ECMA-376 part 2 says nothing of the order of the entries, so any archive is taken that has one;
// and with a password it is a compound file ([MS-OFFCRYPTO] 2.3.2, [MS-CFB] 2.2).
constexpr Signature ooxml[] = {{{0, "PK\3\4"sv}, {}},
                               {{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv}, {}}};
constexpr Signature compound[] = {{{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv}, {}}};
constexpr Signature gzip[] = {{{0, "\x1f\x8b\x08"sv}, {}}};
// Levels 1 to 9, and behind them a block, or the end of what has none.
constexpr Signature bzip2[] = {{{0, "BZh"sv}, {4, "1AY&SY"sv}},
                               {{0, "BZh"sv}, {4, "\x17\x72\x45\x38\x50\x90"sv}}};
constexpr Signature xz[] = {{{0,
                              "\xfd"
                              "7zXZ\0"sv},
                             {}}};
// RFC 8878 sections 3.1.1 and 3.1.2: frames, and those to be passed over (pzstd begins with one).
constexpr Signature zstd[] = {{{0, "\x28\xb5\x2f\xfd"sv}, {}}, {{0, "\x50\x2a\x4d\x18"sv}, {}}};
constexpr Signature seven_zip[] = {{{0, "7z\xbc\xaf\x27\x1c"sv}, {}}};
constexpr Signature rar[] = {{{0, "Rar!\x1a\x07\0"sv}, {}}, {{0, "Rar!\x1a\x07\1\0"sv}, {}}};
constexpr Signature tar[] = {{{257, "ustar"sv}, {}}};  // POSIX.1-2017, pax

// ID3, or a frame of layer II or III, with a checksum or without (ISO 11172-3, 13818-3, MPEG 2.5).
constexpr Signature mpeg_audio[] = {
    {{0, "ID3"sv}, {}},      {{0, "\xff\xfb"sv}, {}}, {{0, "\xff\xfa"sv}, {}},
    {{0, "\xff\xf3"sv}, {}}, {{0, "\xff\xf2"sv}, {}}, {{0, "\xff\xe3"sv}, {}},
    {{0, "\xff\xe2"sv}, {}}, {{0, "\xff\xfd"sv}, {}}, {{0, "\xff\xfc"sv}, {}},
    {{0, "\xff\xf5"sv}, {}}, {{0, "\xff\xf4"sv}, {}}};
constexpr Signature aac[] = {{{0, "\xff\xf1"sv}, {}}, {{0, "\xff\xf9"sv}, {}}, {{0, "ID3"sv}, {}}};
constexpr Signature wav[] = {{{0, "RIFF"sv}, {8, "WAVE"sv}}, {{0, "RF64"sv}, {8, "WAVE"sv}}};
constexpr Signature aiff[] = {{{0, "FORM"sv}, {8, "AIFF"sv}}, {{0, "FORM"sv}, {8, "AIFC"sv}}};
constexpr Signature flac[] = {{{0, "fLaC"sv}, {}}};  // RFC 9639 section 6
constexpr Signature ogg[] = {{{0, "OggS\0"sv}, {}}};
constexpr Signature midi[] = {{{0, "MThd\0\0\0\6"sv}, {}}};
constexpr Signature avi[] = {{{0, "RIFF"sv}, {8, "AVI "sv}}};
// QuickTime File Format: before 2000 there was no box ftyp.
constexpr Signature quicktime[] = {{{4, "moov"sv}, {}}, {{4, "mdat"sv}, {}}, {{4, "wide"sv}, {}},
                                   {{4, "free"sv}, {}}, {{4, "skip"sv}, {}}, {{4, "pnot"sv}, {}}};

constexpr Signature woff[] = {{{0, "wOFF"sv}, {}}};
constexpr Signature woff2[] = {{{0, "wOF2"sv}, {}}};
// RFC 8081 sections 4.4.2 and 4.4.3: outlines of TrueType in either, those of CFF in the second.
constexpr Signature ttf[] = {{{0, "\0\1\0\0"sv}, {}}, {{0, "true"sv}, {}}};
constexpr Signature otf[] = {{{0, "OTTO"sv}, {}}, {{0, "\0\1\0\0"sv}, {}}};
constexpr Signature collection[] = {{{0, "ttcf"sv}, {}}};
constexpr Signature wasm[] = {{{0, "\0asm"sv}, {}}};
constexpr Signature sqlite[] = {{{0, "SQLite format 3\0"sv}, {}}};

// Brands: MP4 registration authority (mp4ra.org), and what Apple, Sony, Adobe and 3GPP write.
constexpr std::string_view mp4_brands =
    "isom iso2 iso3 iso4 iso5 iso6 iso7 iso8 iso9 mp41 mp42 mp71 avc1 av01 hvc1 dash cmfc M4V M4VH "
    "M4VP M4A M4B M4P MSNV F4V F4A mmp4 ndsc NDXC 3gp4 3gp5 3gp6 3gp7 3gp8 3gp9 3ge6 3ge7 3gg6 "
    "3g2a "
    "3g2b 3g2c";
constexpr std::string_view mobile_brands =
    "3gp1 3gp2 3gp3 3gp4 3gp5 3gp6 3gp7 3gp8 3gp9 3ge6 3ge7 3gg6 3gs7 3gt8 3g2a 3g2b 3g2c";

constexpr std::string_view text_extensions =
    "txt text log md markdown csv tsv ini conf cfg json yaml yml po";
constexpr std::string_view json_extensions = "json map ndjson jsonl geojson webmanifest";
constexpr std::string_view xml_extensions = "xml xsd xsl xslt rss atom gpx kml";

constexpr FileType rows[] = {
    {"PNG image", "image/png image/x-png image/apng image/vnd.mozilla.apng", "png apng",
     FileShape::marks, png},
    {"JPEG image", "image/jpeg image/jpg image/pjpeg", "jpg jpeg jpe jfif pjpeg pjp",
     FileShape::marks, jpeg},
    {"GIF image", "image/gif", "gif", FileShape::marks, gif},
    {"WebP image", "image/webp", "webp", FileShape::marks, webp},
    {"BMP image", "image/bmp image/x-ms-bmp image/x-bmp", "bmp dib", FileShape::marks, bmp},
    {"TIFF image", "image/tiff image/tiff-fx", "tif tiff", FileShape::marks, tiff},
    {"icon", "image/x-icon image/vnd.microsoft.icon", "ico cur", FileShape::marks, icon},
    {"AVIF image", "image/avif", "avif avifs", FileShape::iso_media, {}, "avif avis"},
    // ISO 23008-12 annexes B and E: pictures in HEVC, and those of any kind.
    {"HEIC image",
     "image/heic image/heic-sequence",
     "heic heif heics heifs hif",
     FileShape::iso_media,
     {},
     "heic heix heim heis hevc hevx hevm hevs"},
    {"HEIF image",
     "image/heif image/heif-sequence",
     "heic heif heics heifs hif avif",
     FileShape::iso_media,
     {},
     "heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 avif avis"},
    {"JPEG XL image", "image/jxl", "jxl", FileShape::marks, jxl},
    {"JPEG 2000 image", "image/jp2 image/jpx image/jpm", "jp2 jpf jpx jpm", FileShape::marks, jp2},
    {"Photoshop image", "image/vnd.adobe.photoshop image/x-photoshop", "psd", FileShape::marks,
     psd},
    {"SVG image", "image/svg+xml", "svg", FileShape::svg},

    {"PDF document", "application/pdf application/x-pdf", "pdf", FileShape::marks, pdf},
    {"PostScript document", "application/postscript", "ps eps ai", FileShape::marks, postscript},
    {"RTF document", "application/rtf text/rtf", "rtf", FileShape::marks, rtf},
    {"Word document",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document "
     "application/vnd.openxmlformats-officedocument.wordprocessingml.template "
     "application/vnd.ms-word.document.macroenabled.12 "
     "application/vnd.ms-word.template.macroenabled.12",
     "docx dotx docm dotm", FileShape::marks, ooxml},
    {"Excel workbook",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet "
     "application/vnd.openxmlformats-officedocument.spreadsheetml.template "
     "application/vnd.ms-excel.sheet.macroenabled.12 "
     "application/vnd.ms-excel.template.macroenabled.12 "
     "application/vnd.ms-excel.sheet.binary.macroenabled.12",
     "xlsx xltx xlsm xltm xlsb", FileShape::marks, ooxml},
    {"PowerPoint presentation",
     "application/vnd.openxmlformats-officedocument.presentationml.presentation "
     "application/vnd.openxmlformats-officedocument.presentationml.slideshow "
     "application/vnd.openxmlformats-officedocument.presentationml.template "
     "application/vnd.ms-powerpoint.presentation.macroenabled.12",
     "pptx ppsx potx pptm", FileShape::marks, ooxml},
    {"Word document (before 2007)", "application/msword", "doc dot", FileShape::marks, compound},
    // Browsers on Windows say so of .csv, too.
    {"Excel workbook (before 2007)", "application/vnd.ms-excel", "xls xlt xla csv",
     FileShape::marks, compound, "", FileExtra::or_text},
    {"PowerPoint presentation (before 2007)", "application/vnd.ms-powerpoint", "ppt pps pot",
     FileShape::marks, compound},
    // OpenDocument 1.3 part 2 section 3.3; EPUB 3.3 section 4.2.6.3.
    {"OpenDocument text",
     "application/vnd.oasis.opendocument.text",
     "odt",
     FileShape::zip_kind,
     {},
     "application/vnd.oasis.opendocument.text"},
    {"OpenDocument spreadsheet",
     "application/vnd.oasis.opendocument.spreadsheet",
     "ods",
     FileShape::zip_kind,
     {},
     "application/vnd.oasis.opendocument.spreadsheet"},
    {"OpenDocument presentation",
     "application/vnd.oasis.opendocument.presentation",
     "odp",
     FileShape::zip_kind,
     {},
     "application/vnd.oasis.opendocument.presentation"},
    {"OpenDocument drawing",
     "application/vnd.oasis.opendocument.graphics",
     "odg",
     FileShape::zip_kind,
     {},
     "application/vnd.oasis.opendocument.graphics"},
    {"EPUB book", "application/epub+zip", "epub", FileShape::zip_kind, {}, "application/epub+zip"},

    {"ZIP archive", "application/zip application/x-zip-compressed application/x-zip", "zip cbz",
     FileShape::marks, zip},
    {"Java archive", "application/java-archive application/x-java-archive", "jar war ear",
     FileShape::marks, zip},
    {"Android package", "application/vnd.android.package-archive", "apk", FileShape::marks, zip},
    {"gzip archive", "application/gzip application/x-gzip application/x-compressed-tar",
     "gz tgz svgz", FileShape::marks, gzip},
    {"bzip2 archive", "application/x-bzip2 application/x-bzip application/bzip2", "bz2 tbz2 tbz",
     FileShape::marks, bzip2},
    {"xz archive", "application/x-xz", "xz txz", FileShape::marks, xz},
    {"Zstandard archive", "application/zstd application/x-zstd", "zst zstd tzst", FileShape::marks,
     zstd},
    {"7z archive", "application/x-7z-compressed", "7z cb7", FileShape::marks, seven_zip},
    {"RAR archive",
     "application/vnd.rar application/x-rar-compressed application/x-rar application/rar",
     "rar cbr", FileShape::marks, rar},
    {"tar archive", "application/x-tar", "tar", FileShape::marks, tar},

    {"MP3 recording", "audio/mpeg audio/mp3 audio/x-mp3 audio/x-mpeg audio/mpeg3",
     "mp3 mp2 mpga mpa m2a", FileShape::marks, mpeg_audio},
    {"AAC recording", "audio/aac audio/x-aac audio/aacp", "aac adts", FileShape::marks, aac},
    {"MP4 recording",
     "audio/mp4 audio/x-m4a audio/m4a",
     "m4a mp4 m4b m4p mp4a f4a",
     FileShape::iso_media,
     {},
     mp4_brands},
    {"MP4 film",
     "video/mp4 video/x-m4v application/mp4",
     "mp4 m4v mp4v mpg4 f4v",
     FileShape::iso_media,
     {},
     mp4_brands},
    {"3GPP film",
     "video/3gpp audio/3gpp video/3gpp2 audio/3gpp2",
     "3gp 3gpp 3g2 3gpp2 3ga",
     FileShape::iso_media,
     {},
     mobile_brands},
    {"QuickTime film", "video/quicktime", "mov qt", FileShape::iso_media, quicktime, "qt"},
    {"WebM film", "video/webm audio/webm", "webm weba", FileShape::ebml, {}, "webm"},
    {"Matroska film",
     "video/x-matroska audio/x-matroska video/matroska audio/matroska",
     "mkv mka",
     FileShape::ebml,
     {},
     "matroska"},
    {"Ogg recording", "audio/ogg video/ogg application/ogg audio/opus", "ogg oga ogv ogx opus spx",
     FileShape::marks, ogg},
    {"WAV recording", "audio/wav audio/x-wav audio/wave audio/vnd.wave", "wav wave",
     FileShape::marks, wav},
    {"AIFF recording", "audio/aiff audio/x-aiff", "aif aiff aifc", FileShape::marks, aiff},
    {"FLAC recording", "audio/flac audio/x-flac", "flac", FileShape::marks, flac},
    {"MIDI file", "audio/midi audio/x-midi audio/mid", "mid midi kar", FileShape::marks, midi},
    {"AVI film", "video/x-msvideo video/avi video/msvideo video/vnd.avi", "avi", FileShape::marks,
     avi},

    {"WOFF font", "font/woff application/font-woff application/x-font-woff", "woff",
     FileShape::marks, woff},
    {"WOFF2 font", "font/woff2 application/font-woff2", "woff2", FileShape::marks, woff2},
    {"TrueType font", "font/ttf application/x-font-ttf application/font-sfnt", "ttf",
     FileShape::marks, ttf},
    {"OpenType font", "font/otf application/x-font-otf application/vnd.ms-opentype", "otf ttf",
     FileShape::marks, otf},
    {"font collection", "font/collection", "ttc otc", FileShape::marks, collection},

    {"WebAssembly module", "application/wasm", "wasm", FileShape::marks, wasm},
    {"SQLite database", "application/vnd.sqlite3 application/x-sqlite3", "sqlite sqlite3 db db3",
     FileShape::marks, sqlite},

    // A text may be about HTML, or be its source: with X-Content-Type-Options: nosniff, which Moat
    // sets on each answer, no browser makes a page of text/plain. The grammars of the others have
    // no place for a tag at their beginning, or none that would be missed.
    {"plain text", "text/plain", text_extensions, FileShape::text, {}, "", FileExtra::may_be_html},
    {"Markdown text",
     "text/markdown text/x-markdown",
     "md markdown mkd txt",
     FileShape::text,
     {},
     "",
     FileExtra::may_be_html},
    {"CSV table", "text/csv application/csv text/x-csv text/comma-separated-values", "csv txt",
     FileShape::text},
    {"table", "text/tab-separated-values", "tsv tab txt", FileShape::text},
    {"calendar", "text/calendar", "ics ifb vcs", FileShape::text},
    {"business card", "text/vcard text/x-vcard", "vcf vcard", FileShape::text},
    {"style sheet", "text/css", "css", FileShape::text},
    {"script", "text/javascript application/javascript application/x-javascript text/ecmascript",
     "js mjs cjs es", FileShape::text},
    {"JSON text", "application/json text/json application/x-ndjson application/jsonl",
     json_extensions, FileShape::text},
    {"YAML text", "application/yaml application/x-yaml text/yaml text/x-yaml", "yaml yml",
     FileShape::text},
    {"XML document", "application/xml text/xml", xml_extensions, FileShape::xml},
    {"HTML page", "text/html", "html htm", FileShape::text, {}, "", FileExtra::may_be_html},
    {"XHTML page",
     "application/xhtml+xml",
     "xhtml xht html htm",
     FileShape::xml,
     {},
     "",
     FileExtra::may_be_html},

    // Not to be claimed, only to be known by their extensions.
    {"program", "", "exe dll com scr msi bat cmd ps1 vbs hta lnk cgi htaccess inc cer stm",
     FileShape::name_only},
    {"server's page",
     "",
     "php php3 php4 php5 php6 php7 php8 phtml phtm pht phar phps asp aspx asa asax ascx ashx asmx "
     "cshtml cshtm vbhtml vbhtm svc soap rem jsp jspx jspf jsw jsv jhtml cfm cfml cfc shtml shtm",
     FileShape::name_only,
     {},
     "",
     FileExtra::run_by_servers},
};

constexpr FileType text{"text", "", text_extensions,       FileShape::text,
                        {},     "", FileExtra::may_be_html};
constexpr FileType json{"JSON text", "", json_extensions, FileShape::text};
constexpr FileType xml{"XML document", "", xml_extensions, FileShape::xml};

}  // namespace

std::span<const FileType> file_types() { return rows; }
const FileType& other_text() { return text; }
const FileType& other_json() { return json; }
const FileType& other_xml() { return xml; }

}  // namespace moat::validate::internal
