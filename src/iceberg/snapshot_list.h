#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "iceberg/snapshot.h"

namespace calve::iceberg {

/// The snapshots of a table, in the order of its metadata. Snapshots never change, so that copies
/// of the list share them, and with them their text as JSON: a commit to a table with many costs
/// what it adds. As a vector otherwise. Threads: as a value; what is shared may be read by any.
class SnapshotList {
  struct Shared {
    explicit Shared(Snapshot of) : snapshot(std::move(of)) {}
    const Snapshot snapshot;
    std::once_flag printed;
    std::string json;
  };
  using Pointer = std::shared_ptr<Shared>;

 public:
  using value_type = Snapshot;
  using size_type = size_t;
  using const_reference = const Snapshot&;
  using reference = const_reference;

  class const_iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Snapshot;
    using difference_type = std::ptrdiff_t;
    using pointer = const Snapshot*;
    using reference = const Snapshot&;

    const_iterator() = default;
    reference operator*() const { return (*at_)->snapshot; }
    pointer operator->() const { return &(*at_)->snapshot; }
    reference operator[](difference_type n) const { return *(*this + n); }
    const_iterator& operator++() { return *this += 1; }
    const_iterator operator++(int) { return std::exchange(*this, *this + 1); }
    const_iterator& operator--() { return *this -= 1; }
    const_iterator operator--(int) { return std::exchange(*this, *this - 1); }
    const_iterator& operator+=(difference_type n) {
      at_ += n;
      return *this;
    }
    const_iterator& operator-=(difference_type n) { return *this += -n; }
    friend const_iterator operator+(const_iterator it, difference_type n) { return it += n; }
    friend const_iterator operator+(difference_type n, const_iterator it) { return it += n; }
    friend const_iterator operator-(const_iterator it, difference_type n) { return it -= n; }
    friend difference_type operator-(const_iterator a, const_iterator b) { return a.at_ - b.at_; }
    auto operator<=>(const const_iterator&) const = default;

   private:
    friend class SnapshotList;
    explicit const_iterator(const Pointer* at) : at_(at) {}
    const Pointer* at_ = nullptr;
  };
  using iterator = const_iterator;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  SnapshotList() = default;
  SnapshotList(std::initializer_list<Snapshot> snapshots) {
    for (const Snapshot& snapshot : snapshots) push_back(snapshot);
  }

  bool empty() const { return snapshots_.empty(); }
  size_t size() const { return snapshots_.size(); }
  const Snapshot& operator[](size_t index) const { return snapshots_[index]->snapshot; }
  const Snapshot& front() const { return snapshots_.front()->snapshot; }
  const Snapshot& back() const { return snapshots_.back()->snapshot; }
  const_iterator begin() const { return const_iterator(snapshots_.data()); }
  const_iterator end() const { return begin() + static_cast<std::ptrdiff_t>(size()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }

  void push_back(Snapshot snapshot) {
    snapshots_.push_back(std::make_shared<Shared>(std::move(snapshot)));
  }
  /// Put another snapshot into a place.
  void Replace(size_t index, Snapshot snapshot) {
    snapshots_[index] = std::make_shared<Shared>(std::move(snapshot));
  }
  template <typename Predicate>
  void RemoveIf(const Predicate& predicate) {
    std::erase_if(snapshots_, [&](const Pointer& shared) { return predicate(shared->snapshot); });
  }

  /// A snapshot as SnapshotToJson writes it, printed once.
  const std::string& JsonOf(size_t index) const;

  friend bool operator==(const SnapshotList& a, const SnapshotList& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  std::vector<Pointer> snapshots_;
};

}  // namespace calve::iceberg
