// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <mutex>

#include "moat/base/encoding.h"
#include "moat/base/ip.h"
#include "moat/https/tls.h"

namespace moat::https {
namespace {

using Handle = std::shared_ptr<const Certificate>;
using Handles = std::vector<Handle>;
template <class T>
using ByName = std::map<std::string, T, std::less<>>;

// One spelling: lower case, no final dot, addresses as IpAddress writes them.
std::string canonical(std::string_view name) {
  if (const auto address = IpAddress::parse(name)) return address->to_string();
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return ascii_lower(name);
}

template <class T>
T find_in(const ByName<T>& names, std::string_view name) {
  const auto found = names.find(name);
  return found == names.end() ? T() : found->second;
}

// Kinds of key that a connection can hold beside each other.
int slot_of(const Handle& certificate) {
  switch (certificate->key_kind()) {
    case KeyKind::rsa:
      return 0;
    case KeyKind::p256:
    case KeyKind::p384:
      return 1;
    case KeyKind::ed25519:
      break;
  }
  return 2;
}

void add(Handles& all, const Handle& one) {
  const bool known = std::any_of(
      all.begin(), all.end(), [&](const Handle& other) { return slot_of(other) == slot_of(one); });
  if (!known) all.push_back(one);
}

}  // namespace

// Never changed once published; a change copies it.
struct CertificateStore::Table {
  ByName<Handles> names;
  ByName<Handle> challenges;
  Handles fallback;
};

struct CertificateStore::Guarded {
  UnknownName unknown;
  mutable std::mutex mutex;  // held for the copy of one pointer
  std::shared_ptr<const Table> table = std::make_shared<Table>();
  std::mutex writers;
};

CertificateStore::CertificateStore(UnknownName unknown) : guarded_(std::make_unique<Guarded>()) {
  guarded_->unknown = unknown;
}
CertificateStore::~CertificateStore() = default;

std::shared_ptr<const CertificateStore::Table> CertificateStore::table() const {
  const std::lock_guard lock(guarded_->mutex);
  return guarded_->table;
}

template <class F>
void CertificateStore::change(F&& edit) {
  const std::lock_guard one_writer(guarded_->writers);
  std::shared_ptr<const Table> next = [&] {
    auto copy = std::make_shared<Table>(*table());
    edit(*copy);
    return copy;
  }();
  const std::lock_guard lock(guarded_->mutex);
  guarded_->table.swap(next);
  // `next` dies after the lock is gone: it may be the last to hold certificates.
}

void CertificateStore::put(const Certificate& certificate) {
  const auto handle = std::make_shared<const Certificate>(certificate);
  change([&](Table& table) {
    for (const std::string& name : certificate.names()) table.names[canonical(name)] = {handle};
    if (table.fallback.empty()) table.fallback = {handle};
  });
}

void CertificateStore::put(std::string_view name, const Certificate& certificate) {
  const auto handle = std::make_shared<const Certificate>(certificate);
  change([&](Table& table) {
    table.names[canonical(name)] = {handle};
    if (table.fallback.empty()) table.fallback = {handle};
  });
}

void CertificateStore::set_default(const Certificate& certificate) {
  const auto handle = std::make_shared<const Certificate>(certificate);
  change([&](Table& table) { table.fallback = {handle}; });
}

void CertificateStore::remove(std::string_view name) {
  change([&](Table& table) { table.names.erase(canonical(name)); });
}

void CertificateStore::replace(const std::vector<Certificate>& certificates) {
  change([&](Table& table) {
    table.names.clear();
    table.fallback.clear();
    for (const Certificate& certificate : certificates) {
      const auto handle = std::make_shared<const Certificate>(certificate);
      for (const std::string& name : certificate.names()) add(table.names[canonical(name)], handle);
    }
    // Who asks for no name may know but one kind of key too.
    if (!certificates.empty())
      table.fallback = find_in(table.names, canonical(certificates.front().names().front()));
  });
}

void CertificateStore::put_challenge(std::string_view name, const Certificate& certificate) {
  const auto handle = std::make_shared<const Certificate>(certificate);
  change([&](Table& table) { table.challenges[canonical(name)] = handle; });
}

void CertificateStore::remove_challenge(std::string_view name) {
  change([&](Table& table) { table.challenges.erase(canonical(name)); });
}

Handle CertificateStore::find(std::string_view name) const {
  const Handles all = find_all(name);
  return all.empty() ? nullptr : all.front();
}

Handles CertificateStore::find_all(std::string_view name) const {
  const auto current = table();
  if (name.empty()) return current->fallback;
  const std::string key = canonical(name);
  if (Handles exact = find_in(current->names, key); !exact.empty()) return exact;
  // RFC 6066 section 3: an address is no server name; who sends one all the same has asked for
  // none.
  if (IpAddress::parse(key)) return current->fallback;
  const std::size_t dot = key.find('.');
  if (dot != std::string::npos && dot > 0)
    if (Handles wildcard = find_in(current->names, "*" + key.substr(dot)); !wildcard.empty())
      return wildcard;
  return guarded_->unknown == UnknownName::allow_default ? current->fallback : Handles();
}

Handle CertificateStore::find_challenge(std::string_view name) const {
  return find_in(table()->challenges, canonical(name));
}

}  // namespace moat::https
