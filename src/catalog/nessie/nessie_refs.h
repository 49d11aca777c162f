#pragma once

#include <functional>
#include <memory>
#include <string>

#include "catalog/native_refs.h"
#include "catalog/nessie/nessie_client.h"

namespace calve::catalog {

/// Nessie's branches. Threads: any.
class NessieRefs : public NativeRefs {
 public:
  using Open = std::function<std::unique_ptr<Catalog>(const std::string& branch)>;

  NessieRefs(std::shared_ptr<NessieClient> client, std::string branch, Open open)
      : client_(std::move(client)), branch_(std::move(branch)), open_(std::move(open)) {}

  const std::string& branch() const override { return branch_; }
  Result<std::vector<NativeBranch>> ListRefs(const Context& context) override;
  Result<NativeBranch> FindBranch(const Context& context, const std::string& name) override;
  Result<NativeBranch> CreateBranch(const Context& context, const std::string& name,
                                    const NativeBranch& from) override;
  Status DeleteBranch(const Context& context, const NativeBranch& branch) override;
  std::unique_ptr<Catalog> OnBranch(const std::string& name) override { return open_(name); }
  Result<NativeMerge> Merge(const Context& context, const NativeBranch& from,
                            const std::string& into, const std::string& message) override;
  Result<NativeMerge> TryMerge(const Context& context, const NativeBranch& from,
                               const std::string& into) override;
  Result<std::vector<NativeCommit>> Log(const Context& context, const std::string& branch,
                                        const std::string& since, int commits_max) override;

 private:
  Result<NativeMerge> MergeOrTry(const Context& context, const NativeBranch& from,
                                 const std::string& into, const std::string& message,
                                 bool only_try);

  std::shared_ptr<NessieClient> client_;
  const std::string branch_;
  Open open_;
};

}  // namespace calve::catalog
