#pragma once

#include <hive_metastore/HiveMetastore.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::catalog {

/// Where a Hive Metastore listens.
struct MetastoreAddress {
  std::string host;
  int port = 9083;
};
/// Read thrift://host:port, or several of one metastore, divided by commas. Fails with kConfig.
Result<std::vector<MetastoreAddress>> ParseMetastoreUris(const std::string& uris);

/// One connection to a Hive Metastore. One thread at a time.
///
/// Every call fails with kTransient (not reached, nothing applied), kUnknownOutcome (a change whose
/// reply was lost, or that failed inside the server), kNotFound, kAlreadyExists, kConflict (a lock
/// that is gone, an expected parameter that does not hold) or kRefused, with the metastore's words.
class Metastore {
 public:
  using Client = hive_metastore::HiveMetastoreClient;

  /// Connect to the first of the addresses that answers.
  static Result<std::unique_ptr<Metastore>> Connect(const Context& context,
                                                    const std::vector<MetastoreAddress>& addresses);
  ~Metastore();

  /// Ask; `doing` says what for: "load table a.b".
  Status Read(const std::string& doing, const std::function<void(Client&)>& call);
  /// The same for what changes the metastore.
  Status Change(const std::string& doing, const std::function<void(Client&)>& call);

  /// Read one entry, be it a table or not. Fails with kNotFound.
  Status GetTable(const std::string& database, const std::string& name,
                  hive_metastore::Table& entry);

  /// Whether the connection broke: what was under way may still be carried out. False after a
  /// failure that the server told, after which nothing more comes of it.
  bool is_broken() const { return broken_; }

 private:
  class Wire;
  explicit Metastore(std::unique_ptr<Wire> wire);
  Status Call(const std::string& doing, bool changes, const std::function<void(Client&)>& call);

  std::unique_ptr<Wire> wire_;
  bool broken_ = false;
};

/// An exclusive lock on a table, held by the metastore. One thread.
///
/// It is held for the moment of a swap, so that it is shown alive before and after and needs no
/// thread that does so. Destroying it gives it back.
class MetastoreLock {
 public:
  /// Wait until it is held, at most `wait_max`. Fails with kTransient when it is not by then.
  static Result<std::unique_ptr<MetastoreLock>> Take(
      const Context& context, const std::vector<MetastoreAddress>& addresses, Metastore& metastore,
      const std::string& database, const std::string& table, std::chrono::milliseconds wait_max);
  ~MetastoreLock();
  MetastoreLock(const MetastoreLock&) = delete;
  MetastoreLock& operator=(const MetastoreLock&) = delete;

  /// Tell the metastore that the lock is in use. Fails with kConflict when it is not held any more.
  Status Refresh();

 private:
  MetastoreLock(const Context& context, std::vector<MetastoreAddress> addresses,
                Metastore& metastore, int64_t id)
      : context_(context.WithStop({})),
        addresses_(std::move(addresses)),
        metastore_(metastore),
        id_(id) {}

  const Context context_;
  const std::vector<MetastoreAddress> addresses_;
  Metastore& metastore_;
  const int64_t id_;
};

}  // namespace calve::catalog
