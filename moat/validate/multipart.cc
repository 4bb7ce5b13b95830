// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/multipart.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/values_collector.h"

namespace moat::validate {
namespace {

using Problem = std::optional<ValuesError>;

// RFC 9110 section 5.6.2.
bool is_token_character(char c) {
  return internal::is_alnum(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}
// RFC 2046 section 5.1.1, without the space.
bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= 70 && std::all_of(text.begin(), text.end(), [](char c) {
    return internal::is_alnum(c) ||
           std::string_view("'()+_,-./:=?").find(c) != std::string_view::npos;
  });
}
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// A header field's value with parameters: `first; name=value; name="value"`.
struct FieldValue {
  std::string first;                                            // in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case
  bool has_capitals = false;                                    // in a parameter's name
  bool has_blanks = false;                                      // before a semicolon

  const std::string* find(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
}
std::string_view take_token(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_token_character(text[size])) ++size;
  const std::string_view out = text.substr(0, size);
  text.remove_prefix(size);
  return out;
}

// One `; name=value`; a backslash is read in too many ways to be taken. So are names with '*' (RFC
// 2231: some put `charset*0` and `charset*1` together), and outside quotes what is no
// attribute-char of that RFC's section 7: PHP takes '...' for quotes.
bool take_parameter(std::string_view& text, FieldValue& out) {
  constexpr std::string_view no_attribute = "*'%";
  if (text[0] != ';') {
    out.has_blanks = true;
    skip_blanks(text);
  }
  if (text.substr(0, 1) != ";") return false;
  text.remove_prefix(1);
  skip_blanks(text);
  const std::string_view written = take_token(text);
  std::string name = ascii_lower(written);
  if (name.empty() || out.find(name) != nullptr || text.substr(0, 1) != "=") return false;
  const bool encoded = name == "filename*";  // what it may be read_disposition knows
  if (!encoded && name.find_first_of(no_attribute) != std::string::npos) return false;
  out.has_capitals = out.has_capitals || name != written;
  text.remove_prefix(1);
  std::string value;
  if (text.substr(0, 1) == "\"") {
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos || encoded) return false;
    value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (value.find('\\') != std::string::npos) return false;
  } else {
    value = take_token(text);
    if (value.empty() || (!encoded && value.find_first_of(no_attribute) != std::string::npos))
      return false;
  }
  out.parameters.emplace_back(std::move(name), std::move(value));
  return true;
}

std::optional<FieldValue> parse_field_value(std::string_view text) {
  FieldValue out;
  const std::string_view type = take_token(text);
  out.first = ascii_lower(type);
  if (text.substr(0, 1) == "/") {
    text.remove_prefix(1);
    const std::string subtype = ascii_lower(take_token(text));
    if (subtype.empty()) return std::nullopt;
    out.first += "/" + subtype;
  }
  if (type.empty()) return std::nullopt;
  while (!text.empty()) {
    if (!take_parameter(text, out)) return std::nullopt;
  }
  return out;
}

bool is_utf8_charset(const FieldValue& type) {
  const std::string* charset = type.find("charset");
  return charset == nullptr || ascii_iequals(*charset, "utf-8");
}
bool is_ascii_charset(const FieldValue& type) {
  const std::string* charset = type.find("charset");
  return charset != nullptr && ascii_iequals(*charset, "us-ascii");
}
bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

// Many look for the parameters of a part by a search through its header, not by a grammar: Rack,
// multiparty and formidable find `name=` in a name, Rack `Content-Disposition:` in any field.
// Tomcat decodes encoded words (RFC 2047).
bool is_found_alike(std::string_view parameter) {
  return parameter.find("=?") == std::string_view::npos &&
         ascii_lower(parameter).find("name=") == std::string::npos;
}
bool hides_a_parameter(const FieldValue& type) {
  return std::any_of(type.parameters.begin(), type.parameters.end(), [](const auto& parameter) {
    return parameter.second.find(';') != std::string::npos;
  });
}
bool hides_a_field(std::string_view line) {
  const std::string text = ascii_lower(line);
  for (const std::string_view name :
       {"content-disposition:", "content-type:", "content-transfer-encoding:"}) {
    if (text.find(name, 1) != std::string::npos) return true;
  }
  return false;
}

// As it is and as those read it who decode it: Rack percent-encoding, multiparty character
// references, others without the blanks at its ends.
bool is_plain_file_name(std::string_view name) {
  const std::string_view inner = trim(name);
  if (name.find('/') != std::string_view::npos || inner == "." || inner == "..") return false;
  const std::string text = ascii_lower(name);
  for (const std::string_view encoded : {"%2f", "%5c", "%00", "&#"}) {
    if (text.find(encoded) != std::string::npos) return false;
  }
  return true;
}

// RFC 8187 section 3.2, of the name that stands before it: some take the one, others the other.
bool says_again(std::string_view encoded, const std::optional<std::string>& file_name) {
  constexpr std::string_view utf8 = "utf-8''";
  return file_name && ascii_iequals(encoded.substr(0, utf8.size()), utf8) &&
         percent_decode(encoded.substr(utf8.size())) == file_name;
}

// Python's cgi reads such a part as a form of its own, whose fields are among the others then.
bool is_form(std::string_view type) {
  return type.substr(0, 10) == "multipart/" || type == "application/x-www-form-urlencoded";
}

// The boundary that the body's Content-Type names, or nullopt.
std::optional<std::string> boundary_of(std::string_view content_type) {
  const auto type = parse_field_value(content_type);
  if (!type || type->first != "multipart/form-data" || !is_utf8_charset(*type)) return std::nullopt;
  const std::string* boundary = type->find("boundary");
  const std::size_t known = type->find("charset") == nullptr ? 1 : 2;
  if (boundary == nullptr || type->parameters.size() != known || !is_boundary(*boundary))
    return std::nullopt;
  return *boundary;
}

// What the header of a part says.
struct PartHeader {
  std::optional<std::string> name;
  std::optional<std::string> file_name;
  std::optional<FieldValue> type;
  bool has_encoding = false;
};

class MultipartReader final {
 public:
  MultipartReader(std::string_view body, std::string boundary, const MultipartOptions& options)
      : rest_(body),
        delimiter_("--" + std::move(boundary)),
        options_(options),
        limits_(options.limits),
        values_("part", options.keys, options.repeat) {}

  Result<Multipart, ValuesError> run() {
    if (rest_.size() > limits_.total_bytes) {
      return values_error(ValuesRefusal::too_large,
                          "the form has more than " + number(limits_.total_bytes) + " bytes");
    }
    if (rest_.substr(0, delimiter_.size()) != delimiter_)
      return values_error(ValuesRefusal::syntax, "the form does not begin with its boundary");
    rest_.remove_prefix(delimiter_.size());
    for (std::size_t parts = 0;; ++parts) {
      if (rest_ == "--" || rest_ == "--\r\n") break;
      if (rest_.substr(0, 2) != "\r\n") {
        return values_error(ValuesRefusal::syntax,
                            "a boundary is followed by a line end or, as the last, by -- and "
                            "nothing else");
      }
      rest_.remove_prefix(2);
      if (parts == limits_.parts) {
        return values_error(ValuesRefusal::too_many,
                            "there are more than " + number(limits_.parts) + " parts");
      }
      if (auto problem = read_part()) return Error{*std::move(problem)};
    }
    out_.values = values_.take();
    return std::move(out_);
  }

 private:
  static std::string number(std::size_t value) { return std::to_string(value); }
  Problem fail(ValuesRefusal refusal, std::string_view what) const {
    return ValuesError{refusal, values_.next() + " " + std::string(what)};
  }
  Problem too_long(std::string_view what, std::size_t limit) const {
    return fail(ValuesRefusal::too_long,
                "has " + std::string(what) + " of more than " + number(limit) + " bytes");
  }

  Problem read_part() {
    PartHeader header;
    if (auto problem = read_header(header)) return problem;
    // The boundary must not stand in a part (RFC 2046 section 5.1.1). Whoever looks for it without
    // a line end before it would find other parts than these.
    const std::size_t at = rest_.find(delimiter_);
    if (at == std::string_view::npos) return fail(ValuesRefusal::syntax, "has no end");
    if (at < 2 || rest_.substr(at - 2, 2) != "\r\n")
      return fail(ValuesRefusal::syntax, "has the boundary in it");
    const std::string_view bytes = rest_.substr(0, at - 2);
    rest_.remove_prefix(at + delimiter_.size());
    return take_part(header, bytes);
  }

  Problem read_header(PartHeader& out) {
    std::size_t used = 0;
    for (;;) {
      const std::string_view window = rest_.substr(0, limits_.header_bytes - used);
      const std::size_t end = window.find("\r\n");
      if (end == std::string_view::npos) {
        return window.size() < rest_.size() ? too_long("a header", limits_.header_bytes)
                                            : fail(ValuesRefusal::syntax, "has no end");
      }
      const std::string_view line = rest_.substr(0, end);
      used += end + 2;
      rest_.remove_prefix(end + 2);
      if (line.empty()) break;
      if (auto problem = read_field(line, out)) return problem;
    }
    if (!out.name)
      return fail(ValuesRefusal::syntax, "has no field Content-Disposition: form-data; name=…");
    return std::nullopt;
  }

  Problem read_field(std::string_view line, PartHeader& out) {
    const std::size_t colon = line.find(':');
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (line.find(delimiter_) != std::string_view::npos)
      return fail(ValuesRefusal::syntax, "has the boundary in its header");
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
        std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
      return fail(ValuesRefusal::syntax, "has a header field that is not `name: value`");
    if (hides_a_field(line))
      return fail(ValuesRefusal::syntax, "has a header field with another one in it");
    const bool blank_end = line.back() == ' ' || line.back() == '\t';
    value = trim(value);
    const std::string name = ascii_lower(line.substr(0, colon));
    // multiparty has these blanks in the name, and Werkzeug finds no name then.
    if (name == "content-disposition" && blank_end)
      return fail(ValuesRefusal::syntax, "has a Content-Disposition that ends with a blank");
    if (name == "content-disposition") return read_disposition(value, out);
    if (name == "content-type") {
      if (out.type) return fail(ValuesRefusal::syntax, "has two fields Content-Type");
      out.type = parse_field_value(value);
      if (!out.type || out.type->first.find('/') == std::string::npos ||
          !(is_utf8_charset(*out.type) || is_ascii_charset(*out.type)) ||
          hides_a_parameter(*out.type))
        return fail(ValuesRefusal::syntax,
                    "has a Content-Type that is none, or a charset other than UTF-8");
      if (is_form(out.type->first)) return fail(ValuesRefusal::syntax, "is a form within the form");
    } else if (name == "content-transfer-encoding") {
      // RFC 7578 section 4.7: deprecated. These three leave the bytes as they are.
      const bool plain = ascii_iequals(value, "7bit") || ascii_iequals(value, "8bit") ||
                         ascii_iequals(value, "binary");
      if (!plain || std::exchange(out.has_encoding, true))
        return fail(ValuesRefusal::syntax, "is encoded, which no browser does");
    }
    return std::nullopt;  // RFC 7578 section 4.8: others are ignored
  }

  Problem read_disposition(std::string_view text, PartHeader& out) {
    const auto value = parse_field_value(text);
    if (out.name || !value || value->first != "form-data" || value->find("name") == nullptr)
      return fail(ValuesRefusal::syntax,
                  "has no field Content-Disposition: form-data; name=…, "
                  "two of them, or one with a backslash");
    if (value->has_capitals || value->has_blanks)
      return fail(ValuesRefusal::syntax,
                  "has a parameter in Content-Disposition that is not in lower case, or a blank "
                  "before a semicolon");
    for (const auto& [name, parameter] : value->parameters) {
      if (!is_valid_utf8(parameter))
        return fail(ValuesRefusal::invalid_utf8, "has a name in no UTF-8");
      if (!is_found_alike(parameter))
        return fail(ValuesRefusal::syntax, "has `name=` or `=?` in a name");
      if (name == "name") {
        out.name = parameter;
      } else if (name == "filename") {
        out.file_name = parameter;
      } else if (name == "filename*") {
        // RFC 7578 section 4.2: must not be used. .NET's HttpClient always sends it.
        if (!says_again(parameter, out.file_name))
          return fail(ValuesRefusal::syntax, "has a filename* that is not the filename before it");
      } else {
        return fail(ValuesRefusal::syntax,
                    "has a parameter other than name and filename in Content-Disposition");
      }
    }
    if (out.name->empty()) return fail(ValuesRefusal::empty_name, "has no name");
    if (out.name->size() > limits_.name_bytes) return too_long("a name", limits_.name_bytes);
    if (!out.file_name) return std::nullopt;
    if (out.file_name->size() > limits_.file_name_bytes)
      return too_long("a file name", limits_.file_name_bytes);
    if (!is_plain_file_name(*out.file_name))
      return fail(ValuesRefusal::syntax, "has a path for a file name");
    return std::nullopt;
  }

  Problem take_part(PartHeader& header, std::string_view bytes) {
    const std::string type = header.type ? header.type->first : "text/plain";
    const bool is_json = type == "application/json";
    const bool is_file = header.file_name || !(is_json || type == "text/plain");
    // A field for a file that nobody chose.
    if (header.file_name && header.file_name->empty()) {
      if (!bytes.empty()) return fail(ValuesRefusal::syntax, "is a file without a name");
      // busboy and Django read it as an empty text, and then that is a value of the name.
      if (text_names_.count(*header.name) != 0) return mixed();
      if (auto problem = values_.judge(*header.name)) return problem;
      file_names_.insert(*header.name);
      out_.left_out.push_back(*std::move(header.name));
      return std::nullopt;
    }
    if (is_file) return take_file(header, type, bytes);
    if (bytes.size() > limits_.value_bytes) return too_long("a value", limits_.value_bytes);
    // RFC 7578 section 4.6: it would say how others are encoded.
    if (*header.name == "_charset_" && !ascii_iequals(bytes, "utf-8"))
      return fail(ValuesRefusal::invalid_utf8, "says that the form is not in UTF-8");
    json::Value value;
    if (is_json) {
      if (auto problem = read_json(bytes, value)) return problem;
      out_.json_names.push_back(*header.name);
    } else {
      if (!is_valid_utf8(bytes)) return fail(ValuesRefusal::invalid_utf8, "is no UTF-8");
      if (header.type && is_ascii_charset(*header.type) && !is_ascii(bytes))
        return fail(ValuesRefusal::invalid_utf8, "is said to be ASCII, and is not");
      if (bytes.find('\0') != std::string_view::npos)
        return fail(ValuesRefusal::bad_character, "has NUL in it");
      value = json::Value(bytes);
    }
    if (file_names_.count(*header.name) != 0) return mixed();
    if (auto problem = values_.claim(*header.name)) return problem;
    text_names_.insert(*header.name);
    values_.add(*std::move(header.name), std::move(value));
    return std::nullopt;
  }

  Problem take_file(PartHeader& header, const std::string& type, std::string_view bytes) {
    if (bytes.size() > limits_.file_bytes) return too_long("a file", limits_.file_bytes);
    if (text_names_.count(*header.name) != 0) return mixed();
    if (auto problem = values_.claim(*header.name)) return problem;
    file_names_.insert(*header.name);
    out_.files.push_back({*std::move(header.name),
                          header.file_name ? *std::move(header.file_name) : std::string(), type,
                          bytes});
    return std::nullopt;
  }
  Problem mixed() const {
    return fail(ValuesRefusal::repeated,
                "has the name of one before, and only one of them is a file");
  }

  Problem read_json(std::string_view bytes, json::Value& out) const {
    auto parsed = json::parse(bytes, options_.json);
    if (!parsed) {
      return fail(ValuesRefusal::syntax,
                  "is no acceptable JSON: " + json::describe(bytes, parsed.error(), options_.json));
    }
    if (const auto unsafe = find_unsafe_key(*parsed, options_.keys)) {
      return fail(ValuesRefusal::unsafe_name,
                  "has a member whose name " + std::string(describe(unsafe->fault)));
    }
    out = *std::move(parsed);
    return std::nullopt;
  }

  std::string_view rest_;
  const std::string delimiter_;
  const MultipartOptions& options_;
  const MultipartLimits& limits_;
  ValuesCollector values_;
  std::unordered_set<std::string> text_names_;
  std::unordered_set<std::string> file_names_;
  Multipart out_;
};

}  // namespace

Result<Multipart, ValuesError> multipart_values(std::string_view body,
                                                std::string_view content_type,
                                                const MultipartOptions& options) {
  auto boundary = boundary_of(content_type);
  if (!boundary) {
    return values_error(ValuesRefusal::syntax,
                        "the Content-Type is not multipart/form-data with a boundary of 1 to 70 "
                        "letters, digits and '()+_,-./:=?");
  }
  return MultipartReader(body, *std::move(boundary), options).run();
}

}  // namespace moat::validate
