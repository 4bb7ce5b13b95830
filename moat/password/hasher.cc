// SPDX-License-Identifier: Apache-2.0
#include "moat/password/hasher.h"

#include <string.h>

#include <algorithm>

#include "moat/base/hash.h"
#include "moat/password/internal/bcrypt.h"
#include "moat/password/internal/workspace.h"

namespace moat::password {
namespace {

constexpr std::size_t salt_bytes = 16;  // RFC 9106 section 4
constexpr std::size_t tag_bytes = 32;
constexpr std::size_t pepper_bytes = 32;

// OWASP Password Storage Cheat Sheet: its three rows for servers, and whatever is at least as
// strong as one of them in both dimensions.
bool reaches_floor(const Params& params) {
  static constexpr Params rows[] = {{47104, 1, 1}, {19456, 2, 1}, {12288, 3, 1}};
  return std::any_of(std::begin(rows), std::end(rows), [&](const Params& row) {
    return params.memory_kib >= row.memory_kib && params.iterations >= row.iterations;
  });
}

bool within(const VerifyLimits& limits, std::uint32_t memory_kib, std::uint32_t iterations,
            std::uint32_t lanes) {
  return memory_kib <= limits.memory_kib && iterations <= limits.iterations &&
         lanes <= limits.lanes &&
         std::uint64_t{memory_kib} * iterations <= limits.memory_passes_kib;
}

// RFC 9106 section 3.2: the memory is rounded down to a multiple of 4*p blocks of 1 KiB.
std::size_t block_bytes(const Params& params) {
  const std::size_t segment = std::max<std::size_t>(params.lanes, 1) * 4;
  return params.memory_kib / segment * segment * 1024;
}

bool is_pepper_id(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= 16 && std::all_of(id.begin(), id.end(), allowed);
}

bool are_good(const std::vector<Pepper>& peppers) {
  for (auto it = peppers.begin(); it != peppers.end(); ++it) {
    if (!is_pepper_id(it->id) || it->key.size() < pepper_bytes) return false;
    if (std::any_of(peppers.begin(), it, [&](const Pepper& p) { return p.id == it->id; }))
      return false;
  }
  return true;
}

}  // namespace

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::malformed:
      return "malformed";
    case Refusal::unsupported:
      return "unsupported";
    case Refusal::too_costly:
      return "too_costly";
    case Refusal::too_long:
      return "too_long";
    case Refusal::contains_nul:
      return "contains_nul";
    case Refusal::unknown_pepper:
      return "unknown_pepper";
    case Refusal::out_of_memory:
      return "out_of_memory";
    case Refusal::busy:
      return "busy";
  }
  return "unknown";
}

std::string_view to_string(ParamsRefusal refusal) {
  switch (refusal) {
    case ParamsRefusal::below_floor:
      return "below_floor";
    case ParamsRefusal::above_limits:
      return "above_limits";
    case ParamsRefusal::bad_pepper:
      return "bad_pepper";
  }
  return "unknown";
}

Hasher::Hasher(const Params& params, Random& random, std::vector<Pepper> peppers,
               const VerifyLimits& limits)
    : params_(params),
      random_(&random),
      peppers_(std::move(peppers)),
      limits_(limits),
      workspaces_(std::make_unique<internal::Workspaces>(block_bytes(params))) {}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Result<Hasher, ParamsRefusal> Hasher::create(const Params& params, Random& random,
                                             std::vector<Pepper> peppers,
                                             const VerifyLimits& limits) {
  if (!reaches_floor(params) || params.lanes == 0) return Error{ParamsRefusal::below_floor};
  if (!within(limits, params.memory_kib, params.iterations, params.lanes))
    return Error{ParamsRefusal::above_limits};
  // RFC 9106 section 3.1: the memory is at least 8*p KiB.
  if (params.memory_kib / 8 < params.lanes) return Error{ParamsRefusal::above_limits};
  if (!are_good(peppers)) return Error{ParamsRefusal::bad_pepper};
  return Hasher(params, random, std::move(peppers), limits);
}

Hasher Hasher::standard(Random& random) { return Hasher({}, random, {}, {}); }

Hasher Hasher::insecure_below_floor(const Params& params, Random& random) {
  return Hasher(params, random, {}, {});
}

const Pepper* Hasher::find_pepper(std::string_view id) const {
  for (const auto& pepper : peppers_)
    if (pepper.id == id) return &pepper;
  return nullptr;
}

// The tag that `form`'s parameters and salt give.
Result<std::string, Refusal> Hasher::compute(const Argon2Hash& form, const Pepper* pepper,
                                             std::string_view password) {
  Digest keyed{};
  if (pepper != nullptr) {
    keyed = HmacKey(pepper->key.reveal()).tag(password);
    password = as_bytes(keyed);
  }
  Argon2Input input;
  input.type = form.type;
  input.version = form.version;
  input.memory_kib = form.memory_kib;
  input.iterations = form.iterations;
  input.lanes = form.lanes;
  input.password = password;
  input.salt = form.salt;
  input.tag_bytes = form.tag.size();
  auto tag = internal::argon2_in(*workspaces_, input);
  explicit_bzero(keyed.data(), keyed.size());
  return tag;
}

// What hash() writes, without the tag's bytes.
static Argon2Hash form_of(const Params& params, std::string_view key_id) {
  Argon2Hash form;
  form.memory_kib = params.memory_kib;
  form.iterations = params.iterations;
  form.lanes = params.lanes;
  form.key_id = key_id;
  form.salt.assign(salt_bytes, '\0');
  form.tag.assign(tag_bytes, '\0');
  return form;
}

static std::string_view first_id(const std::vector<Pepper>& peppers) {
  return peppers.empty() ? std::string_view() : std::string_view(peppers.front().id);
}

Result<std::string, Refusal> Hasher::hash(std::string_view password) {
  if (password.size() > limits_.password_bytes) return Error{Refusal::too_long};
  Argon2Hash form = form_of(params_, first_id(peppers_));
  form.salt = random_->bytes(salt_bytes);
  MOAT_TRY(form.tag, compute(form, find_pepper(form.key_id), password));
  return form.to_string();
}

std::string Hasher::dummy_hash() {
  Argon2Hash form = form_of(params_, first_id(peppers_));
  form.salt = random_->bytes(salt_bytes);
  form.tag = random_->bytes(tag_bytes);  // of no known password: nobody has computed one
  return form.to_string();
}

Result<Match, Refusal> Hasher::verify_argon2(std::string_view stored, std::string_view password) {
  MOAT_TRY(const Argon2Hash form, Argon2Hash::parse(stored));
  if (!within(limits_, form.memory_kib, form.iterations, form.lanes))
    return Error{Refusal::too_costly};
  const Pepper* pepper = find_pepper(form.key_id);
  if (!form.key_id.empty() && pepper == nullptr) return Error{Refusal::unknown_pepper};
  MOAT_TRY(const std::string tag, compute(form, pepper, password));
  if (!constant_time_equal(tag, form.tag)) return Match{};
  Argon2Hash today = form_of(params_, first_id(peppers_));
  const bool sized = form.salt.size() == today.salt.size() && form.tag.size() == today.tag.size();
  today.salt = form.salt;
  today.tag = form.tag;
  return Match{true, !sized || !(form == today)};
}

Result<Match, Refusal> Hasher::verify(std::string_view stored, std::string_view password) {
  if (password.size() > limits_.password_bytes) return Error{Refusal::too_long};
  if (stored.substr(0, 7) == "$argon2") return verify_argon2(stored, password);
  const auto cost = internal::bcrypt_cost(stored);
  if (!cost) return Error{Refusal::malformed};
  if (*cost > limits_.bcrypt_cost) return Error{Refusal::too_costly};
  MOAT_TRY(const bool matches, internal::bcrypt_verify(stored, password));
  return Match{matches, matches};
}

Result<void, Refusal> Hasher::verify_unknown(std::string_view password) {
  MOAT_TRY([[maybe_unused]] const Match match, verify(dummy_hash(), password));
  return {};
}

void Hasher::release_memory() { workspaces_->release(); }

}  // namespace moat::password
