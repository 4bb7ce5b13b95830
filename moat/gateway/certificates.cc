// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/certificates.h"

#include <algorithm>

#include "moat/certs/directory_storage.h"
#include "moat/gateway/nearest.h"
#include "moat/https/local_ca.h"

namespace moat::gateway {

namespace {

// The first of `names` that none of the certificates is for, as a sentence; empty: there is none.
std::string uncovered(const std::vector<std::string>& names,
                      const std::vector<https::Certificate>& certificates) {
  for (const std::string& name : names) {
    const bool covered = std::any_of(certificates.begin(), certificates.end(),
                                     [&](const auto& one) { return one.covers(name); });
    if (covered) continue;
    std::vector<std::string> theirs;
    for (const https::Certificate& one : certificates)
      theirs.insert(theirs.end(), one.names().begin(), one.names().end());
    std::string text = "no certificate for '" + name + "' in 'domain': the files are for ";
    constexpr std::size_t shown = 8;
    for (std::size_t i = 0; i < theirs.size() && i < shown; ++i)
      text.append(i == 0 ? "" : ", ").append(theirs[i]);
    if (theirs.size() > shown) text += " and others";
    if (const auto near = nearest(name, theirs)) text += "; did you mean '" + *near + "'?";
    return text +
           "; where certificates are files, each name needs one (no CA is asked for the rest): add "
           "a [[tls.certificate]]";
  }
  return {};
}

}  // namespace

Result<std::vector<https::Certificate>, std::string> load_certificates(const Config& config,
                                                                       Time now) {
  std::vector<https::Certificate> all;
  for (const CertificatePair& pair : config.certificate_pairs()) {
    auto loaded = certs::load_files(pair.certificate_file, pair.key_file, now,
                                    certs::KeyFilePolicy{config.allow_key_readable_by_all});
    if (!loaded) return Error{loaded.error().message};
    all.push_back(std::move(*loaded));
  }
  std::string missing = uncovered(config.domains, all);
  if (!missing.empty()) return Error{std::move(missing)};
  return all;
}

Certificates::Certificates(const Config& config, const Services& services,
                           std::shared_ptr<https::TicketKeys> tickets)
    : services_(services),
      log_(services.log),
      names_(config.domains),
      store_(std::make_shared<https::CertificateStore>(
          config.is_localhost() ? https::CertificateStore::UnknownName::allow_default
                                : https::CertificateStore::UnknownName::refuse)),
      tickets_(tickets != nullptr
                   ? std::move(tickets)
                   : std::make_shared<https::TicketKeys>(services.clock, system_random())) {}

Result<std::unique_ptr<Certificates>, std::string> Certificates::start(
    const Config& config, const Places& places, const Services& services,
    std::shared_ptr<https::TicketKeys> tickets) {
  std::unique_ptr<Certificates> made(new Certificates(config, services, std::move(tickets)));
  const Time now = services.clock.now();
  auto used = config.has_certificate_files() ? made->use_files(config, now)
              : config.uses_acme()           ? made->use_acme(config, places.acme, now)
              : config.lacks_certificate()   ? made->use_self_signed(now)
                                             : made->use_local_ca(places.local_ca, now);
  if (!used) return Error{used.error()};
  if (!config.storage.empty()) {
    made->shared_tickets_ = std::make_unique<SharedTickets>(
        std::make_shared<certs::DirectoryStorage>(config.storage), made->tickets_, services.log);
    made->shared_tickets_->share();  // before the first handshake makes a key of our own
  }
  return made;
}

Result<void, std::string> Certificates::use_files(const Config& config, Time now) {
  std::vector<https::Certificate> all;
  for (const CertificatePair& pair : config.certificate_pairs()) {
    certs::CertificateFiles files(pair.certificate_file, pair.key_file,
                                  certs::KeyFilePolicy{config.allow_key_readable_by_all});
    auto loaded = files.load(now);
    if (!loaded) return Error{loaded.error().message};
    all.push_back(*loaded);
    files_.push_back({std::move(files), pair.certificate_file, std::move(*loaded)});
  }
  const std::string missing = uncovered(names_, all);
  if (!missing.empty()) return Error{missing};
  store_->replace(all);
  const auto first = std::min_element(
      files_.begin(), files_.end(),
      [](const File& a, const File& b) { return a.loaded.not_after() < b.loaded.not_after(); });
  description_ = first->name + ", until " + format_rfc3339(first->loaded.not_after());
  if (files_.size() > 1)
    description_ = std::to_string(files_.size()) + " files; the first to end is " + description_;
  return {};
}

Result<void, std::string> Certificates::use_local_ca(const std::string& ca, Time now) {
  local_ca_ = std::make_unique<certs::LocalCaFiles>(ca);
  auto loaded = local_ca_->load_or_create(names_, now, log_);
  if (!loaded) return Error{loaded.error().message};
  store_->replace({*loaded});
  root_certificate_ = local_ca_->root_certificate().string();
  description_ = "local CA, until " + format_rfc3339(loaded->not_after());
  return {};
}

// A start does not wait for the CA: what was kept serves at once, and else a certificate that
// nobody trusts, until the CA's has come.
Result<void, std::string> Certificates::use_acme(const Config& config, const std::string& place,
                                                 Time now) {
  acme_tokens_ = std::make_shared<AcmeTokens>();
  auto made = AcmeClient::make(config, {services_.clock,
                                        log_,
                                        system_random(),
                                        std::make_shared<certs::DirectoryStorage>(place),
                                        {store_, acme_tokens_, services_.dns}});
  if (!made) return Error{made.error()};
  acme_ = std::move(*made);
  if (const auto& kept = acme_->kept()) {
    description_ = "from the CA, until " + format_rfc3339(kept->certificate.not_after());
    return {};
  }
  auto shown = use_self_signed(now);
  description_ = "self-signed and untrusted, until the CA's has come";
  return shown;
}

bool Certificates::trusted() const {
  return !files_.empty() || local_ca_ != nullptr || (acme_ != nullptr && acme_->has_certificate());
}

bool Certificates::renew() {
  if (acme_ == nullptr) return false;
  acme_->renew();
  return true;
}

bool Certificates::revoke(acme::RevocationReason reason) {
  if (acme_ == nullptr) return false;
  acme_->revoke(reason);
  return true;
}

void Certificates::end() {
  if (acme_ != nullptr) acme_->end();
}

std::string Certificates::status() const {
  std::string text;
  for (const std::string& name : names_) text.append(text.empty() ? "" : " ").append(name);
  text += "\n";
  return text + (acme_ != nullptr ? acme_->status() : "  " + description_ + "\n");
}

// A public name waits for a certificate of its own: the local CA never signs it.
Result<void, std::string> Certificates::use_self_signed(Time now) {
  auto issued = https::self_signed(names_.front(), now);
  if (!issued) return Error{"no certificate: " + std::string(https::to_string(issued.error()))};
  auto certificate = https::Certificate::from_pem(issued->certificate, issued->key, now);
  if (!certificate)
    return Error{"no certificate: " + std::string(https::to_string(certificate.error()))};
  store_->replace({*certificate});
  for (const std::string& name : names_) store_->put(name, *certificate);
  const std::string advice = acme_ != nullptr
                                 ? "the CA is asked for another; see certificate_issued"
                                 : "set tls.acme.agree_to_terms, or tls.certificate and tls.key";
  log_.warn("certificate_untrusted", {{"domain", names_.front()}, {"advice", advice}});
  description_ = "self-signed and untrusted: " + advice;
  return {};
}

void Certificates::maintain(Time now) {
  tickets_->rotate();
  if (shared_tickets_ != nullptr) shared_tickets_->start();
  if (acme_ != nullptr) acme_->start();
  if (!files_.empty()) {
    maintain_files(now);
  } else if (local_ca_ != nullptr) {
    auto renewed = local_ca_->load_or_create(names_, now, log_);
    if (renewed) store_->replace({*renewed});
    if (!renewed) log_.error("certificate_not_renewed", {{"reason", renewed.error().message}});
  }
}

void Certificates::maintain_files(Time now) {
  for (File& file : files_) {
    auto polled = file.files.poll(now);
    if (!polled) log_.error("certificate_not_loaded", {{"reason", polled.error().message}});
    if (!polled || !*polled) continue;
    std::vector<https::Certificate> all;
    for (const File& one : files_) all.push_back(&one == &file ? **polled : one.loaded);
    const std::string missing = uncovered(names_, all);
    if (!missing.empty()) {
      log_.error("certificate_not_loaded", {{"file", file.name}, {"reason", missing}});
      continue;
    }
    file.loaded = std::move(**polled);
    store_->replace(all);
    log_.info("certificate_loaded", {{"fingerprint", file.loaded.fingerprint()}});
  }
}

}  // namespace moat::gateway
