#include "catalog/hive/metastore.h"

#include <thrift/TApplicationException.h>
#include <thrift/TOutput.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSocket.h>

#include "base/random.h"
#include "base/retry.h"
#include "base/text.h"

namespace calve::catalog {
namespace {

namespace hms = hive_metastore;
using apache::thrift::TApplicationException;
using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TBufferedTransport;
using apache::thrift::transport::TSocket;

constexpr int kConnectMs = 10'000;
constexpr int kReplyMs = 120'000;  // a metastore's database may be slow
// Hive's numbers.
constexpr int32_t kExclusive = 3;
constexpr int32_t kTableLevel = 2;
constexpr int32_t kAcquired = 1;
constexpr int32_t kWaiting = 2;
constexpr const char* kModified = "The table has been modified";

Error Said(ErrorKind kind, const std::string& doing, const std::string& message) {
  return {kind, "cannot " + doing + ": the metastore says: " + message};
}

}  // namespace

Result<std::vector<MetastoreAddress>> ParseMetastoreUris(const std::string& uris) {
  std::vector<MetastoreAddress> addresses;
  for (const std::string& part : Split(uris, ',')) {
    std::string_view text = Trim(part);
    constexpr std::string_view kScheme = "thrift://";
    if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
    while (text.ends_with('/')) text.remove_suffix(1);
    MetastoreAddress address;
    const size_t colon = text.rfind(':');
    address.host = text.substr(0, colon);
    const std::optional<int64_t> port =
        colon == std::string_view::npos ? 9083 : ParseInteger(text.substr(colon + 1));
    const bool wrong = address.host.empty() || address.host.find('/') != std::string::npos ||
                       !port.has_value() || *port < 1 || *port > 65535;
    if (wrong) return ConfigError("expected thrift://host:9083, found " + Quote(Trim(part)));
    address.port = static_cast<int>(*port);
    addresses.push_back(std::move(address));
  }
  return addresses;
}

class Metastore::Wire {
 public:
  explicit Wire(const MetastoreAddress& address)
      : socket(std::make_shared<TSocket>(address.host, address.port)),
        transport(std::make_shared<TBufferedTransport>(socket)),
        client(std::make_shared<TBinaryProtocol>(transport)) {
    socket->setConnTimeout(kConnectMs);
    socket->setRecvTimeout(kReplyMs);
    socket->setSendTimeout(kReplyMs);
  }

  std::shared_ptr<TSocket> socket;
  std::shared_ptr<TBufferedTransport> transport;
  Client client;
};

Metastore::Metastore(std::unique_ptr<Wire> wire) : wire_(std::move(wire)) {}
Metastore::~Metastore() = default;

Result<std::unique_ptr<Metastore>> Metastore::Connect(
    const Context& context, const std::vector<MetastoreAddress>& addresses) {
  std::string why;
  // What Thrift would print is in the errors that it throws.
  apache::thrift::GlobalOutput.setOutputFunction([](const char*) {});
  for (const MetastoreAddress& address : addresses) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    try {
      auto wire = std::make_unique<Wire>(address);
      wire->transport->open();
      return std::unique_ptr<Metastore>(new Metastore(std::move(wire)));
    } catch (const std::exception& e) {
      why = "cannot reach the Hive Metastore at " + address.host + ":" +
            std::to_string(address.port) + ": " + e.what();
    }
  }
  return TransientError(why + "; is it running?");
}

Status Metastore::Call(const std::string& doing, bool changes,
                       const std::function<void(Client&)>& call) {
  try {
    call(wire_->client);
    return Status::Ok();
  } catch (const hms::NoSuchObjectException& e) {
    return Said(ErrorKind::kNotFound, doing, e.message);
  } catch (const hms::AlreadyExistsException& e) {
    return Said(ErrorKind::kAlreadyExists, doing, e.message);
  } catch (const hms::InvalidObjectException& e) {
    return Said(ErrorKind::kRefused, doing, e.message);
  } catch (const hms::InvalidOperationException& e) {
    return Said(ErrorKind::kRefused, doing, e.message);
  } catch (const hms::NoSuchLockException& e) {
    return Said(ErrorKind::kConflict, doing, e.message);
  } catch (const hms::NoSuchTxnException& e) {
    return Said(ErrorKind::kConflict, doing, e.message);
  } catch (const hms::TxnAbortedException& e) {
    return Said(ErrorKind::kConflict, doing, e.message);
  } catch (const hms::TxnOpenException& e) {
    return Said(ErrorKind::kRefused, doing, e.message);
  } catch (const hms::MetaException& e) {
    if (e.message.find(kModified) != std::string::npos)
      return Said(ErrorKind::kConflict, doing, e.message);
    return Said(changes ? ErrorKind::kUnknownOutcome : ErrorKind::kRefused, doing, e.message);
  } catch (const TApplicationException& e) {
    if (e.getType() == TApplicationException::UNKNOWN_METHOD)
      return Said(ErrorKind::kRefused, doing, e.what());
    const bool answered = e.getType() == TApplicationException::INTERNAL_ERROR;
    broken_ = !answered;
    return Said(changes ? ErrorKind::kUnknownOutcome : ErrorKind::kTransient, doing, e.what());
  } catch (const std::exception& e) {
    broken_ = true;
    const std::string lost =
        "the connection to the Hive Metastore broke (" + std::string(e.what()) + ")";
    if (changes)
      return UnknownOutcomeError("it is not known whether it did " + doing + ": " + lost);
    return TransientError("cannot " + doing + ": " + lost);
  }
}

Status Metastore::Read(const std::string& doing, const std::function<void(Client&)>& call) {
  return Call(doing, /*changes=*/false, call);
}

Status Metastore::Change(const std::string& doing, const std::function<void(Client&)>& call) {
  return Call(doing, /*changes=*/true, call);
}

Status Metastore::GetTable(const std::string& database, const std::string& name,
                           hms::Table& entry) {
  hms::GetTableRequest request;
  request.dbName = database;
  request.tblName = name;
  hms::GetTableResult result;
  CALVE_RETURN_IF_ERROR(Read("load table " + database + "." + name,
                             [&](Client& client) { client.get_table_req(result, request); }));
  entry = std::move(result.table);
  return Status::Ok();
}

Result<std::unique_ptr<MetastoreLock>> MetastoreLock::Take(
    const Context& context, const std::vector<MetastoreAddress>& addresses, Metastore& metastore,
    const std::string& database, const std::string& table, std::chrono::milliseconds wait_max) {
  const std::string doing = "lock table " + database + "." + table;
  const std::string agent = "calve-" + NewUuidString(*context.random);
  hms::LockComponent component;
  component.type = kExclusive;
  component.level = kTableLevel;
  component.dbname = database;
  component.__set_tablename(table);
  hms::LockRequest request;
  request.component = {component};
  request.user = "calve";
  request.hostname = "calve";
  request.__set_agentInfo(agent);
  hms::LockResponse response;
  Status asked = metastore.Change(doing, [&](auto& client) { client.lock(response, request); });
  if (!asked.ok()) {
    // The lock may be there all the same, and would keep everybody out until it runs out.
    Result<std::unique_ptr<Metastore>> again = Metastore::Connect(context.WithStop({}), addresses);
    if (again.ok()) {
      hms::ShowLocksResponse shown;
      hms::ShowLocksRequest which;
      which.__set_dbname(database);
      which.__set_tablename(table);
      (void)(*again)->Read(doing, [&](auto& client) { client.show_locks(shown, which); });
      for (const hms::ShowLocksResponseElement& lock : shown.locks) {
        if (lock.agentInfo != agent) continue;
        const MetastoreLock found(context, addresses, **again, lock.lockid);
      }
    }
    return TransientError(asked.error().message);
  }
  std::unique_ptr<MetastoreLock> lock(
      new MetastoreLock(context, addresses, metastore, response.lockid));
  const Duration begun = context.clock->Monotonic();
  const RetryPolicy pace{.attempts_max = 0,
                         .first = std::chrono::milliseconds(50),
                         .longest = std::chrono::milliseconds(2000)};
  for (int look = 1; response.state == kWaiting; ++look) {
    if (context.clock->Monotonic() - begun > Duration(wait_max)) {
      return TransientError("cannot " + doing + ": another has held it for " +
                            std::to_string(wait_max.count() / 1000) + " s; run again");
    }
    CALVE_RETURN_IF_ERROR(Sleep(context, RetryDelay(context, pace, look)));
    hms::CheckLockRequest check;
    check.lockid = response.lockid;
    CALVE_RETURN_IF_ERROR(
        metastore.Read(doing, [&](auto& client) { client.check_lock(response, check); }));
  }
  if (response.state == kAcquired) return lock;
  return TransientError("cannot " + doing + ": the metastore gave the lock to nobody; run again");
}

Status MetastoreLock::Refresh() {
  hms::HeartbeatRequest request;
  request.__set_lockid(id_);
  return metastore_.Read("keep the lock of a table",
                         [&](auto& client) { client.heartbeat(request); });
}

MetastoreLock::~MetastoreLock() {
  hms::UnlockRequest request;
  request.lockid = id_;
  const auto unlock = [&](Metastore& metastore) {
    // A lock that is not given back runs out by itself.
    (void)metastore.Read("unlock a table", [&](auto& client) { client.unlock(request); });
  };
  if (metastore_.is_broken()) {
    const Result<std::unique_ptr<Metastore>> again = Metastore::Connect(context_, addresses_);
    if (again.ok()) unlock(**again);
  } else {
    unlock(metastore_);
  }
}

}  // namespace calve::catalog
