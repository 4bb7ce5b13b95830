// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace moat::store {

// Sql is one statement of the program's own text. Only a literal can become one (the constructor
// runs at compile time), so no value of a stranger can ever be part of it; values are bound.
class Sql final {
 public:
  template <std::size_t n>
  consteval explicit Sql(const char (&text)[n]) : text_(text), length_(n - 1) {}
  constexpr const char* text() const { return text_; }
  constexpr int length() const { return static_cast<int>(length_); }

 private:
  const char* text_;
  std::size_t length_;
};

}  // namespace moat::store

// Every statement there is. Parameters are numbered in the order they are bound; times are
// microseconds since 1970.
namespace moat::store::sql {

// ---- the schema, one text a version; a text that was released is never changed ----
inline constexpr std::array migrations = {
    Sql(R"sql(
      CREATE TABLE accounts (
        id TEXT NOT NULL PRIMARY KEY,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        password_hash TEXT NOT NULL,
        password_changed_at INTEGER NOT NULL,
        disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE account_roles (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        role TEXT NOT NULL,
        PRIMARY KEY (account_id, position)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX account_roles_by_role ON account_roles (role);
      CREATE TABLE setup_token (
        slot INTEGER NOT NULL PRIMARY KEY CHECK (slot = 1),
        token BLOB NOT NULL CHECK (length(token) = 32),
        expires_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE known_devices (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        device BLOB NOT NULL CHECK (length(device) = 32),
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, device)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX known_devices_by_expiry ON known_devices (expires_at);
      CREATE TABLE sessions (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL,
        token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
        generation INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        rotated_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        idle_seconds INTEGER NOT NULL,
        address TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        exchanges TEXT NOT NULL,
        revoked_at INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX sessions_by_user ON sessions (user_id);
      CREATE INDEX sessions_by_expiry ON sessions (expires_at);
      CREATE INDEX sessions_by_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
    )sql"),
    // Sessions of programs. Those there are were all begun by browsers.
    Sql(R"sql(
      ALTER TABLE sessions ADD COLUMN kind INTEGER NOT NULL DEFAULT 0 CHECK (kind IN (0, 1));
      ALTER TABLE sessions ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
    )sql"),
    Sql(R"sql(
      CREATE TABLE api_keys (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL,
        key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        last_used_at INTEGER,
        revoked_at INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX api_keys_by_user ON api_keys (user_id);
      CREATE INDEX api_keys_by_expiry ON api_keys (expires_at);
      CREATE INDEX api_keys_by_revocation ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
    )sql"),
    // What owners call their devices, and what they are to be told of sessions that are gone.
    Sql(R"sql(
      CREATE TABLE session_names (
        session_id TEXT NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
        name TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE reuse_notices (
        user_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        address TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (user_id, session_id)
      ) STRICT, WITHOUT ROWID;
    )sql"),
};

// ---- the file itself ----
inline constexpr Sql begin_write("BEGIN IMMEDIATE");
inline constexpr Sql commit("COMMIT");
inline constexpr Sql rollback("ROLLBACK");
inline constexpr Sql savepoint("SAVEPOINT step");
inline constexpr Sql rollback_to("ROLLBACK TO step");
inline constexpr Sql release("RELEASE step");

// The order matters: a database that is not Moat's must not be changed before it is recognised.
inline constexpr Sql harden(R"sql(
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA synchronous = FULL;
)sql");
inline constexpr Sql use_wal("PRAGMA journal_mode = WAL");
inline constexpr Sql limit_wal("PRAGMA journal_size_limit = 67108864");
inline constexpr Sql query_only("PRAGMA query_only = ON");
// In one statement: what two of them tell may be of two moments.
inline constexpr Sql identity(
    "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id");
inline constexpr Sql set_application_id("PRAGMA application_id = 1299144052");  // "Moat"
inline constexpr Sql create_schema_version(
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT");
inline constexpr Sql schema_version("SELECT coalesce(max(version), 0) FROM schema_version");
inline constexpr Sql insert_schema_version(
    "INSERT INTO schema_version (version, applied_at) VALUES (?1, unixepoch() * 1000000)");

// ---- accounts ----
inline constexpr Sql insert_account(
    "INSERT INTO accounts (id, email, email_key, created_at, password_hash, password_changed_at,"
    " disabled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING");
inline constexpr Sql insert_role(
    "INSERT INTO account_roles (account_id, position, role) VALUES (?1, ?2, ?3)");
inline constexpr Sql delete_roles("DELETE FROM account_roles WHERE account_id = ?1");
inline constexpr Sql email_key_exists("SELECT 1 FROM accounts WHERE email_key = ?1");
inline constexpr Sql account_exists("SELECT 1 FROM accounts WHERE id = ?1");
// One row a role (at least one row an account), so that an account is read in one statement.
inline constexpr Sql find_account_by_id(
    "SELECT a.id, a.email, a.email_key, a.created_at, a.password_hash, a.password_changed_at,"
    " a.disabled, r.role FROM accounts a LEFT JOIN account_roles r ON r.account_id = a.id"
    " WHERE a.id = ?1 ORDER BY r.position");
inline constexpr Sql find_account_by_email_key(
    "SELECT a.id, a.email, a.email_key, a.created_at, a.password_hash, a.password_changed_at,"
    " a.disabled, r.role FROM accounts a LEFT JOIN account_roles r ON r.account_id = a.id"
    " WHERE a.email_key = ?1 ORDER BY r.position");
inline constexpr Sql list_accounts(
    "SELECT a.id, a.email, a.email_key, a.created_at, a.password_hash, a.password_changed_at,"
    " a.disabled, r.role FROM (SELECT * FROM accounts WHERE id > ?1 ORDER BY id LIMIT ?2) a"
    " LEFT JOIN account_roles r ON r.account_id = a.id ORDER BY a.id, r.position");
inline constexpr Sql change_password(
    "UPDATE accounts SET password_hash = ?3, password_changed_at = ?4"
    " WHERE id = ?1 AND password_hash = ?2");
inline constexpr Sql upgrade_hash(
    "UPDATE accounts SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2");
inline constexpr Sql set_disabled("UPDATE accounts SET disabled = ?2 WHERE id = ?1");
inline constexpr Sql is_enabled_admin(
    "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id"
    " WHERE a.id = ?1 AND a.disabled = 0 AND r.role = 'admin'");
inline constexpr Sql other_enabled_admin(
    "SELECT 1 FROM account_roles r JOIN accounts a ON a.id = r.account_id"
    " WHERE r.role = 'admin' AND a.disabled = 0 AND a.id <> ?1 LIMIT 1");
inline constexpr Sql count_admins(
    "SELECT count(DISTINCT account_id) FROM account_roles WHERE role = 'admin'");

// ---- set-up token ----
inline constexpr Sql put_setup_token(
    "INSERT OR REPLACE INTO setup_token (slot, token, expires_at) VALUES (1, ?1, ?2)");
inline constexpr Sql live_setup_token(
    "SELECT 1 FROM setup_token WHERE token = ?1 AND expires_at > ?2");
inline constexpr Sql delete_setup_token("DELETE FROM setup_token");
inline constexpr Sql delete_expired_setup_token("DELETE FROM setup_token WHERE expires_at <= ?1");

// ---- known devices ----
inline constexpr Sql remember_device(
    "INSERT OR REPLACE INTO known_devices (account_id, device, expires_at) VALUES (?1, ?2, ?3)");
inline constexpr Sql drop_surplus_devices(
    "DELETE FROM known_devices WHERE account_id = ?1 AND device NOT IN"
    " (SELECT device FROM known_devices WHERE account_id = ?1"
    "  ORDER BY expires_at DESC, device DESC LIMIT ?2)");
inline constexpr Sql knows_device(
    "SELECT 1 FROM known_devices WHERE account_id = ?1 AND device = ?2 AND expires_at > ?3");
inline constexpr Sql forget_devices("DELETE FROM known_devices WHERE account_id = ?1");
inline constexpr Sql delete_expired_devices("DELETE FROM known_devices WHERE expires_at <= ?1");

// ---- sessions; the columns of the three SELECTs are read by one function ----
inline constexpr Sql insert_session(
    "INSERT INTO sessions (id, user_id, token_hash, generation, started_at, rotated_at, expires_at,"
    " ends_at, idle_seconds, address, user_agent, exchanges, revoked_at, kind, scopes)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
inline constexpr Sql find_session(
    "SELECT id, user_id, token_hash, generation, started_at, rotated_at, expires_at, ends_at,"
    " idle_seconds, address, user_agent, exchanges, revoked_at, kind, scopes FROM sessions"
    " WHERE id = ?1");
inline constexpr Sql list_sessions(
    "SELECT id, user_id, token_hash, generation, started_at, rotated_at, expires_at, ends_at,"
    " idle_seconds, address, user_agent, exchanges, revoked_at, kind, scopes FROM sessions"
    " WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2 ORDER BY rotated_at DESC, id");
inline constexpr Sql rotate_session(
    "UPDATE sessions SET token_hash = ?3, generation = generation + 1, rotated_at = ?4,"
    " expires_at = ?5, address = ?6, user_agent = ?7, exchanges = ?8"
    " WHERE id = ?1 AND generation = ?2 AND revoked_at IS NULL");
inline constexpr Sql session_is_live("SELECT 1 FROM sessions WHERE id = ?1 AND revoked_at IS NULL");
inline constexpr Sql revoke_session(
    "UPDATE sessions SET revoked_at = ?3 WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL");
inline constexpr Sql insert_reuse_notice(
    "INSERT OR REPLACE INTO reuse_notices (user_id, session_id, at, address, user_agent, name)"
    " SELECT s.user_id, s.id, ?2, s.address, s.user_agent, coalesce(n.name, '')"
    " FROM sessions s LEFT JOIN session_names n ON n.session_id = s.id WHERE s.id = ?1");
inline constexpr Sql drop_surplus_notices(
    "DELETE FROM reuse_notices WHERE user_id = ?1 AND session_id NOT IN"
    " (SELECT session_id FROM reuse_notices WHERE user_id = ?1"
    "  ORDER BY at DESC, session_id LIMIT ?2)");
inline constexpr Sql list_notices(
    "SELECT session_id, at, address, user_agent, name FROM reuse_notices WHERE user_id = ?1"
    " ORDER BY at DESC, session_id");
inline constexpr Sql dismiss_notice(
    "DELETE FROM reuse_notices WHERE session_id = ?1 AND user_id = ?2");
inline constexpr Sql owns_session(
    "SELECT 1 FROM sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL");
inline constexpr Sql name_session(
    "INSERT OR REPLACE INTO session_names (session_id, name) VALUES (?1, ?2)");
inline constexpr Sql forget_session_name("DELETE FROM session_names WHERE session_id = ?1");
inline constexpr Sql session_names(
    "SELECT n.session_id, n.name FROM session_names n JOIN sessions s ON s.id = n.session_id"
    " WHERE s.user_id = ?1 AND s.revoked_at IS NULL");
inline constexpr Sql revoke_sessions(
    "UPDATE sessions SET revoked_at = ?3 WHERE user_id = ?1 AND id <> ?2 AND revoked_at IS NULL"
    " RETURNING id");
inline constexpr Sql revocations_since(
    "SELECT id, revoked_at FROM sessions WHERE revoked_at >= ?1 ORDER BY revoked_at, id");
inline constexpr Sql delete_expired_sessions(
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions"
    " WHERE expires_at < ?1 OR revoked_at < ?1 LIMIT ?2)");

// ---- API keys; the columns of the two SELECTs are read by one function ----
inline constexpr Sql count_live_keys(
    "SELECT count(*) FROM api_keys WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2");
inline constexpr Sql insert_key(
    "INSERT INTO api_keys (id, user_id, key_hash, name, scopes, created_at, expires_at,"
    " last_used_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
inline constexpr Sql find_key(
    "SELECT id, user_id, key_hash, name, scopes, created_at, expires_at, last_used_at, revoked_at"
    " FROM api_keys WHERE id = ?1");
inline constexpr Sql list_keys(
    "SELECT id, user_id, key_hash, name, scopes, created_at, expires_at, last_used_at, revoked_at"
    " FROM api_keys WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2"
    " ORDER BY created_at DESC, id");
inline constexpr Sql revoke_key(
    "UPDATE api_keys SET revoked_at = ?3 WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL");
inline constexpr Sql revoke_keys(
    "UPDATE api_keys SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL RETURNING id");
inline constexpr Sql key_revocations_since(
    "SELECT id, revoked_at FROM api_keys WHERE revoked_at >= ?1 ORDER BY revoked_at, id");
inline constexpr Sql note_key_use(
    "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE id = ?1");
inline constexpr Sql delete_expired_keys(
    "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys"
    " WHERE expires_at < ?1 OR revoked_at < ?1 LIMIT ?2)");

}  // namespace moat::store::sql
