#include "source/text_blocks.h"

#include <algorithm>
#include <span>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace calve::source {
namespace {

constexpr size_t kRowBytesMax = 64 << 20;

}  // namespace

int64_t CountLines(std::string_view text) {
  int64_t count = 0;
  size_t at = 0;
#if defined(__SSE2__)
  // Each of 16 bytes counts its own hits, which are summed before one can overflow.
  const __m128i lf = _mm_set1_epi8('\n');
  while (at + 16 <= text.size()) {
    __m128i hits = _mm_setzero_si128();
    for (int i = 0; i < 255 && at + 16 <= text.size(); ++i, at += 16) {
      const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
      hits = _mm_sub_epi8(hits, _mm_cmpeq_epi8(chunk, lf));
    }
    const __m128i sums = _mm_sad_epu8(hits, _mm_setzero_si128());
    count += _mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums));
  }
#endif
  return count + std::count(text.begin() + static_cast<ptrdiff_t>(at), text.end(), '\n');
}

TextBlocks::TextBlocks(std::string name, Open open, std::unique_ptr<RowEnds> row_ends,
                       size_t block_bytes)
    : name_(std::move(name)),
      block_bytes_(block_bytes),
      open_(std::move(open)),
      row_ends_(std::move(row_ends)) {}

/// Read on until the block has `size` bytes or the file ends.
Status TextBlocks::Fill(TextBlock* block, size_t size) {
  // The buffer only grows: what earlier blocks left behind is not cleared anew.
  std::string& buffer = block->buffer_;
  buffer.resize(std::max(buffer.size(), size));
  while (block->size_ < size && !at_end_) {
    const std::span<char> room(buffer.data() + block->size_, size - block->size_);
    CALVE_ASSIGN_OR_RETURN(const size_t got, stream_->Read(room));
    block->size_ += got;
    at_end_ = got == 0;
  }
  if (at_end_) stream_.reset();
  return Status::Ok();
}

Result<bool> TextBlocks::TakeOnce(TextBlock* block) {
  size_t size = std::min(std::max(block_bytes_, 2 * rest_.size()), kRowBytesMax + 1);
  block->begin_ = 0;
  block->buffer_.resize(std::max(block->buffer_.size(), size));
  std::copy(rest_.begin(), rest_.end(), block->buffer_.begin());
  block->size_ = rest_.size();
  rest_.clear();
  while (true) {
    CALVE_RETURN_IF_ERROR(Fill(block, size));
    CALVE_ASSIGN_OR_RETURN(const RowEnds::Cut cut, row_ends_->Find(block->text(), at_end_));
    if (cut.end > 0 || at_end_) {
      rest_.assign(block->text().substr(cut.end));
      block->size_ = cut.end;
      block->begin_ = cut.begin;
      block->first_line_ = line_ + cut.lines_before;
      line_ += cut.lines;
      return cut.begin < cut.end;
    }
    if (size > kRowBytesMax) {
      return DataError("a row is longer than " +
                       FormatBytes(ByteCount(static_cast<int64_t>(kRowBytesMax))) +
                       "; most likely a quote or bracket opens and does not close, or the file is "
                       "of another kind");
    }
    size = std::min(2 * size, kRowBytesMax + 1);
  }
}

Result<bool> TextBlocks::Take(const Context& context, TextBlock* block) {
  if (stream_ == nullptr && !at_end_) {
    CALVE_ASSIGN_OR_RETURN(stream_, open_(context));
  }
  while (!at_end_ || !rest_.empty()) {
    const size_t left = at_end_ ? rest_.size() : SIZE_MAX;
    CALVE_ASSIGN_OR_RETURN(const bool has_rows, TakeOnce(block));
    if (has_rows) return true;
    if (rest_.size() >= left) return BugError("the end of the file is never used up");
  }
  return false;
}

Result<bool> TextBlocks::Next(const Context& context, TextBlock* block) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(failed_);
  Result<bool> taken = Take(context, block);
  if (taken.ok()) return taken;
  const bool is_open = stream_ != nullptr || at_end_;
  failed_ = is_open ? Error{taken.error().kind,
                            name_ + " line " + FormatCount(line_) + ": " + taken.error().message}
                    : taken.error();
  return failed_.error();
}

std::string TextPlaces::At(int64_t line) const {
  if (first_ != nullptr) {
    const auto origin = first_->find(line);
    if (origin != first_->end()) return origin->second;
  }
  return file_ + " line " + FormatCount(line);
}

}  // namespace calve::source
