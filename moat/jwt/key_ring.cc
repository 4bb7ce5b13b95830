// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/key_ring.h"

#include <algorithm>

#include "moat/jwt/internal/material.h"

namespace moat::jwt {

namespace {
constexpr std::size_t max_ring_keys = 32;
constexpr std::int64_t last_second = 253402300799;  // of the year 9999
}  // namespace

Result<KeyRing, KeyError> KeyRing::create(Algorithm algorithm, Random& random, Time now,
                                          const Options& options) {
  MOAT_TRY(Key key, Key::generate(algorithm, random));
  std::vector<Entry> entries;
  entries.push_back({std::move(key), now});
  return KeyRing(std::move(entries), options);
}

Result<KeyRing, KeyError> KeyRing::from_json(const Secret& text, const Options& options) {
  auto parsed = json::parse(text.reveal(), {.depth = 8, .members = 1024});
  if (!parsed) return Error{KeyError::malformed};
  const json::Value* version = parsed->find("version");
  const json::Value* keys = parsed->find("keys");
  std::vector<Entry> entries;
  std::optional<KeyError> error;
  if (version == nullptr || *version != json::Value(1) || keys == nullptr ||
      keys->as_array() == nullptr || keys->as_array()->size() > max_ring_keys) {
    error = KeyError::malformed;
  } else {
    for (const json::Value& element : *keys->as_array()) {
      const json::Value* created_at = element.find("created_at");
      const json::Value* jwk = element.find("jwk");
      const std::int64_t* seconds = created_at == nullptr ? nullptr : created_at->as_integer();
      if (jwk == nullptr || seconds == nullptr || *seconds < 0 || *seconds > last_second) {
        error = KeyError::malformed;
        break;
      }
      auto key = Key::from_jwk(*jwk);
      if (!key || !key->can_sign() || key->id().empty()) {
        error = key ? KeyError::malformed : key.error();
        break;
      }
      entries.push_back({*std::move(key), from_unix_seconds(*seconds)});
    }
  }
  internal::wipe_strings(*parsed);
  if (error) return Error{*error};
  if (entries.empty()) return Error{KeyError::no_usable_key};
  KeySet unique;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].key.algorithm() != entries[0].key.algorithm()) {
      return Error{KeyError::wrong_algorithm};
    }
    if (i > 0 && entries[i].created_at < entries[i - 1].created_at) {
      return Error{KeyError::malformed};
    }
    if (auto added = unique.add(entries[i].key); !added) return Error{added.error()};
  }
  return KeyRing(std::move(entries), options);
}

Secret KeyRing::to_json() const {
  std::string out = R"({"version":1,"keys":[)";
  // Room for all, so that no half-written text with keys in it is left behind by a reallocation.
  out.reserve(out.size() + entries_.size() * 8192);
  for (const Entry& entry : entries_) {
    if (&entry != &entries_.front()) out += ',';
    out += R"({"created_at":)" + std::to_string(unix_seconds(entry.created_at)) + R"(,"jwk":)";
    out += entry.key.private_jwk().reveal();
    out += '}';
  }
  out += "]}";
  return Secret::take(out);
}

Time KeyRing::takes_over_at(std::size_t index) const {
  return index == 0 ? Time::min() : entries_[index].created_at + options_.publish_ahead;
}

const Key& KeyRing::current(Time now) const {
  std::size_t index = entries_.size() - 1;
  while (index > 0 && takes_over_at(index) > now) --index;
  return entries_[index].key;
}

const Key* KeyRing::find(std::string_view key_id) const {
  for (const Entry& entry : entries_) {
    if (entry.key.id() == key_id) return &entry.key;
  }
  return nullptr;
}

bool KeyRing::due(Time now) const {
  if (now >= entries_.back().created_at + options_.rotate_after) return true;
  return entries_.size() > 1 && now >= takes_over_at(1) + options_.overlap;
}

bool KeyRing::maintain(Random& random, Time now) {
  bool changed = false;
  if (now >= entries_.back().created_at + options_.rotate_after) {
    rotate(random, now);
    changed = true;
  }
  while (entries_.size() > 1 && now >= takes_over_at(1) + options_.overlap) {
    entries_.erase(entries_.begin());
    changed = true;
  }
  return changed;
}

void KeyRing::rotate(Random& random, Time now) {
  // A clock that went back must not put the keys out of order.
  const Time created_at = std::max(now, entries_.back().created_at);
  entries_.push_back({Key::generate(algorithm(), random).value(), created_at});
  if (entries_.size() > max_ring_keys) entries_.erase(entries_.begin());
}

void KeyRing::drop_before(Time time) {
  while (entries_.size() > 1 && entries_.front().created_at < time) {
    entries_.erase(entries_.begin());
  }
}

KeySet KeyRing::verification_keys() const {
  KeySet set;
  for (const Entry& entry : entries_) {
    // Ids are unique and the algorithm is one: checked when the ring was made.
    static_cast<void>(set.add(entry.key));
  }
  return set;
}

}  // namespace moat::jwt
