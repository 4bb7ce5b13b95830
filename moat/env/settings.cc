// SPDX-License-Identifier: Apache-2.0
#include "moat/env/settings.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "moat/base/clock.h"
#include "moat/base/encoding.h"
#include "moat/env/internal/names.h"
#include "moat/env/strength.h"

namespace moat::env {

namespace {

Problem problem(Refusal refusal, const Place& place, std::string_view key, std::string message) {
  return {refusal, place, std::string(key), std::move(message)};
}

std::string octal(std::uint32_t mode) {
  std::string out = "0";
  for (const unsigned shift : {6U, 3U, 0U})
    out.push_back(static_cast<char>('0' + ((mode >> shift) & 7)));
  return out;
}

bool is_below(std::string_view path, std::string_view folder) {
  while (!folder.empty() && folder.back() == '/') folder.remove_suffix(1);
  return !folder.empty() && path.size() > folder.size() + 1 &&
         path.substr(0, folder.size()) == folder && path[folder.size()] == '/' &&
         path.find("/../") == std::string_view::npos;
}

// The value of `found` as the type, or the problem with it.
template <class T>
Result<T, Problem> in_range(std::string_view key, const Place& place, T value, T least, T most,
                            const std::string& bounds) {
  if (value < least || value > most)
    return Error{problem(Refusal::out_of_range, place, key, "expected " + bounds)};
  return value;
}

std::string print(std::chrono::milliseconds time) {
  const auto count = time.count();
  if (count % 1000 != 0 || count == 0) return std::to_string(count) + "ms";
  if (count % 86'400'000 == 0) return std::to_string(count / 86'400'000) + "d";
  if (count % 3'600'000 == 0) return std::to_string(count / 3'600'000) + "h";
  if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
  return std::to_string(count / 1000) + "s";
}

std::string print_size(std::uint64_t bytes) {
  constexpr std::uint64_t kib = 1024;
  if (bytes == 0 || bytes % kib != 0) return std::to_string(bytes) + "B";
  if (bytes % (kib * kib * kib) == 0) return std::to_string(bytes / (kib * kib * kib)) + "GiB";
  if (bytes % (kib * kib) == 0) return std::to_string(bytes / (kib * kib)) + "MiB";
  return std::to_string(bytes / kib) + "KiB";
}

std::string explain(Weakness weakness, std::size_t min_bytes) {
  switch (weakness) {
    case Weakness::too_short:
      return "a secret of at least " + std::to_string(min_bytes) + " bytes";
    case Weakness::sample:
      return "a random secret, and this one is made of the words of examples";
    case Weakness::repetitive:
      return "a random secret, and this one repeats itself or counts";
    case Weakness::few_symbols:
      return "a random secret, and this one has too few different characters";
  }
  return "a random secret";
}

}  // namespace

std::string_view without_line_end(std::string_view text) {
  if (text.empty() || text.back() != '\n') return text;
  text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

std::string exposure(std::uint32_t mode, bool own) {
  if (!own) return "the file belongs to another user";
  if ((mode & 077) != 0)
    return "the file's mode is " + octal(mode) + ", so that others may use it; make it 0600";
  return {};
}

const std::vector<Settings::Found>* Settings::sources(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

bool Settings::has(std::string_view key) const {
  return sources(key) != nullptr || sources(std::string(key) + "_FILE") != nullptr;
}

std::optional<Place> Settings::place(std::string_view key) const {
  if (const auto* found = sources(key)) return found->front().place;
  if (const auto* found = sources(std::string(key) + "_FILE"))
    return Place{std::string(found->front().value.reveal()), 0};
  return std::nullopt;
}

std::vector<std::string> Settings::keys() const { return file_keys_; }

Problem Settings::missing(std::string_view key) const {
  std::vector<std::string_view> candidates;
  for (const auto& [name, found] : values_) candidates.push_back(name);
  std::string message = "is not given";
  Place place;
  if (const auto near = internal::nearest(key, candidates)) {
    place = sources(*near)->front().place;
    message += "; did you mean " + std::string(*near) + "?";
  } else if (!absent_.empty()) {
    place = {absent_.front(), 0};
    message += ", and there is no such file";
  } else if (!options_.files.empty()) {
    place = {options_.files.front(), 0};
  }
  return problem(Refusal::missing, place, key, std::move(message));
}

Result<Settings::Found, Problem> Settings::read(std::string_view key, const Found& path) const {
  const std::string name(path.value.reveal());
  auto file = reader_ ? reader_(name) : Result<File, ReadRefusal>(Error{ReadRefusal::absent});
  if (!file) {
    const std::string why(to_string(file.error()));
    return Error{problem(Refusal::unreadable, path.place, std::string(key) + "_FILE",
                         "the file it names, " + name + ", is " + why)};
  }
  return Found{
      {name, 0}, Secret::copy_of(without_line_end(file->text.reveal())), file->mode, file->own};
}

Result<Settings::Found, Problem> Settings::find(std::string_view key, Use use) const {
  const std::string file_key = std::string(key) + "_FILE";
  const auto* direct = sources(key);
  const auto* paths = sources(file_key);
  if (direct == nullptr && paths == nullptr) return Error{missing(key)};
  const auto twice = [&](const Found& first, const Found& second) {
    return Error{problem(Refusal::given_twice, first.place, key,
                         "is also given by " + second.place.to_string() + "; keep one of them")};
  };
  if (direct != nullptr && paths != nullptr) return twice(direct->front(), paths->front());
  const auto& given = direct != nullptr ? *direct : *paths;
  if (use == Use::secret && given.size() > 1) return twice(given[0], given[1]);
  if (direct == nullptr) return read(key, given.front());
  const Found& found = given.front();
  return Found{found.place, found.value.clone(), found.mode, found.own};
}

Result<std::optional<Settings::Found>, Problem> Settings::find_text(std::string_view key,
                                                                    bool has_default) const {
  if (has_default && !has(key)) return std::optional<Found>();
  MOAT_TRY(Found found, find(key, Use::plain));
  const std::string_view text = found.value.reveal();
  if (text.find('\0') != std::string_view::npos || !is_valid_utf8(text))
    return Error{problem(Refusal::wrong_type, found.place, key, "expected UTF-8 without NUL")};
  return std::optional<Found>(std::move(found));
}

Result<std::string, Problem> Settings::text(std::string_view key,
                                            std::optional<std::string_view> otherwise) const {
  MOAT_TRY(const auto found, find_text(key, otherwise.has_value()));
  return std::string(found ? found->value.reveal() : *otherwise);
}

Result<std::int64_t, Problem> Settings::integer(std::string_view key, std::int64_t least,
                                                std::int64_t most,
                                                std::optional<std::int64_t> otherwise) const {
  MOAT_TRY(const auto found, find_text(key, otherwise.has_value()));
  if (!found) return *otherwise;
  const std::string bounds =
      "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  const std::string_view text = found->value.reveal();
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc::result_out_of_range)
    return Error{problem(Refusal::out_of_range, found->place, key, "expected " + bounds)};
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return Error{problem(Refusal::wrong_type, found->place, key, "expected " + bounds)};
  return in_range(key, found->place, value, least, most, bounds);
}

Result<bool, Problem> Settings::boolean(std::string_view key, std::optional<bool> otherwise) const {
  MOAT_TRY(const auto found, find_text(key, otherwise.has_value()));
  if (!found) return *otherwise;
  const std::string text = ascii_lower(found->value.reveal());
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return Error{problem(Refusal::wrong_type, found->place, key,
                       "expected true or false (or yes, no, on, off, 1, 0)")};
}

Result<std::chrono::milliseconds, Problem> Settings::duration(
    std::string_view key, std::chrono::milliseconds least, std::chrono::milliseconds most,
    std::optional<std::chrono::milliseconds> otherwise) const {
  MOAT_TRY(const auto found, find_text(key, otherwise.has_value()));
  if (!found) return *otherwise;
  const std::string bounds =
      "a duration such as 30s, 5m or 8h from " + print(least) + " to " + print(most);
  const auto value = parse_duration(found->value.reveal());
  if (!value) return Error{problem(Refusal::wrong_type, found->place, key, "expected " + bounds)};
  return in_range(key, found->place, *value, least, most, bounds);
}

Result<std::uint64_t, Problem> Settings::size(std::string_view key, std::uint64_t least,
                                              std::uint64_t most,
                                              std::optional<std::uint64_t> otherwise) const {
  MOAT_TRY(const auto found, find_text(key, otherwise.has_value()));
  if (!found) return *otherwise;
  const std::string bounds =
      "a size such as 16KiB or 2MiB from " + print_size(least) + " to " + print_size(most);
  const auto value = parse_size(found->value.reveal());
  if (!value) return Error{problem(Refusal::wrong_type, found->place, key, "expected " + bounds)};
  return in_range(key, found->place, *value, least, most, bounds);
}

Result<std::string, Problem> Settings::choice(std::string_view key,
                                              std::span<const std::string_view> choices,
                                              std::optional<std::string_view> otherwise) const {
  MOAT_TRY(const auto found, find_text(key, otherwise.has_value()));
  if (!found) return std::string(*otherwise);
  std::string expected = "expected one of";
  for (const std::string_view choice : choices) {
    if (found->value.equals(choice)) return std::string(choice);
    expected.append(" ").append(choice);
  }
  return Error{problem(Refusal::wrong_type, found->place, key, std::move(expected))};
}

Result<void, Problem> Settings::check_exposure(std::string_view key, const Found& found) const {
  if (found.place.file.empty() || options_.insecure_allow_any_mode) return {};
  const bool readable =
      std::any_of(options_.allow_readable_below.begin(), options_.allow_readable_below.end(),
                  [&](const std::string& folder) { return is_below(found.place.file, folder); });
  // Readable is not writable: who may write the file chooses the key.
  const std::uint32_t mode = readable ? found.mode & ~std::uint32_t{0055} : found.mode;
  std::string why = exposure(mode, found.own);
  if (why.empty()) return {};
  return Error{problem(Refusal::exposed, found.place, key, std::move(why))};
}

Result<Secret, Problem> Settings::foreign_secret(std::string_view key) const {
  MOAT_TRY(Found found, find(key, Use::secret));
  const auto exposed = check_exposure(key, found);
  if (!exposed) return Error{exposed.error()};
  if (found.value.empty())
    return Error{problem(Refusal::weak, found.place, key, "expected a secret, and it is empty")};
  return std::move(found.value);
}

Result<Secret, Problem> Settings::secret(std::string_view key, std::size_t min_bytes) const {
  MOAT_TRY(Secret value, foreign_secret(key));
  const auto strong = check_secret_strength(value.reveal(), min_bytes);
  if (!strong) {
    return Error{problem(Refusal::weak, place(key).value_or(Place{}), key,
                         "expected " + explain(strong.error(), min_bytes) +
                             "; `openssl rand -base64 32` makes one")};
  }
  return value;
}

}  // namespace moat::env
