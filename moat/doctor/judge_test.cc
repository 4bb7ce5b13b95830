// SPDX-License-Identifier: Apache-2.0
// Each finding has a site that has it, and the good site that has not (or the other way round).
#include <gtest/gtest.h>

#include <set>

#include "moat/doctor/internal/test_site.h"

namespace moat::doctor {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::seconds;

struct Case {
  const char* id;                   // found where
  void (*change)(TlsFacts& facts);  // the good site is changed so
};

void set_hsts(TlsFacts& f, const char* value) { set(f.https, "strict-transport-security", value); }
void local(TlsFacts& f) {
  f.target.host = "localhost";
  drop(f.https, "strict-transport-security");
}
void all_https(TlsFacts& f, Reach reach) {
  for (Contact& contact : f.contacts) contact.https = reach;
}
void all_http(TlsFacts& f, Reach reach) {
  for (Contact& contact : f.contacts) contact.http = reach;
  f.plain_get = f.plain_post = HttpFacts();
}
void date(TlsFacts& f, seconds offset) { set(f.https, "date", format_http_date(now + offset)); }

const Case cases[] = {
    {"dns.unresolved", [](TlsFacts& f) { f.unresolved = "Name or service not known"; }},
    {"dns.no_ipv6", [](TlsFacts& f) { f.contacts.pop_back(); }},
    {"dns.no_ipv4", [](TlsFacts& f) { f.contacts.erase(f.contacts.begin()); }},
    {"dns.private_address",
     [](TlsFacts& f) { f.contacts[0].address = *IpAddress::parse("192.168.1.1"); }},
    {"dns.caa_missing",
     [](TlsFacts& f) {
       f.caa = {Caa::State::none, {}, {}};
     }},
    {"dns.caa_missing",
     [](TlsFacts& f) {
       f.caa.records = {{false, "iodef", "mailto:a@b"}};
     }},
    {"dns.caa_forbids", [](TlsFacts& f) { f.caa.records[0].value = "digicert.com"; }},
    {"dns.caa_unclear", [](TlsFacts& f) { f.chain.sent[0].issuer_organization = "A new CA"; }},
    {"dns.caa_unclear", [](TlsFacts& f) { f.chain.trust = Trust::self_signed; }},
    {"dns.caa_failed", [](TlsFacts& f) { f.caa.state = Caa::State::failed; }},
    {"ports.https_closed", [](TlsFacts& f) { all_https(f, Reach::refused); }},
    {"ports.https_closed", [](TlsFacts& f) { all_https(f, Reach::no_route); }},
    {"ports.address_dead", [](TlsFacts& f) { f.contacts[1].https = Reach::timed_out; }},
    {"ports.address_dead", [](TlsFacts& f) { f.contacts[0].https = Reach::refused; }},
    {"ports.address_untested", [](TlsFacts& f) { f.contacts[1].https = Reach::no_route; }},
    {"ports.http_closed", [](TlsFacts& f) { all_http(f, Reach::refused); }},
    {"ports.http_skipped", [](TlsFacts& f) { f.target.http_port = std::nullopt; }},
    {"certificate.self_signed", [](TlsFacts& f) { f.chain.trust = Trust::self_signed; }},
    {"certificate.unknown_root", [](TlsFacts& f) { f.chain.trust = Trust::unknown_root; }},
    {"certificate.unknown_issuer", [](TlsFacts& f) { f.chain.trust = Trust::incomplete; }},
    {"certificate.incomplete",
     [](TlsFacts& f) {
       f.chain.trust = Trust::incomplete;
       f.chain.sent.pop_back();
       f.chain.sent_count = 1;
     }},
    {"certificate.incomplete",
     [](TlsFacts& f) {
       f.chain.trust = Trust::incomplete;
       f.chain.in_order = false;
     }},
    {"certificate.wrong_purpose", [](TlsFacts& f) { f.chain.trust = Trust::wrong_purpose; }},
    {"certificate.refused", [](TlsFacts& f) { f.chain.trust = Trust::refused; }},
    {"certificate.disordered", [](TlsFacts& f) { f.chain.in_order = false; }},
    {"certificate.root_sent", [](TlsFacts& f) { f.chain.root_sent = true; }},
    {"certificate.chain_long", [](TlsFacts& f) { f.chain.sent_count = 3; }},
    {"certificate.name_mismatch", [](TlsFacts& f) { f.chain.name_matches = false; }},
    {"certificate.expired", [](TlsFacts& f) { f.chain.sent[0].not_after = now - seconds{1}; }},
    {"certificate.not_yet_valid",
     [](TlsFacts& f) { f.chain.sent[0].not_before = now + seconds{1}; }},
    {"certificate.renewal_due",
     [](TlsFacts& f) { f.chain.sent[0].not_before = now - hours{24 * 170}; }},
    {"certificate.issuer_expired",
     [](TlsFacts& f) { f.chain.path[1].not_after = now - seconds{1}; }},
    {"certificate.weak_key", [](TlsFacts& f) { f.chain.path[0].weak_key = true; }},
    {"certificate.weak_key", [](TlsFacts& f) { f.chain.path[1].weak_key = true; }},
    {"certificate.weak_signature", [](TlsFacts& f) { f.chain.path[0].weak_signature = true; }},
    {"certificate.not_stapled", [](TlsFacts& f) { f.chain.must_staple = true; }},
    {"certificate.stapled", [](TlsFacts& f) { f.chain.must_staple = f.handshake.stapled = true; }},
    {"protocol.handshake_failed",
     [](TlsFacts& f) { f.handshake.state = HandshakeFacts::State::failed; }},
    {"protocol.not_tls", [](TlsFacts& f) { f.handshake.state = HandshakeFacts::State::not_tls; }},
    {"protocol.client_certificate", [](TlsFacts& f) { f.handshake.asks_who = true; }},
    {"protocol.no_tls13", [](TlsFacts& f) { f.versions.tls13 = Offer::refused; }},
    {"protocol.no_tls12", [](TlsFacts& f) { f.versions.tls12 = Offer::refused; }},
    {"protocol.outdated",
     [](TlsFacts& f) {
       f.versions.tls12 = f.versions.tls13 = Offer::refused;
       f.versions.tls11 = Offer::accepted;
     }},
    {"protocol.old_accepted", [](TlsFacts& f) { f.versions.tls11 = Offer::accepted; }},
    {"protocol.old_accepted", [](TlsFacts& f) { f.versions.tls10 = Offer::accepted; }},
    {"protocol.old_accepted", [](TlsFacts& f) { f.versions.ssl30 = Offer::accepted; }},
    {"protocol.versions_untested", [](TlsFacts& f) { f.versions.tls10 = Offer::untested; }},
    {"protocol.versions_untested", [](TlsFacts& f) { f.versions.tls13 = Offer::untested; }},
    {"protocol.not_quantum_safe",
     [](TlsFacts& f) {
       f.groups = {29, 23};
     }},
    {"protocol.not_quantum_safe", [](TlsFacts& f) { f.versions.tls13 = Offer::refused; }},
    {"protocol.groups_untested", [](TlsFacts& f) { f.groups_tested = false; }},
    {"protocol.suites_broken", [](TlsFacts& f) { f.suites.push_back(0x000a); }},
    {"protocol.suites_broken", [](TlsFacts& f) { f.suites.push_back(0x0001); }},
    {"protocol.suites_broken", [](TlsFacts& f) { f.suites.push_back(0xfefe); }},
    {"protocol.suites_no_forward_secrecy", [](TlsFacts& f) { f.suites.push_back(0x009c); }},
    {"protocol.suites_cbc", [](TlsFacts& f) { f.suites.push_back(0xc013); }},
    {"protocol.suites_finite_field", [](TlsFacts& f) { f.suites.push_back(0x009e); }},
    {"protocol.suites_untested", [](TlsFacts& f) { f.suites_complete = false; }},
    {"protocol.suites_untested", [](TlsFacts& f) { f.suites_version = 0; }},
    {"protocol.compression", [](TlsFacts& f) { f.hello->compression = true; }},
    {"protocol.renegotiation", [](TlsFacts& f) { f.hello->secure_renegotiation = false; }},
    {"protocol.no_extended_master_secret",
     [](TlsFacts& f) { f.hello->extended_master_secret = false; }},
    {"protocol.no_http2", [](TlsFacts& f) { f.handshake.protocol = "http/1.1"; }},
    {"protocol.no_http2", [](TlsFacts& f) { f.handshake.protocol = ""; }},
    {"protocol.unknown_name_served", [](TlsFacts& f) { f.unknown_name = Offer::accepted; }},
    {"protocol.unknown_name_local",
     [](TlsFacts& f) {
       local(f);
       f.unknown_name = Offer::accepted;
     }},
    {"http.redirect_missing", [](TlsFacts& f) { f.plain_get = answer(200, {}); }},
    {"http.redirect_insecure",
     [](TlsFacts& f) { set(f.plain_get, "location", "http://example.com/x"); }},
    {"http.redirect_insecure", [](TlsFacts& f) { set(f.plain_get, "location", "/login"); }},
    {"http.redirect_insecure", [](TlsFacts& f) { set(f.plain_get, "location", "//example.com/"); }},
    {"http.redirect_insecure", [](TlsFacts& f) { drop(f.plain_get, "location"); }},
    {"http.redirect_temporary", [](TlsFacts& f) { f.plain_get.status = 302; }},
    {"http.redirect_temporary", [](TlsFacts& f) { f.plain_get.status = 307; }},
    {"http.redirect_other_host",
     [](TlsFacts& f) { set(f.plain_get, "location", "https://www.example.com/"); }},
    {"http.redirect_other_host",
     [](TlsFacts& f) { set(f.plain_get, "location", "https://example.com@evil.test/"); }},
    {"http.redirect_other_port",
     [](TlsFacts& f) { set(f.plain_get, "location", "https://example.com:8443/"); }},
    {"http.redirect_refused", [](TlsFacts& f) { f.plain_get = answer(403, {}); }},
    {"http.plain_no_answer", [](TlsFacts& f) { f.plain_get.state = HttpFacts::State::silent; }},
    {"http.plain_no_answer", [](TlsFacts& f) { f.plain_get.state = HttpFacts::State::malformed; }},
    {"http.plain_cookies",
     [](TlsFacts& f) { f.plain_get.fields.emplace_back("set-cookie", "a=b; Secure"); }},
    {"http.plain_cookies",
     [](TlsFacts& f) { f.plain_post.fields.emplace_back("set-cookie", "a=b; Secure"); }},
    {"http.plain_hsts",
     [](TlsFacts& f) { f.plain_get.fields.emplace_back("strict-transport-security", "x"); }},
    {"http.post_redirected", [](TlsFacts& f) { f.plain_post = answer(308, {}); }},
    {"http.post_accepted", [](TlsFacts& f) { f.plain_post = answer(200, {}); }},
    {"http.no_answer", [](TlsFacts& f) { f.https.state = HttpFacts::State::silent; }},
    {"http.not_let_in",
     [](TlsFacts& f) {
       f.https.state = HttpFacts::State::silent;
       f.handshake.asks_who = true;
     }},
    {"http.malformed", [](TlsFacts& f) { f.https.state = HttpFacts::State::malformed; }},
    {"http.too_large", [](TlsFacts& f) { f.https.state = HttpFacts::State::too_large; }},
    {"http.server_error", [](TlsFacts& f) { f.https.status = 500; }},
    {"http.clock_skewed", [](TlsFacts& f) { date(f, seconds{31}); }},
    {"http.clock_wrong", [](TlsFacts& f) { date(f, seconds{301}); }},
    {"http.clock_unknown", [](TlsFacts& f) { drop(f.https, "date"); }},
    {"http.clock_unknown", [](TlsFacts& f) { set(f.https, "date", "yesterday"); }},
    {"http.hsts_not_here", local},
    {"http.hsts_here", [](TlsFacts& f) { f.target.host = "192.0.2.1"; }},
    {"http.hsts_here", [](TlsFacts& f) { f.target.host = "app.localhost"; }},
    {"http.hsts_missing", [](TlsFacts& f) { drop(f.https, "strict-transport-security"); }},
    {"http.hsts_twice",
     [](TlsFacts& f) { f.https.fields.emplace_back("strict-transport-security", "max-age=1"); }},
    {"http.hsts_malformed", [](TlsFacts& f) { set_hsts(f, "includeSubDomains"); }},
    {"http.hsts_off", [](TlsFacts& f) { set_hsts(f, "max-age=0; includeSubDomains"); }},
    {"http.hsts_short", [](TlsFacts& f) { set_hsts(f, "max-age=31535999; includeSubDomains"); }},
    {"http.hsts_no_subdomains", [](TlsFacts& f) { set_hsts(f, "max-age=31536000"); }},
    {"http.hsts_preload_unready", [](TlsFacts& f) { set_hsts(f, "max-age=31536000; preload"); }},
    {"http.hsts_preload_unready",
     [](TlsFacts& f) { set_hsts(f, "max-age=31535999; includeSubDomains; preload"); }},
    {"http.hsts_preload_unready", [](TlsFacts& f) { f.plain_get = answer(200, {}); }},
    {"http.hsts_preload_unready", [](TlsFacts& f) { f.chain.trust = Trust::incomplete; }},
    {"http.cookie_insecure",
     [](TlsFacts& f) { set(f.https, "set-cookie", "id=x; Path=/secure; HttpOnly"); }},
    {"http.no_nosniff", [](TlsFacts& f) { drop(f.https, "x-content-type-options"); }},
    {"http.no_frame_rule",
     [](TlsFacts& f) { set(f.https, "content-security-policy", "default-src 'self'"); }},
    {"http.no_referrer_policy", [](TlsFacts& f) { drop(f.https, "referrer-policy"); }},
    {"http.no_csp", [](TlsFacts& f) { drop(f.https, "content-security-policy"); }},
};

TEST(JudgeTls, FindsEachFaultWhereItIsAndNotInTheGoodSite) {
  for (const Case& one : cases) {
    TlsFacts facts = good_site();
    EXPECT_FALSE(has(facts, one.id)) << one.id;
    one.change(facts);
    EXPECT_TRUE(has(facts, one.id)) << one.id;
  }
}

TEST(JudgeTls, TheGoodSiteIsGoodThroughout) {
  const auto findings = judge_tls(good_site(), now);
  const Counts counts = count(findings);
  EXPECT_EQ(counts.ok, findings.size());
  for (const Finding& finding : findings)
    EXPECT_EQ(finding.severity, Severity::ok) << finding.id << ": " << finding.evidence;
}

// What is good about the good site is not said of any other that lacks it.
TEST(JudgeTls, EachGoodFindingIsMissingSomewhere) {
  for (const std::string& id : ids(good_site())) {
    bool missing = false;
    for (const Case& one : cases) {
      TlsFacts facts = good_site();
      one.change(facts);
      missing = missing || !has(facts, id);
    }
    EXPECT_TRUE(missing) << id;
  }
}

TEST(JudgeTls, EveryFindingOfTheCatalogueIsTested) {
  std::set<std::string_view> tested;
  for (const Case& one : cases) tested.insert(one.id);
  for (const Finding& finding : judge_tls(good_site(), now)) tested.insert(finding.id);
  for (const std::string_view id : finding_ids()) EXPECT_EQ(tested.count(id), 1u) << id;
}

TEST(JudgeTls, AreasComeInOrder) {
  for (const Case& one : cases) {
    TlsFacts facts = good_site();
    one.change(facts);
    const auto findings = judge_tls(facts, now);
    EXPECT_TRUE(std::is_sorted(findings.begin(), findings.end(), [](const auto& a, const auto& b) {
      return a.area < b.area;
    })) << one.id;
  }
}

TEST(JudgeTls, NothingOfAServersTextIsUnprintable) {
  const std::string nasty =
      "\x1b[2J\x9b"
      "31m\r\n\xe2\x80\xae\x07\\" +
      std::string(5000, 'x');
  TlsFacts facts = good_site();
  facts.handshake.protocol = facts.unknown_name_subject = facts.chain.trust_detail = nasty;
  facts.unknown_name = Offer::accepted;
  facts.caa.at = nasty;
  facts.caa.records = {{false, nasty, nasty}};
  for (auto* list : {&facts.chain.sent, &facts.chain.path})
    for (CertificateFacts& c : *list)
      c.subject = c.issuer = c.key = c.signature = c.issuer_organization = nasty;
  facts.chain.sent[0].names = std::vector<std::string>(50, nasty);
  for (HttpFacts* http : {&facts.https, &facts.plain_get, &facts.plain_post})
    for (const char* name : {"location", "date", "strict-transport-security", "set-cookie"})
      http->fields.emplace_back(name, nasty);
  const auto check = [](const TlsFacts& site) {
    for (const Finding& finding : judge_tls(site, now)) {
      EXPECT_LT(finding.evidence.size(), 6000u) << finding.id;
      for (const char c : finding.evidence)
        EXPECT_TRUE(c >= 0x20 && c < 0x7f) << finding.id << ": " << finding.evidence;
    }
  };
  check(facts);
  for (const Case& one : cases) {
    TlsFacts changed = facts;
    one.change(changed);
    changed.handshake.trouble = changed.https.trouble = changed.plain_get.trouble = nasty;
    check(changed);
  }
}

TEST(JudgeTls, CookiesAreNamedWithoutTheirValues) {
  TlsFacts facts = good_site();
  EXPECT_EQ(evidence(facts, "http.cookies_secure"), "id");
  set(facts.https, "set-cookie", "id=secret-value");
  EXPECT_EQ(evidence(facts, "http.cookie_insecure"), "id");
}

TEST(JudgeTls, SecureIsAnAttributeAndNoPartOfOne) {
  for (const char* good : {"a=b;Secure", "a=b; secure", "a=b; Path=/;  SECURE ; HttpOnly"}) {
    TlsFacts facts = good_site();
    set(facts.https, "set-cookie", good);
    EXPECT_TRUE(has(facts, "http.cookies_secure")) << good;
  }
  for (const char* bad : {"a=Secure", "a=b; Secured", "secure=1", "a=b; Path=/Secure", ""}) {
    TlsFacts facts = good_site();
    set(facts.https, "set-cookie", bad);
    EXPECT_TRUE(has(facts, "http.cookie_insecure")) << bad;
  }
}

// ------------------------------------------------------------------------------------------------
// Edges

TEST(JudgeTls, ExpiryIsJudgedAtItsSecond) {
  TlsFacts facts = good_site();
  CertificateFacts& leaf = facts.chain.sent[0];
  EXPECT_FALSE(has(facts, "certificate.expired", leaf.not_after));
  EXPECT_TRUE(has(facts, "certificate.expired", leaf.not_after + std::chrono::microseconds{1}));
  EXPECT_FALSE(has(facts, "certificate.not_yet_valid", leaf.not_before));
  EXPECT_TRUE(
      has(facts, "certificate.not_yet_valid", leaf.not_before - std::chrono::microseconds{1}));
}

TEST(JudgeTls, AThirdOfTheLifeIsWhereRenewalBegins) {
  TlsFacts facts = good_site();
  CertificateFacts& leaf = facts.chain.sent[0];
  leaf.not_before = now - hours{24 * 60};
  leaf.not_after = now + hours{24 * 30} + seconds{3};
  EXPECT_TRUE(has(facts, "certificate.in_date"));
  leaf.not_after = now + hours{24 * 30} - seconds{3};
  EXPECT_TRUE(has(facts, "certificate.renewal_due"));
  // Below ten days it is half.
  leaf.not_before = now - hours{72};
  leaf.not_after = now + hours{72} + seconds{3};
  EXPECT_TRUE(has(facts, "certificate.in_date"));
  leaf.not_after = now + hours{72} - seconds{3};
  EXPECT_TRUE(has(facts, "certificate.renewal_due"));
}

TEST(JudgeTls, ThirtySecondsAreNoSkewAndFiveMinutesNoneThatBreaks) {
  struct Edge {
    seconds offset;
    const char* id;
  };
  // Behind: the server's seconds are whole, so one more is let pass.
  const Edge edges[] = {{seconds{0}, "http.clock"},          {seconds{30}, "http.clock"},
                        {seconds{31}, "http.clock_skewed"},  {seconds{300}, "http.clock_skewed"},
                        {seconds{301}, "http.clock_wrong"},  {seconds{-31}, "http.clock"},
                        {seconds{-32}, "http.clock_skewed"}, {seconds{-301}, "http.clock_skewed"},
                        {seconds{-302}, "http.clock_wrong"}};
  for (const Edge& edge : edges) {
    TlsFacts facts = good_site();
    date(facts, edge.offset);
    EXPECT_TRUE(has(facts, edge.id)) << edge.offset.count();
  }
}

TEST(JudgeTls, ASlowAnswerIsNoSkew) {
  TlsFacts facts = good_site();
  facts.https.answered = now + seconds{120};
  date(facts, seconds{90});
  EXPECT_TRUE(has(facts, "http.clock"));
  date(facts, seconds{150});
  EXPECT_TRUE(has(facts, "http.clock"));
  date(facts, seconds{151});
  EXPECT_TRUE(has(facts, "http.clock_skewed"));
}

TEST(JudgeTls, AYearIsEnoughForHsts) {
  TlsFacts facts = good_site();
  set_hsts(facts, "max-age=31536000; includeSubDomains; preload");
  EXPECT_TRUE(has(facts, "http.hsts"));
  EXPECT_TRUE(has(facts, "http.hsts_preload_ready"));
  EXPECT_FALSE(has(facts, "http.hsts_short"));
}

// ------------------------------------------------------------------------------------------------
// What does not belong together

TEST(JudgeTls, WhatWasNotReachedIsNotJudged) {
  TlsFacts facts;
  facts.target.host = "example.com";
  facts.unresolved = "Name or service not known";
  EXPECT_EQ(ids(facts), std::vector<std::string>{"dns.unresolved"});
  EXPECT_FALSE(facts.reached());
}

TEST(JudgeTls, AnAddressGivenByHandSaysNothingOfDns) {
  TlsFacts facts = good_site();
  facts.contacts.pop_back();
  facts.target.address = facts.contacts[0].address;
  facts.caa = Caa();
  for (const std::string& id : ids(facts)) EXPECT_NE(id.substr(0, 4), "dns.") << id;
}

TEST(JudgeTls, LocalhostNeedsNeitherHstsNorPublicAddresses) {
  TlsFacts facts = good_site();
  local(facts);
  facts.target.port = 8443;
  facts.contacts.pop_back();
  facts.contacts[0].address = *IpAddress::parse("127.0.0.1");
  facts.caa = Caa();
  facts.plain_get = answer(308, {{"location", "https://localhost:8443/"}});
  for (const Finding& finding : judge_tls(facts, now))
    EXPECT_EQ(finding.severity, Severity::ok) << finding.id;
}

TEST(JudgeTls, WhereNothingSpeaksTlsThePlainPortIsStillJudged) {
  TlsFacts facts = good_site();
  facts.handshake.state = HandshakeFacts::State::not_tls;
  facts.https = HttpFacts();
  facts.chain = ChainFacts();
  const auto all = ids(facts);
  EXPECT_TRUE(has(facts, "http.redirects"));
  EXPECT_FALSE(has(facts, "protocol.tls13"));
  EXPECT_FALSE(has(facts, "certificate.trusted"));
}

TEST(JudgeTls, ACertificateIsJudgedWhereTheHandshakeFailedBehindIt) {
  TlsFacts facts = good_site();
  facts.handshake.state = HandshakeFacts::State::failed;
  facts.chain.must_staple = true;
  EXPECT_TRUE(has(facts, "certificate.trusted"));
  EXPECT_FALSE(has(facts, "certificate.not_stapled")) << "there was no time for it";
}

TEST(JudgeTls, AnAddressServesNoName) {
  TlsFacts facts = good_site();
  facts.target.host = "192.0.2.1";
  for (const Offer offer : {Offer::accepted, Offer::refused}) {
    facts.unknown_name = offer;
    EXPECT_FALSE(has(facts, "protocol.unknown_name_served"));
    EXPECT_FALSE(has(facts, "protocol.unknown_name_refused"));
  }
}

TEST(JudgeTls, ARootsOwnSignatureDoesNotMatter) {
  TlsFacts facts = good_site();
  facts.chain.trust = Trust::unknown_root;
  CertificateFacts root = certificate("CN = Old Root", "CN = Old Root");
  root.self_signed = root.weak_signature = true;
  facts.chain.sent.push_back(root);
  facts.chain.sent_count = 3;
  EXPECT_FALSE(has(facts, "certificate.weak_signature"));
  facts.chain.sent[1].weak_signature = true;
  EXPECT_TRUE(has(facts, "certificate.weak_signature"));
}

TEST(JudgeTls, HeadersOfARedirectAreNotLookedAt) {
  TlsFacts facts = good_site();
  facts.https.status = 302;
  drop(facts.https, "x-content-type-options");
  EXPECT_FALSE(has(facts, "http.no_nosniff"));
  EXPECT_TRUE(has(facts, "http.hsts"));  // but HSTS is
}

TEST(JudgeTls, PagesAloneNeedAPolicy) {
  TlsFacts facts = good_site();
  set(facts.https, "content-type", "application/json");
  drop(facts.https, "content-security-policy");
  drop(facts.https, "referrer-policy");
  EXPECT_TRUE(has(facts, "http.headers"));
}

TEST(JudgeTls, APolicyThatOnlyReportsIsNamedAsSuch) {
  TlsFacts facts = good_site();
  drop(facts.https, "content-security-policy");
  facts.https.fields.emplace_back("content-security-policy-report-only", "default-src 'self'");
  EXPECT_EQ(evidence(facts, "http.no_csp"), "it is there in report-only mode");
}

}  // namespace
}  // namespace moat::doctor
