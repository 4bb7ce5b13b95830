// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/certificates.h"

#include "moat/certs/directory_storage.h"
#include "moat/https/local_ca.h"

namespace moat::gateway {

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
  auto used = !config.certificate_file.empty() ? made->use_files(config, now)
              : config.uses_acme()             ? made->use_acme(config, places.acme, now)
              : config.lacks_certificate()     ? made->use_self_signed(now)
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
  files_ = std::make_unique<certs::CertificateFiles>(
      config.certificate_file, config.key_file,
      certs::KeyFilePolicy{config.allow_key_readable_by_all});
  auto loaded = files_->load(now);
  if (!loaded) return Error{loaded.error().message};
  const std::string missing = uncovered(*loaded);
  if (!missing.empty()) return Error{config.certificate_file + " is no certificate for " + missing};
  store_->replace({*loaded});
  description_ = config.certificate_file + ", until " + format_rfc3339(loaded->not_after());
  return {};
}

// The first of our names that the certificate is not for; empty: it is for all.
std::string Certificates::uncovered(const https::Certificate& certificate) const {
  for (const std::string& name : names_) {
    if (!certificate.covers(name)) return name;
  }
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
  return files_ != nullptr || local_ca_ != nullptr ||
         (acme_ != nullptr && acme_->has_certificate());
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
  if (files_ != nullptr) {
    auto polled = files_->poll(now);
    if (!polled) {
      log_.error("certificate_not_loaded", {{"reason", polled.error().message}});
    } else if (*polled && !uncovered(**polled).empty()) {
      log_.error("certificate_not_loaded",
                 {{"reason", "it is not for this name"}, {"domain", uncovered(**polled)}});
    } else if (*polled) {
      store_->replace({**polled});
      log_.info("certificate_loaded", {{"fingerprint", (*polled)->fingerprint()}});
    }
  } else if (local_ca_ != nullptr) {
    auto renewed = local_ca_->load_or_create(names_, now, log_);
    if (renewed) store_->replace({*renewed});
    if (!renewed) log_.error("certificate_not_renewed", {{"reason", renewed.error().message}});
  }
}

}  // namespace moat::gateway
