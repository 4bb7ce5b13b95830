// SPDX-License-Identifier: Apache-2.0
// A boundary, a line end, a body. What is taken keeps its limits and its promises; written again it
// reads the same.
#include "moat/validate/multipart.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>

#include "moat/base/encoding.h"

namespace {

using namespace moat::validate;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_file(const FilePart& file, std::string_view body, const MultipartLimits& limits) {
  require(!file.name.empty() && file.name.size() <= limits.name_bytes);
  require(!fault_of_key(file.name) && moat::is_valid_utf8(file.file_name));
  require(file.file_name.size() <= limits.file_name_bytes && file.file_name != "..");
  require(file.file_name.find_first_of("/\\\r\n") == std::string::npos);
  require(file.media_type.find('/') != std::string::npos);
  require(file.bytes.size() <= limits.file_bytes);
  require(file.bytes.data() >= body.data() &&
          file.bytes.data() + file.bytes.size() <= body.data() + body.size());
}

std::string written(const Multipart& form, const std::string& boundary) {
  std::string out;
  const auto part = [&](std::string_view name, std::string_view rest, std::string_view bytes) {
    out += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + std::string(name) +
           "\"" + std::string(rest) + "\r\n\r\n" + std::string(bytes) + "\r\n";
  };
  for (const auto& [name, value] : *form.values.as_object()) {
    if (value.as_string() != nullptr) {
      part(name, "", *value.as_string());
    } else {
      part(name, "\r\nContent-Type: application/json", moat::json::serialize(value));
    }
  }
  for (const FilePart& file : form.files) {
    const std::string name = file.file_name.empty() ? "" : "; filename=\"" + file.file_name + "\"";
    part(file.name, name + "\r\nContent-Type: " + file.media_type, file.bytes);
  }
  return out + "--" + boundary + "--\r\n";
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return;
  const std::string content_type =
      "multipart/form-data; boundary=\"" + std::string(text.substr(0, end)) + "\"";
  MultipartOptions options;
  options.limits = {.parts = 5,
                    .header_bytes = 200,
                    .name_bytes = 20,
                    .file_name_bytes = 20,
                    .value_bytes = 100,
                    .file_bytes = 200,
                    .total_bytes = 4096};
  const std::string_view body = text.substr(end + 1);
  const auto form = multipart_values(body, content_type, options);
  if (!form) {
    require(form.error().sentence.size() > 10);
    return;
  }
  require(form->values.as_object()->size() + form->files.size() <= options.limits.parts);
  require(!find_unsafe_key(form->values));
  std::set<std::string> names;
  for (const auto& [name, value] : *form->values.as_object()) {
    require(!name.empty() && names.insert(name).second);
    require(value.as_string() == nullptr ||
            value.as_string()->size() <= options.limits.value_bytes);
  }
  for (const FilePart& file : form->files) {
    check_file(file, body, options.limits);
    require(names.insert(file.name).second);
  }
  const std::string boundary = "another.boundary_that-is=not.in:it/0123456789";
  const std::string again = written(*form, boundary);
  // An input that knows this boundary cannot be written with it.
  std::size_t boundaries = 0;
  for (std::size_t at = again.find(boundary); at != std::string::npos;
       at = again.find(boundary, at + 1))
    ++boundaries;
  if (boundaries != form->values.as_object()->size() + form->files.size() + 1) return;
  MultipartOptions wide;
  wide.limits.header_bytes = 4096;
  const auto second =
      multipart_values(again, "multipart/form-data; boundary=\"" + boundary + "\"", wide);
  require(second.has_value() && second->values == form->values);
  require(second->files.size() == form->files.size());
  for (std::size_t i = 0; i < form->files.size(); ++i)
    require(second->files[i].bytes == form->files[i].bytes);
}
